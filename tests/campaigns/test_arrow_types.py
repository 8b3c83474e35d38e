"""The campaign at a small size: every type in the roles that a column most often has."""

import pytest

from tests.campaigns.arrow_types import ROLES, TYPES, WORKS, is_good, sources, table_with, tried


@pytest.mark.parametrize("name", TYPES)
def test_each_type_works_or_is_told(name):
    """As an input, a target, a group and a time, with gaps and in several chunks."""
    table = table_with(name, gaps=True, chunks=3)
    for role in ("input", "target", "group", "time"):
        found = tried(table, role)
        assert is_good(name, role, found), (role, found)


@pytest.mark.parametrize("name", ["string_view", "dictionary of string", "timestamp Berlin", "map"])
def test_files_hold_what_memory_holds(name, tmp_path):
    found = [tried(table, "input") for _, table in sources(name, tmp_path)]
    assert len(found) > 3
    assert set(found) == {"ignored" if name == "map" else "works"}


def test_the_roles_and_types_are_named_rightly():
    assert set(WORKS) - {"ignored"} <= set(ROLES)
    assert set().union(*WORKS.values()) <= set(TYPES)
    assert len(TYPES) > 60
