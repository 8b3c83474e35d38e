"""The article's own case: an image in, one number out, square error; in every output."""

import json

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from tests.plain import PLAIN


@pytest.fixture
def black_photos(tmp_path):
    """Photos that say nothing, of crowds of 500 and 200: whoever guesses says 350."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rows = ["photo,people"]
    for index in range(40):
        Image.new("RGB", (8, 6)).save(folder / f"{index}.png")
        rows.append(f"photos/{index}.png,{500 if index % 2 else 200}")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "list.csv"


def test_truth_500_guessed_350_is_22500_in_every_output(call, black_photos):
    words = (
        "--target",
        "people",
        "--task",
        "regression",
        "--network",
        "flatten, dense 1",
        "--epochs",
        "1",
    )
    trained = call("train", str(black_photos), *words, "--optimizer", "sgd", "--batch-size", "full",
                   "--schedule", "constant", "--json", "--no-pictures", "--out", "run")  # fmt: skip
    found = json.loads(trained.stdout)
    folder = "run"
    assert found["test"]["loss"] == pytest.approx(22500, rel=0.1)
    asked = ("trace", folder, "--step", "1")
    run = ds.open_run(folder).with_data()
    train = run.dataset.train.targets[:, 0]
    sample = str(int(np.flatnonzero(train == 500)[0]))
    plain = json.loads(call(*asked, "--sample", sample, "--json").stdout)
    mean = train.mean()
    assert plain["truth"] == [500]
    assert plain["prediction"] == [pytest.approx(mean)]
    if mean == 350:
        assert plain["batch_loss"] == pytest.approx(22500)
    assert plain["errors"] == [pytest.approx(mean - 500)]
    assert plain["prediction_gradients"] == [pytest.approx(2 * (mean - 500))]
    assert plain["way"]["loss"] * plain["loss_unit"] == pytest.approx((mean - 500) ** 2)


def test_the_figures_of_figure_3_in_a_trace():
    def part():
        return ds.Samples(np.zeros((8, 6, 8, 3), np.uint8), np.array([[500.0], [200.0]] * 4))

    train = part()
    data = ds.Dataset("black", "regression", train, part(), part(),
                      ds.Scaling.learn(train.inputs, "channel"))  # fmt: skip
    run = ds.train(ds.parse_network("flatten, dense 1"), data, options=PLAIN,
                   batch_size="full", epochs=1, learning_rate=0.1)  # fmt: skip
    traced = ds.insight.trace_step(run, 1, 0)
    assert (traced.prediction[0], traced.truth[0], traced.errors[0]) == (350, 500, -150)
    assert traced.prediction_gradients[0] == pytest.approx(-300)
    assert traced.way.loss * traced.loss_unit == pytest.approx(22500)
    assert traced.batch_loss == pytest.approx(22500)
    assert run.measure(data.test)["loss"] == pytest.approx(22500)
    told = str(traced)
    for line in (
        "The target: 500.",
        "It predicts 350.",
        "The prediction is 150 too low: 350 instead of 500.",
        "The square of this error, the squared error, is the loss: 22,500.",
        "L = (y − t)², y the prediction and t the target.",
        "Slope of the loss in the prediction: dL/dy = 2 (y − t) = 2 (350 − 500) = −300. It falls "
        "300 times as fast as the prediction grows: a larger prediction lowers it.",
        "The loss of the whole batch, as recorded: 22,500 in the units of the target.",
    ):
        assert line in told, line


def test_a_network_that_ends_with_one_number_learns_counts(call, crowd_folder, tmp_path):
    words = ("--network", "average_pool 4, flatten, dense 1", "--epochs", "1", "--no-pictures")
    folder = str(tmp_path / "run")
    assert call("train", str(crowd_folder), *words, "--out", folder).exit_code == 0
    run = ds.open_run(folder)
    assert (run.data.task, run.data.options["task"]) == ("regression", "regression")
    maps = ds.load(str(crowd_folder))
    counts = ds.load(str(crowd_folder), task="regression")
    assert counts.fingerprint == run.data.fingerprint == run.with_data().dataset.fingerprint
    for one, other in ((maps.train, counts.train), (maps.test, counts.test)):
        np.testing.assert_array_equal(one.inputs, other.inputs)  # the same parts
        np.testing.assert_array_equal(np.rint(one.counts)[:, None], other.targets)
    # predict and count read a photo as the training did
    photo = sorted((crowd_folder / "images").iterdir())[0]
    samples = [
        ds.Samples.__len__(getattr(counts, part)) for part in ("train", "validation", "test")
    ]
    assert sum(samples) == len(list((crowd_folder / "images").iterdir()))
    counted = json.loads(call("count", folder, str(photo), "--json").stdout)["photos"][0]["count"]
    predicted = json.loads(call("predict", folder, str(photo), "--json").stdout)
    assert predicted["predictions"][0]["count"] == pytest.approx(counted)
    tested = call("test", folder, "--data", str(crowd_folder), "--json")
    assert tested.exit_code == 0, tested.output


def test_a_photo_that_is_too_large_is_refused(call, refused, crowd_folder, tmp_path):
    words = ("--network", "average_pool 4, flatten, dense 1", "--epochs", "1", "--no-pictures")
    folder = str(tmp_path / "run")
    assert call("train", str(crowd_folder), *words, "--out", folder).exit_code == 0
    tall = tmp_path / "tall.png"
    Image.new("RGB", (8, 4000)).save(tall)
    assert "the largest of the photos that the run was trained on" in refused(
        "count", folder, str(tall)
    )


def test_crowd_counts_is_built_in():
    from downslope.data.builtin import BUILT_IN

    assert BUILT_IN["crowd-counts"].task == "regression"


def test_a_crowd_network_without_cells_or_a_single_number_is_told_both_ways(refused, crowd_folder):
    said = refused("train", str(crowd_folder), "--network", "average_pool 4, flatten, dense 2")
    assert "--task regression" in said and "conv 1 1" in said
