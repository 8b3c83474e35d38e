"""All pictures of a run: which there are, for each task and for each ending."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import downslope as ds
import downslope.plots
from downslope.data import Scaling
from downslope.plots import draw_run, style
from downslope.plots import run as plots_run
from downslope.runs import outcome
from tests.plain import PLAIN

WIDTH = 9 * style.DPI


def crowd(count=6):
    """A tiny crowd: grey photos of 16 by 24 pixels, each white pixel a person."""
    draw = np.random.default_rng(0)
    heads = draw.random((count, 4, 6)) < 0.3
    inputs = np.where(heads.repeat(4, 1).repeat(4, 2), 255, 90).astype(np.uint8)
    inputs = np.repeat(inputs[..., None], 3, axis=3)
    samples = ds.Samples(inputs, heads[..., None].astype(np.float32))
    return ds.Dataset(
        "tiny", "counting", samples, samples, samples, Scaling.learn(inputs), generated=True
    )


def drawn(run, folder, png_size):
    paths = draw_run(run, folder)
    assert all(path.parent == folder for path in paths)
    assert all(png_size(path)[0] == WIDTH for path in paths)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)
    return [path.name for path in paths]


def test_classes_in_the_plane(moons_run, tmp_path, png_size):
    names = drawn(moons_run, tmp_path / "new" / "pictures", png_size)
    assert names == ["loss.png", "confusion.png", "mistakes.png"]


def test_people(tmp_path, png_size):
    network = ds.Network([ds.AveragePool2D(4), ds.Conv2D(1, 1)])
    run = ds.train(network, crowd(), options=PLAIN, learning_rate=0.01, batch_size=2, epochs=2)
    assert drawn(run, tmp_path, png_size) == ["loss.png", "crowd.png", "counts.png"]


def test_a_run_from_disk_is_drawn_as_the_run_itself(moons_run, tmp_path):
    opened = ds.open_run(moons_run.save(tmp_path / "run").folder)
    first = draw_run(moons_run, tmp_path / "first")
    for one, other in zip(first, draw_run(opened, tmp_path / "second"), strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("part", [[0], []])
def test_a_tiny_test_part_is_drawn(moons_run, tmp_path, part):
    data = moons_run.dataset
    run = replace(moons_run, dataset=replace(data, test=data.test.take(np.array(part, int))))
    assert len(draw_run(run, tmp_path)) == (3 if part else 1)


def test_numbers_of_one_input_after_a_training_that_diverged(tmp_path, png_size):
    network = ds.Network([ds.Dense(8, "relu"), ds.Dense(1)])
    run = ds.train(network, ds.load("waves"), options=PLAIN, learning_rate=5.0, epochs=5)
    assert run.outcome.reason == "non_finite"
    assert drawn(run, tmp_path, png_size) == ["loss.png", "predicted.png", "fit.png"]


def test_a_training_that_was_stopped_at_its_first_step_is_drawn(moons_run, make_trace, tmp_path):
    trace = make_trace("classification", [], [], batch_loss=[0.7])
    run = replace(moons_run, trace=trace, outcome=outcome.interrupted(1, 1))
    assert len(draw_run(run, tmp_path)) == 3


def test_data_that_is_gone_is_said_and_nothing_is_written(moons_run, tmp_path):
    gone = replace(moons_run, dataset=None, data=replace(moons_run.data, fingerprint="0" * 64))
    with pytest.raises(ds.DataError, match="has changed since the training"):
        draw_run(gone, tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()


def test_a_folder_that_is_a_file_is_said_plainly(moons_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ds.StorageError, match="cannot be written"):
        draw_run(moons_run, tmp_path / "file")


def test_what_is_exported_is_what_is_there():
    for name in downslope.plots.__all__:
        assert hasattr(downslope.plots, name)
    assert list(downslope.plots.__all__) == sorted(downslope.plots.__all__)


@pytest.mark.parametrize(
    ("columns", "target", "pictures"),
    [
        (["size"], "price", ["loss.png", "predicted.png", "fit.png"]),
        (["size", "age"], "kind", ["loss.png", "confusion.png", "mistakes.png"]),
    ],
)
def test_a_table_of_one_or_two_numbers_has_its_curve_or_plane(
    columns, target, pictures, tmp_path, png_size, monkeypatch
):
    """Their ranks, which are inputs as well, are not in the way."""
    draw = np.random.default_rng(3)
    size, age = draw.uniform(20, 200, 400), draw.uniform(0, 90, 400)
    table = pa.table(
        {"size": size, "age": age, "price": 3 * size, "kind": np.where(size > age, "a", "b")}
    )
    pq.write_table(table.select([*columns, target]), tmp_path / "t.parquet")
    data = ds.load(tmp_path / "t.parquet", target=target)
    run = ds.train(None, data, epochs=2, seed=1)
    assert run.data.encoding.ranked
    seen = []
    for one in ("fitted_curve", "decision_map"):
        ours = getattr(plots_run, one)
        monkeypatch.setattr(
            plots_run, one, lambda inputs, *rest, ours=ours, **kw: seen.append((inputs, rest))
            or ours(inputs, *rest, **kw),
        )  # fmt: skip
    assert drawn(run, tmp_path / "pictures", png_size) == pictures
    ((inputs, rest),) = seen
    answers = run.predict if len(columns) == 1 else run.probabilities
    np.testing.assert_array_equal(rest[1](inputs), answers(run.dataset.test.inputs))
