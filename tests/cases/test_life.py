"""Trainings that once kept the wrong weights, or the memory of another optimizer."""

import re
import runpy

import numpy as np
import pytest


def printed(cases, name, monkeypatch, tmp_path, capsys) -> list[str]:
    """What a case's script prints, run in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(cases / "training" / name))
    return capsys.readouterr().out.replace("\n ", " ").splitlines()  # arrays go over lines


@pytest.mark.filterwarnings("ignore:.* starts with a fresh optimizer state:UserWarning")
@pytest.mark.filterwarnings("ignore:The learning rate is .* from here on:UserWarning")
def test_a_fork_to_another_optimizer_stays_finite(cases, monkeypatch, tmp_path, capsys):
    lines = printed(cases, "02_rmsprop_fork.py", monkeypatch, tmp_path, capsys)
    assert len(lines) == 4
    for line in lines:
        assert "Trained for 10 epochs." in line
        assert "nan" not in line
        assert float(re.findall(r"max after ([0-9.]+)", line)[0]) < 1


def test_patience_gives_the_best_measured_weights(cases, monkeypatch, tmp_path, capsys):
    lines = printed(cases, "10_patience.py", monkeypatch, tmp_path, capsys)
    for line in lines[:3]:
        assert re.search(r"best measured ([0-9.]+) .* kept ([0-9.]+)$", line), line
        best, kept = re.findall(r"best measured ([0-9.]+) .* kept ([0-9.]+)$", line)[0]
        assert float(kept) == float(best)
    assert len(lines) == 7
    for line in lines[3:]:
        usual, each = re.findall(r"kept loss ([0-9.]+) .* ([0-9.]+)$", line)[0]
        assert np.isclose(float(usual), float(each), atol=2e-3)
