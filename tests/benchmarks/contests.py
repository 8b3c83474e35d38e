"""Contests made by hand."""

from benchmarks.machine import Machine
from benchmarks.results import Contest, Report, Row

MACHINE = Machine("Some CPU", ("avx2",), 2, 8.0, "Linux", "3.11.7", "native kernel, AVX2")


def row(key, role, *seconds, **more):
    return Row(key, key.capitalize(), role, seconds=seconds, first=9.0, **more)


def contest(*rows, name="mnist", units=10, operations=0.0):
    return Contest(name, "a title", "step", units, operations, rows)


def report(*contests, is_smallest=False):
    versions = {"jax": "0.10.2"}
    return Report(MACHINE, versions, "abc", "2026-01-01 00:00", is_smallest, 3, 1.5, contests)
