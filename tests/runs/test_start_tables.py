"""A training that goes on with other data sees it as the weights that it takes over know theirs."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import downslope as ds

NETWORK = "piecewise 4, dense 8 tanh, dense {}"
STILL = {"epochs": 1, "learning_rate": 1e-12}  # the weights stay as they are


def table(rows=90, seed=0, shift=0.0, cities=("Bern", "Oslo", "Rome"), gaps=False):
    rng = np.random.default_rng(seed)
    income, age = rng.lognormal(0, 1, rows) + shift, rng.normal(40, 10, rows)
    city = rng.choice(cities, rows)
    return pa.table(
        {
            "income": income,
            "age": pa.array([None if gaps and one > 45 else one for one in age]),
            "city": city,
            "price": 100 + 3 * income - age + 5 * (city == "Oslo"),
            "rent": 1000 * income,
        }
    )


def load(rows, target="price"):
    types = {"price": "ignored", "rent": "ignored", target: "number"}
    return ds.load(rows, target=target, column_types=types)


@pytest.fixture(scope="module")
def earlier():
    return ds.train(NETWORK.format(1), load(table()), members=2, epochs=3)


AS_MANY_CITIES = table(seed=4, cities=("Bern", "Oslo", "Wien"))
OTHERS = {
    "other quantiles": table(seed=1, shift=2.0),
    "other order": AS_MANY_CITIES.select(["city", "age", "price", "income", "rent"]),
    "more cities, gaps": table(seed=3, cities=("Bern", "Lima", "Oslo", "Rome"), gaps=True),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.filterwarnings("ignore:The column 'city' has")
def test_weights_keep_the_columns_that_they_were_learnt_with(earlier, name):
    asked = OTHERS[name]
    run = ds.train(None, load(asked), start=earlier, **STILL)
    assert run.data.encoding.columns == earlier.data.encoding.columns
    np.testing.assert_allclose(run.predict(asked), earlier.predict(asked), rtol=1e-6)
    rows = run.dataset.rows
    own = earlier.predict(rows.table.take(rows.parts.test))
    np.testing.assert_allclose(run.predict(run.dataset.test.inputs), own, rtol=1e-6)


def test_values_and_columns_without_weights_are_told(earlier):
    other = AS_MANY_CITIES.append_column("garden", pa.array(np.arange(90) % 7 + 0.5))
    with (
        pytest.warns(UserWarning, match="no weights of their own, .* such as 'Wien'"),
        pytest.warns(UserWarning, match="The column 'garden' of table cannot be used"),
    ):
        ds.train(None, load(other), start=earlier, **STILL)


@pytest.mark.filterwarnings("ignore:The column 'city' has")
def test_such_a_run_is_opened_replayed_resumed_and_measured(earlier, tmp_path):
    file = tmp_path / "other.csv"
    pyarrow.csv.write_csv(AS_MANY_CITIES, file)
    run = ds.train(None, load(file), start=earlier, epochs=2, folder=tmp_path / "run")
    expected = run.measure(run.dataset.validation)
    opened = ds.open_run(tmp_path / "run").with_data()
    assert opened.measure(opened.dataset.validation) == expected
    kept = opened.outcome.kept_step
    again = ds.replay(opened).parameters(kept)[-2]["weights"]
    np.testing.assert_array_equal(again, run.parameters[-2]["weights"])
    assert ds.resume(tmp_path / "run", epochs=3, data=load(file)).epochs == 3
    assert opened.with_data(load(file)).dataset.fingerprint == run.data.fingerprint
    with pytest.raises(ds.DataError, match="is not the data that the run was trained on"):
        opened.with_data(load(table(seed=9)))
    with pytest.raises(ds.DataError, match="is not the data that the run was trained on"):
        opened.with_data(load(table().drop_columns(["age"])))


def test_columns_that_the_weights_need_are_asked_for(earlier):
    with pytest.raises(ds.DataError, match="The table has no column 'age'"):
        ds.train(None, load(table().drop_columns(["age"])), start=earlier, **STILL)
    with pytest.raises(ds.DataError) as caught:
        ds.train(None, load(table(), "age"), start=earlier, **STILL)
    assert str(caught.value) == (
        "The column 'age' of table is to be learnt, and it was an input where the columns were "
        "encoded before. Expected a target that was no input before. Choose another target, or "
        "begin without what was learnt before."
    )


def test_another_number_is_learnt_in_its_own_scale_by_a_new_last_layer(earlier):
    run = ds.train(None, load(table(), "rent"), start=earlier, **STILL)
    assert run.network == earlier.network
    for mine, yours in zip(run.parameters[:-2], earlier.parameters[:-2], strict=True):
        for name, values in mine.items():
            np.testing.assert_allclose(values, yours[name], atol=1e-6)
    assert not np.allclose(run.parameters[-2]["weights"], earlier.parameters[-2]["weights"])
    assert run.target_scaling.mean == pytest.approx(run.dataset.train.targets.mean())


def test_classes_after_numbers_get_as_many_outputs_of_each_member(earlier):
    rows = table()
    named = rows.append_column("side", pa.array(np.where(rows["price"].to_numpy() > 62, "a", "b")))
    data = ds.load(named, target="side", column_types={"price": "ignored", "rent": "ignored"})
    run = ds.train(None, data, start=earlier, **STILL)
    assert run.network.layers[-2].units == 2
    assert run.network.layers[-1].of == "classes"
    np.testing.assert_allclose(run.probabilities(named).sum(1), 1, rtol=1e-5)


def test_labels_by_their_loss_go_on_with_all_weights():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3)).astype(np.float32)
    labels = (inputs[:, :2] > 0).astype(np.float32)
    data = ds.Dataset.from_arrays(inputs, labels, task="regression")
    first = ds.train("dense 2", data, loss="binary_cross_entropy", epochs=3)
    second = ds.train(None, data, start=first, **STILL)
    assert second.loss == first.loss
    np.testing.assert_allclose(second.outputs(inputs), first.outputs(inputs), rtol=1e-5)


IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 1)).astype(np.uint8)
CLASSES = np.arange(40) % 2


def test_pixels_keep_the_brightness_that_the_weights_know():
    bytes_ = ds.Dataset.from_arrays(IMAGES, CLASSES)
    floats = ds.Dataset.from_arrays((IMAGES / 255).astype(np.float32), CLASSES)
    first = ds.train("flatten, dense 2", bytes_, epochs=2)
    second = ds.train(None, floats, start=first, **STILL)
    expected = first.outputs(bytes_.test.inputs)
    np.testing.assert_allclose(second.outputs(floats.test.inputs), expected, rtol=1e-4, atol=1e-5)
    unknown = ds.Dataset.from_arrays(IMAGES.astype(np.float32) - 128, CLASSES)
    with pytest.raises(ds.DataError, match="reach from black to white otherwise"):
        ds.train(None, unknown, start=first, **STILL)
    deep = dataclasses.replace(bytes_, ranges={"whole": (0.0, 4095.0)})
    first = ds.train("flatten, dense 2", deep, epochs=1)
    deeper = dataclasses.replace(deep, ranges={"whole": (0.0, 65535.0)})
    with pytest.raises(ds.DataError, match="reach from black to white otherwise"):
        ds.train(None, deeper, start=first, **STILL)


def test_named_inputs_in_another_order_are_refused():
    values = np.random.default_rng(0).normal(size=(40, 2))
    first = ds.Dataset.from_arrays(values, CLASSES, names=["a", "b"])
    other = ds.Dataset.from_arrays(values, CLASSES, names=["b", "a"])
    with pytest.raises(ds.DataError, match="The inputs of arrays are b, a"):
        ds.train(None, other, start=ds.train("dense 2", first, epochs=1), **STILL)
