"""Data that is given to a network as it is: recorded with the run, and so in all that follows."""

import numpy as np
import pytest

import downslope as ds

OWN = {"optimizer": "sgd", "learning_rate": 1e-4, "schedule": "constant", "epochs": 2}


@pytest.fixture
def arrays():
    inputs = np.random.default_rng(0).uniform(10, 30, (120, 2))
    return inputs, inputs @ np.array([2.0, -1.0]) + 5


def test_inputs_and_targets_reach_the_network_as_they_are(arrays):
    data = ds.load(arrays, scaling="none")
    assert not data.is_scaled
    run = ds.train("dense 1", data, batch_size="full", **{**OWN, "epochs": 1})
    assert run.target_scaling is None
    first = ds.replay(run).state(0).parameters[0]
    weights, biases = (np.asarray(first[name], np.float64) for name in ("weights", "biases"))
    missed = data.train.inputs @ weights + biases - data.train.targets
    step = 2 * data.train.inputs.T @ missed / len(missed)  # by hand
    np.testing.assert_allclose(run.parameters[0]["weights"], weights - 1e-4 * step, rtol=1e-5)
    np.testing.assert_allclose(run.trace.batch_loss[0], (missed**2).mean(), rtol=1e-5)


def test_the_folder_keeps_it(arrays, tmp_path):
    run = ds.train("dense 1", ds.load(arrays, scaling="none"), folder=tmp_path / "run", **OWN)
    opened = ds.open_run(tmp_path / "run").with_data(arrays)
    assert not opened.dataset.is_scaled
    np.testing.assert_array_equal(opened.predict(arrays[0]), run.predict(arrays[0]))
    replayed = ds.replay(opened).state(opened.outcome.step).parameters[0]["weights"]
    np.testing.assert_array_equal(replayed, run.parameters[0]["weights"])
    longer = ds.resume(tmp_path / "run", epochs=4, data=arrays)
    at_once = ds.train("dense 1", ds.load(arrays, scaling="none"), **{**OWN, "epochs": 4})
    np.testing.assert_array_equal(longer.parameters[0]["weights"], at_once.parameters[0]["weights"])


def test_a_start_brings_its_scaling_along(arrays, tmp_path):
    run = ds.train("dense 1", ds.load(arrays, scaling="none"), **OWN)
    more = ds.train("dense 1", ds.load(arrays), start=run, seed=1, **OWN)
    assert more.target_scaling is None
    assert ds.open_run(more.save(tmp_path / "more").folder).data.options["scaling"] == "none"


def test_scaled_again_it_is_what_it_was(arrays):
    data, back = ds.load(arrays), ds.load(arrays, scaling="none").standardized()
    np.testing.assert_array_equal(back.scaling.mean, data.scaling.mean)
    np.testing.assert_array_equal(back.scaling.std, data.scaling.std)
    assert back.options == data.options
    with pytest.raises(ds.SettingError, match="The scaling is 'minmax'"):
        ds.load(arrays, scaling="minmax")
