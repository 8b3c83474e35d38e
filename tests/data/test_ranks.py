"""Tables whose numbers enter as ranks among their quantiles as well."""

import numpy as np
import pytest

import downslope as ds


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["income,city,owner,children,price"]
    for _ in range(300):
        income = "" if rng.random() < 0.1 else f"{rng.lognormal(10, 2):.2f}"
        city, owner = rng.choice(["Rome", "Oslo"]), rng.choice(["yes", "no"])
        rows.append(f"{income},{city},{owner},{rng.integers(0, 4)},{rng.normal(100, 20):.1f}")
    file = tmp_path / "houses.csv"
    file.write_text("\n".join(rows))
    return file


def test_ranks_come_from_the_training_part_and_lie_evenly_in_it(table):
    data = ds.load(table, target="price").with_ranks(8)
    assert data.input_names[:2] == ("income (rank)", "children (rank)")
    income = data.train.inputs[:, data.input_names.index("income")]
    ranks = data.train.inputs[:, 0]
    counts = np.bincount(np.minimum(ranks.astype(int), 7))
    assert len(counts) == 8
    assert counts.min() > len(income) / 8 / 2
    assert (np.argsort(ranks, kind="stable") == np.argsort(income, kind="stable")).all()
    assert data.encoding.columns[0].quantiles[0] == income.min()
    assert data.test.inputs[:, 0].min() >= 0


def test_a_number_of_few_values_has_as_many_quantiles(table):
    data = ds.load(table, target="price").with_ranks(8)
    code = next(one for one in data.encoding.columns if one.name == "children")
    assert code.quantiles == (0, 1, 2, 3)


def test_columns_of_0_and_1_and_ranks_stay_as_they_are(table):
    data = ds.load(table, target="price")
    ranked = data.with_ranks(8)
    scaled = dict(zip(ranked.input_names, ranked.scaling.apply(ranked.train.inputs).T, strict=True))
    assert {*scaled["city = Rome"].tolist()} == {*scaled["income is missing"].tolist()} == {0, 1}
    assert scaled["income"].std() == pytest.approx(1, abs=1e-5)
    assert scaled["children (rank)"].max() == 3
    plain = dict(zip(data.input_names, data.scaling.apply(data.train.inputs).T, strict=True))
    assert plain["city = Rome"].std() == pytest.approx(1, abs=1e-5)


def test_the_fingerprint_is_of_the_data_and_ranks_can_be_taken_off(table):
    data = ds.load(table, target="price")
    ranked = data.with_ranks(8)
    assert ranked.fingerprint == data.fingerprint
    back = ranked.with_ranks(0)
    assert back.input_names == data.input_names
    np.testing.assert_array_equal(back.train.inputs, data.train.inputs)
    np.testing.assert_array_equal(back.scaling.mean, data.scaling.mean)
    assert ranked.with_ranks(8) is ranked


def test_a_run_remembers_its_quantiles(table, tmp_path):
    options = ds.TrainOptions("piecewise 6, dense 8 relu, dense 1", epochs=2)
    run = ds.train(None, ds.load(table, target="price"), options=options, folder=tmp_path / "run")
    assert run.network == ds.parse_network("piecewise 6 2, dense 8 relu, dense 1")
    again = ds.open_run(tmp_path / "run").with_data()
    np.testing.assert_array_equal(again.dataset.test.inputs, run.dataset.test.inputs)
    with pytest.raises(ds.NetworkError, match="as many ranks as a table has"):
        ds.train("piecewise 4, dense 2", "moons", epochs=1)
    with pytest.raises(ds.NetworkError, match="Write piecewise 6"):
        ds.train("piecewise 6 5, dense 1", ds.load(table, target="price"), epochs=1)


@pytest.mark.peers
def test_wide_tables_have_fewer_bins():
    from downslope.runs.recipe import MOST_SPREAD, flat_recipe

    rng = np.random.default_rng(0)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rng.normal(size=(40, 700)), columns=[f"x{at}" for at in range(700)])
    frame["y"] = rng.normal(size=40)
    recipe = flat_recipe(ds.load(frame, target="y"))
    assert 1 < recipe.bins == MOST_SPREAD // 700


def test_few_rows_have_fewer_bins(tmp_path):
    from downslope.runs.recipe import BINS, FEW_BINS, FEW_FOR_BINS, flat_recipe

    draw = np.random.default_rng(0).normal(size=(FEW_FOR_BINS * 10 // 7, 2))
    for rows, bins in ((len(draw) - 2, FEW_BINS), (len(draw), BINS)):
        file = tmp_path / f"{rows}.csv"
        file.write_text("\n".join(["x,y", *(f"{x:.4f},{y:.4f}" for x, y in draw[:rows])]))
        assert flat_recipe(ds.load(file, target="y")).bins == bins
