"""The Python door, in the snippets of its users."""

import subprocess
import sys

import numpy as np
import pytest

import downslope as ds
from downslope.runs.save import arrays_of

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(200, 4))
Y = np.where(X[:, 0] > X[:, 1], "above", "below")
SHORT = {"epochs": 2, "batch_size": 50}


def same(one: ds.Run, other: ds.Run) -> bool:
    pairs = zip(arrays_of(one).items(), arrays_of(other).items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.slow
def test_adam_without_a_rate_learns_digits():
    run = ds.train("dense 64 relu, dense 10", "digits", optimizer="adam", epochs=20)
    assert run.settings.learning_rate == 0.003
    assert run.test()["accuracy"] >= 0.97


def test_train_is_what_the_command_line_does(call, tmp_path):
    call("train", "moons", "--network", "dense 5 tanh, dense 2", "--epochs", 2, "--no-pictures",
         "--out", tmp_path / "run")  # fmt: skip
    run = ds.train("dense 5 tanh, dense 2", "moons", epochs=2)
    assert same(run, ds.open_run(tmp_path / "run"))
    assert run.settings == ds.open_run(tmp_path / "run").settings
    network = ds.Network([ds.Dense(5, "tanh"), ds.Dense(2)])
    assert same(run, ds.train(network, ds.load("moons"), epochs=2))


def test_what_is_loaded_is_checked_as_by_the_command_line():
    twice = np.concatenate([X, X]), np.concatenate([Y, Y])
    with pytest.warns(UserWarning, match="are copies of training rows"):
        run = ds.train("dense 2", twice, **SHORT)
    assert [one.kind for one in run.data.findings] == ["copies"]
    assert ds.train("dense 2", ds.load(twice), **SHORT).data.findings is None
    with pytest.warns(UserWarning, match="are copies of training rows") as said:
        ds.insight.minima("dense 2", twice, starts=2, **SHORT)
    assert said[0].filename == __file__


def test_a_recipe_is_a_value_that_can_be_changed():
    options = ds.recipe("moons")
    assert options.network == ds.parse_network("dense 32 tanh, dense 32 tanh, dense 2")
    assert (options.optimizer.name, options.learning_rate, options.epochs) == ("adam", 0.01, 150)
    run = ds.train(data="moons", options=options.replace(epochs=1))
    assert same(run, ds.train(data="moons", epochs=1))
    assert same(run, ds.train(data="moons", **vars(options.replace(epochs=1))))


def test_arrays_are_trained_on_saved_and_given_again(tmp_path):
    run = ds.train("dense 2", (X, Y), folder=tmp_path / "run", **SHORT)
    assert run.predict(X[:3]).shape == (3,)
    found = ds.open_run(tmp_path / "run")
    assert found.with_data((X, Y)).test() == run.test()
    with pytest.raises(ds.DataError) as caught:
        found.test()
    assert str(caught.value) == (
        "The data set arrays was given from memory, and a run keeps no samples. Expected the data "
        "that it was trained on. Give it in Python: run.with_data((X, y)), resume(folder, "
        "data=(X, y))."
    )
    for other, what in (((X + 1, Y), "other values"), ((X[:99], Y[:99]), "99 samples instead")):
        with pytest.raises(ds.DataError, match=f"What was given is not the data .* {what}"):
            found.with_data(other)
    longer = ds.resume(tmp_path / "run", epochs=3, data=(X, Y))
    assert longer.epochs == 3
    assert same(longer, ds.resume(tmp_path / "run", epochs=4, data=ds.load((X, Y)))) is False


def test_parts_given_apart_are_asked_for_again(tmp_path):
    data = ds.Dataset.from_arrays(X, Y, test=(X[:50], Y[:50]))
    run = ds.train("dense 2", data, **SHORT).save(tmp_path / "run")
    found = ds.open_run(run.folder)
    with pytest.raises(ds.DataError, match=r"Give Dataset.from_arrays\(X, y, test=\(X, y\)\)"):
        found.with_data((X, Y))
    assert found.with_data(data).test() == run.test()
    divided = ds.Dataset.from_arrays(X, Y, validation=0.3, class_names=["below", "above"])
    ds.train("dense 2", divided, **SHORT).save(tmp_path / "divided")
    assert ds.open_run(tmp_path / "divided").with_data((X, Y)).dataset.sizes == divided.sizes


@pytest.mark.peers
def test_a_frame_with_texts_is_trained_on_and_predicted(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"size": X[:, 0], "colour": ["red", "blue"] * 100})
    run = ds.train(None, (frame, Y), **SHORT).save(tmp_path / "run")
    assert run.predict(frame[:3]).shape == (3,)
    assert ds.open_run(tmp_path / "run").with_data((frame, Y)).test() == run.test()


def test_all_that_trains_takes_what_train_takes():
    assert len(ds.train_side_by_side("dense 2", (X, Y), seeds=[0, 1], **SHORT)) == 2
    assert len(ds.insight.minima("dense 2", (X, Y), starts=2, **SHORT)) == 2


def test_mistakes_have_one_message():
    for call, said in (
        (lambda: ds.train("dense 2"), "There is no data to train on."),
        (lambda: ds.train((X, Y), "dense 2"), "The network is of type tuple."),
        (lambda: ds.train("dense 2", X), "The source is of type ndarray."),
        (lambda: ds.train("dense 3", (X, Y)), "end with dense 2."),
        (lambda: ds.train("dense 2", (X, Y), learning_rate="auto"), 'The learning rate is "auto"'),
        (lambda: ds.insight.minima("dense 2", (X, Y), epoch=3), "There is no setting called"),
    ):
        with pytest.raises(ds.DownslopeError, match=said.replace("(", r"\(")):
            call()


def test_python_m_downslope_is_the_command_line():
    words = [sys.executable, "-m", "downslope", "--help"]
    prediction = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "train" in prediction.stdout
