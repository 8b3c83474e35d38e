"""Runs whose data has moved: every command that reads it takes --data."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.cli.main import cli
from tests.plain import PLAIN

COMMANDS = {
    "trace": ("--step", "2"),
    "neuron": ("--layer", "1", "--unit", "0", "--no-pictures"),
    "layers": ("--points", "2", "--no-pictures"),
    "surface": ("--points", "3", "--no-pictures"),
    "generalization": ("--no-pictures",),
    "batches": ("--no-pictures",),
    "network": ("--no-pictures",),
    "diagnose": ("--budget", "0"),
    "report": (),
    "test": (),
    "fork": ("--at-step", "2", "--no-pictures"),
    "resume": ("--epochs", "4", "--no-pictures"),
}


def table(path: Path, shift: float = 0.0) -> Path:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(60, 2))
    lines = [f"{a:.4f},{b:.4f},{a + 2 * b + shift:.4f}" for a, b in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a,b,y\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A run, and where its data is now."""
    root = tmp_path_factory.mktemp("moved")
    data = table(root / "before" / "things.csv")
    run = ds.train(
        ds.parse_network("dense 1"),
        ds.load(str(data), target="y"),
        options=PLAIN,
        epochs=3,
        folder=root / "run",
        record=ds.Record(every=1),
    )
    now = root / "after" / "renamed.csv"
    now.parent.mkdir()
    return run.folder, data.rename(now)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_takes_it(call, refused, moved, tmp_path, command):
    folder, now = moved
    own = shutil.copytree(folder, tmp_path / "own")
    gone = f"The data that the run was trained on is not at {now.parent.parent}/before/things.csv"
    assert refused(command, own, *COMMANDS[command]).startswith(gone)
    assert "--data PATH" in refused(command, own, *COMMANDS[command])
    result = call(command, own, "--data", now, *COMMANDS[command])
    assert result.exit_code == 0, result.output
    other = table(tmp_path / "other.csv", shift=1.0)
    if command != "test":  # which measures a run on any data
        assert refused(command, own, "--data", other, *COMMANDS[command]) == (
            f"{other} is not the data that the run was trained on: it has other values. Expected "
            f"the data with the fingerprint {ds.open_run(own).data.fingerprint[:12]}. Name the "
            "file or folder that it was trained on; downslope test measures the run on other data, "
            "and train(..., start=run) goes on with it."
        )
    if command == "resume":  # which knows from then on where it is
        assert ds.open_run(own).data.source == str(now)
        assert call("layers", own, "--points", 2, "--no-pictures").exit_code == 0
    if command == "fork":
        assert ds.open_run("runs/things-1").data.source == str(now)


def test_every_command_that_reads_the_data_of_a_run_is_tried():
    reading = {
        name
        for name in cli.list_commands(None)
        if any(one.name == "data" for one in cli.get_command(None, name).params)
    }
    assert reading | {"test"} == {*COMMANDS}


def test_images_and_arrays_move_as_well(tmp_path):
    draw = np.random.default_rng(1)
    for kind in ("along", "across"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = draw.integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / kind / f"{number}.png")
    np.savez(tmp_path / "arrays.npz", X=draw.normal(size=(40, 3)), y=np.arange(40) % 2)
    for name in ("images", "arrays.npz"):
        data = ds.load(str(tmp_path / name))
        layers = "flatten, dense 2" if name == "images" else "dense 2"
        ds.train(ds.parse_network(layers), data, options=PLAIN, epochs=1, batch_size="full",
                 folder=tmp_path / f"run-{name}")  # fmt: skip
        run = ds.open_run(tmp_path / f"run-{name}")
        now = (tmp_path / name).rename(tmp_path / f"moved-{name}")
        with pytest.raises(ds.DataError, match="is not at"):
            run.with_data()
        found = run.with_data(now)
        assert found.data.source == str(now)
        assert found.test() == found.measure(data.test)


def test_data_of_another_length_says_so(moved, tmp_path):
    folder, now = moved
    short = tmp_path / "short.csv"
    short.write_text("".join(now.read_text().splitlines(keepends=True)[:-9]))
    with pytest.raises(ds.DataError, match="it has 51 samples instead of 60"):
        ds.open_run(folder).with_data(short)
