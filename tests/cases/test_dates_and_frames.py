"""Dates, times and frames on which Downslope once did wrong, read as they are meant."""

import datetime as dt

import numpy as np
import pytest
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli
from downslope.data.load import read
from downslope.data.readers.table_file import read_table
from downslope.data.tables.dates import as_seconds
from downslope.data.tables.table import UnsplitTable
from tests.cases.conftest import FOLDER
from tests.exporting.drawn import load_source
from tests.plain import PLAIN


def table(path, target, **said) -> UnsplitTable:
    found = read(path, target=target, **said)
    assert isinstance(found, UnsplitTable)
    return found


def column(unsplit, name):
    return next(one for one in unsplit.columns if one.name == name)


def test_two_and_four_digits_are_the_same_dates(cases):
    folder = cases / "tables"
    unsplit = table(folder / "year2_train.csv", "y")
    assert column(unsplit, "when").form == "%m/%d/%y"
    encoding = unsplit.split(0).encoding
    assert encoding is not None
    short = encoding.encode(read_table(folder / "year2_new_short.csv"))
    long = encoding.encode(read_table(folder / "year2_new_long.csv"))
    np.testing.assert_array_equal(short, long)


def test_99_comes_before_05(cases):
    dataset = ds.load(cases / "tables" / "year2_century.csv", target="y", time="when")
    assert dataset.rows is not None
    texts = dataset.rows.table.column("when").to_pylist()

    def last_digits(part):
        return {int(texts[row][-2:]) for row in part}

    train, test = last_digits(dataset.rows.parts.train), last_digits(dataset.rows.parts.test)
    assert max(train) >= 96  # before 2000
    assert max(test) < 50 and min(test) >= max(year for year in train if year < 50)


@pytest.mark.parametrize(
    ("name", "form", "first"),
    [
        ("date_2digit.csv", "%m/%d/%y", (2024, 1, 1)),
        ("date_dash_hm.csv", "%d-%m-%Y %H:%M", (2024, 1, 1)),
        ("date_dd_Mon_yyyy.csv", "%d-%b-%Y", (2024, 1, 1)),
        ("date_slash_ymdhms.csv", "%Y/%m/%d %H:%M:%S", (2024, 1, 1)),
        ("vega_stocks.csv", "%b %d %Y", (2000, 1, 1)),
        ("time_only.csv", "%H:%M", (1970, 1, 1)),
        ("time_hms.csv", "%H:%M:%S", (1970, 1, 1)),
    ],
)
def test_forms_of_dates(cases, name, form, first):
    target = "price" if name == "vega_stocks.csv" else "y"
    unsplit = table(cases / "tables" / name, target)
    when = column(unsplit, "date" if target == "price" else "when")
    assert when.kind == "date"
    assert when.form.startswith(form)
    seconds = as_seconds(unsplit.table.column(when.name), when.form)
    assert seconds[0] == dt.datetime(*first, tzinfo=dt.UTC).timestamp()


def test_dates_are_dates_though_the_first_thousand_are_missing(cases):
    unsplit = table(cases / "tables" / "date_late.csv", "y")
    when = column(unsplit, "when")
    assert (when.kind, when.missing) == ("date", 1100)


def test_a_stored_index_is_no_input(cases):
    unsplit = table(cases / "tables" / "index_leak.parquet", "y")
    index = [one for one in unsplit.columns if one.note == "the index of a pandas frame"]
    assert [one.kind for one in index] == ["ignored"]
    dataset = unsplit.split(0)
    assert dataset.encoding is not None
    assert index[0].name not in {one.name for one in dataset.encoding.columns}


@pytest.mark.parametrize("name", ["categorical.parquet", "polars_text.parquet"])
def test_frames_in_files_are_read(cases, name):
    content = read_table(cases / "tables" / name)
    for target in content.column_names:
        dataset = ds.load(cases / "tables" / name, target=target)
        assert dataset.encoding is not None
        assert len(dataset.encoding.columns) == len(content.column_names) - 1


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A run on `onnx_names.csv`, whose columns are called as outputs are; and that table."""
    if not FOLDER.is_dir():
        pytest.skip("shared/cases is not beside this checkout")
    path = FOLDER / "tables" / "onnx_names.csv"
    dataset = ds.load(path, target="target")
    assert dataset.encoding is not None
    embedded = [ds.Embedding(one.indices, one.numbers) for one in dataset.encoding.embedded]
    network = ds.Network([*embedded[::-1], ds.Dense(8, "tanh"), ds.Dense(2)])
    run = ds.train(network, dataset, options=PLAIN, epochs=1)
    return run.save(tmp_path_factory.mktemp("named") / "run"), path


@pytest.mark.filterwarnings("ignore")  # of values that no training had, and the libraries' own
@pytest.mark.parametrize(
    "kind", ["numpy", *(pytest.param(one, marks=pytest.mark.peers) for one in ("torch", "keras"))]
)
def test_exported_files_read_their_own_training_table(kind, named, tmp_path, monkeypatch):
    if kind != "numpy":
        pytest.importorskip("torch")
    if kind == "keras":
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        pytest.importorskip("keras")
    run, path = named
    made = load_source(ds.export(run, tmp_path / "made.py", to=kind)[0])
    table = made.read_csv(path, made.COLUMNS)
    ours = run.probabilities(read_table(path))
    assert np.abs(made.probabilities(table) - ours).max() <= 1e-5
    chosen = [run.data.class_names[index] for index in run.predict(read_table(path))]
    assert made.predict(table) == chosen


@pytest.mark.peers
def test_outputs_are_called_as_the_message_says(named, tmp_path):
    onnx = pytest.importorskip("onnx")
    run, _ = named
    words = ["export", str(run.folder), "--to", "onnx", "--out", str(tmp_path / "a.onnx")]
    told = CliRunner().invoke(cli, words)
    model = onnx.load(tmp_path / "a.onnx")
    names = [one.name for one in model.graph.output]
    assert names == ["prediction 2", "probabilities 2"]
    says = "Out come prediction 2 (the class's name), probabilities 2 (one per class)"
    assert says in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("name", "target", "inputs", "rows", "note"),
    [
        ("numeric_header.csv", "y", ("400", "401", "402"), 300, ""),
        ("header_again.csv", "y", ("a", "b", "c"), 300, "1 line repeats the names"),
        ("sep_line.csv", "y", ("x", "z"), 120, ""),
        ("preamble.csv", "y", ("x", "z"), 120, "The first 2 lines ('# station 12', ...)"),
        ("r_rownames.csv", "y", ("x", "z"), 120, "the first column holds names of rows"),
        ("whitespace.data", "column 3", ("column 1", "column 2"), 120, ""),
        ("spaces_lines.csv", "y", ("x", "z"), 120, ""),
        ("square.csv", "y", ("x",), 200, ""),
    ],
)
def test_layouts_of_text_files(cases, name, target, inputs, rows, note):
    unsplit = table(cases / "tables" / name, target)
    assert unsplit.table.num_rows == rows
    dataset = unsplit.split(0)
    assert dataset.input_names == inputs
    assert note in " ".join(dataset.notes)
    assert bool(note) == bool(dataset.notes)


def test_row_numbers_are_seen_before_rows_are_left_out(cases):
    unsplit = table(cases / "tables" / "airquality.csv", "Ozone")
    assert column(unsplit, "rownames").note == "it numbers the rows"
    assert unsplit.table.num_rows == 116


def test_whole_numbers_with_few_rows_each_are_numbers(cases):
    unsplit = table(cases / "tables" / "women.csv", "weight")
    assert unsplit.task == "regression"
    assert "say --task classification" in unsplit.notes[0]
