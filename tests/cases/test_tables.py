"""Tables that once went wrong: what a column is, is decided once; no row and no word is lost."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli
from downslope.data.load import read
from downslope.data.readers.table_file import read_table, read_table_text
from downslope.data.tables.column_types import decide
from downslope.errors import DataError


def learnt(path, target="y", **options):
    data = ds.load(path, target=target, **options)
    assert data.encoding is not None
    return data


def predicted(cases, name, new, target="y"):
    """What the run of one file sees of the rows of another one, and what it says of them."""
    notes = []
    encoding = learnt(cases / "tables" / name, target).encoding
    table = read_table(cases / "tables" / new)
    alone = [encoding.encode(table.slice(row, 1)) for row in range(table.num_rows)]
    together = encoding.encode(table, notes)
    np.testing.assert_array_equal(np.concatenate(alone), together)
    return encoding.input_names, together, notes


def test_a_code_is_a_text_in_both_files(cases):
    names, rows, notes = predicted(cases, "codes_train.csv", "codes_new.csv")
    seen = [names[row.argmax()] for row in rows[:, :-1]]
    assert seen[:2] == ["code = 01234", "code = 04567"]
    assert not notes


def test_a_category_of_true_false_and_unknown_stays_one(cases):
    names, rows, _ = predicted(cases, "true_unknown_train.csv", "true_unknown_new.csv")
    assert [names[row.argmax()] for row in rows] == [
        "insured = TRUE",
        "insured = FALSE",
        "insured = TRUE",
    ]


def test_true_means_yes(cases):
    _, rows, _ = predicted(cases, "yesno_train.csv", "yesno_new_true.csv")
    np.testing.assert_array_equal(rows[:, 0], [1, 0, 1, 0])


def test_two_is_neither_yes_nor_no(cases):
    encoding = learnt(cases / "tables" / "one_train.csv").encoding
    with pytest.raises(DataError, match=r"'smoker' has '2' in row 3(?s:.)*--column smoker=number"):
        encoding.encode(read_table(cases / "tables" / "one_new_two.csv"))


def test_an_empty_line_of_a_single_column_is_a_row(cases):
    _, rows, _ = predicted(cases, "one_input_train.csv", "one_input_new.csv")
    assert len(rows) == 4
    np.testing.assert_array_equal(rows[[0, 2, 3], 0], [1, -1, 2])


def test_thousands_or_decimals_is_asked(cases):
    path = cases / "tables" / "thousands.tsv"
    with pytest.raises(DataError) as caught:
        ds.load(path, target="price")
    assert "'area' has '2,436' in row 1, which can be 2436 or 2.436" in str(caught.value)
    data = ds.load(path, target="price", column_types={"area": "decimal-point"})
    areas = data.rows.table.column("area").to_numpy()
    assert areas[0] == 2436 and areas.min() > 100


def test_money_is_a_number(cases):
    data = ds.load(cases / "tables" / "currency.csv", target="price")
    assert data.task == "regression"
    assert data.train.targets.min() > 10_000
    areas = data.rows.table.column("area").to_numpy()  # the money says what a comma is
    assert areas[0] == 2436


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,2024-01-01,NA", "NA,,3"], {"with no y": 1, "with no t": 1}),
        (["1,,?", ",2024-01-01,4"], {"with no y": 1}),
        (["1,2024-05-01,5"], {}),
    ],
)
def test_rows_read_are_those_used_and_left_out(rows, said, tmp_path):
    rows = [f"{i}.5,2024-02-{i % 28 + 1:02},{i % 9}.5" for i in range(60)] + rows
    data = ds.load(written(tmp_path, "x,t,y", rows), target="y", time="t")
    assert data.rows.read == len(rows)
    assert data.rows.used == sum(data.sizes.values())
    assert data.rows.left_out == said
    assert data.rows.read == data.rows.used + sum(said.values())


def test_lines_that_repeat_the_names_are_counted(tmp_path):
    rows = [f"{i}.5,{i % 9}.5" for i in range(60)]
    rows = [*rows[:20], "x,y", *rows[20:], "x,y", "7,NA"]
    data = learnt(written(tmp_path, "x,y", rows))
    assert data.rows.left_out == {"that repeat the names of the columns": 2, "with no y": 1}
    assert (data.rows.read, data.rows.used) == (63, 60)


def test_what_a_strangers_file_says_of_rows_left_out_is_not_believed(tmp_path):
    marks = {"downslope.left_out": "garbage", "downslope.notes": "{", "other": "kept"}
    table = pa.table({"x": np.arange(60) / 3, "y": np.arange(60) % 9 / 2})
    pyarrow.parquet.write_table(table.replace_schema_metadata(marks), tmp_path / "a.parquet")
    data = ds.load(tmp_path / "a.parquet", target="y")
    assert data.notes == () and data.rows.read == 60


def test_a_late_decimal_comma(cases):
    data = learnt(cases / "tables" / "late_decimal_comma.csv")
    columns = {one.name: one for one in data.columns}
    assert columns["x"].kind == "number" and columns["x"].form == "1234,5"
    assert -2.89 in data.rows.table.column("x").to_pylist()


def test_quotation_marks_that_swallow_rows(cases):
    with pytest.raises(DataError) as caught:
        ds.load(cases / "tables" / "unbalanced_two.csv", target="y")
    assert "A quotation mark in line 11 of " in str(caught.value)
    assert "lines to line 21" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "target", "rows"),
    [
        ("class_none.csv", "disorder", 300),
        ("vega_birdstrikes.csv", "Effect Amount of damage", 9999),
    ],
)
def test_none_is_a_class(name, target, rows, cases):
    data = ds.load(cases / "tables" / name, target=target)
    assert "None" in data.class_names
    assert sum(data.sizes.values()) >= rows


@pytest.mark.parametrize(("name", "cell"), [("excel_na.csv", "#N/A"), ("below_limit.csv", "<0.1")])
def test_an_odd_cell_is_told_and_missing(name, cell, cases):
    data = learnt(cases / "tables" / name)
    assert {one.name: one.kind for one in data.columns}["x"] == "number"
    assert (
        f"The column 'x' has '{cell}' in row 51, which is no number: it is taken as missing."
        in (data.notes)
    )
    assert sum(data.sizes.values()) == 300


def test_an_odd_cell_of_the_target_is_asked(cases):
    with pytest.raises(
        DataError, match=r"target 'y' has '#N/A' in row 8, and numbers in the other"
    ):
        ds.load(cases / "tables" / "target_excel_na.csv", target="y")


def test_01_and_1_are_two_classes(cases):
    data = ds.load(cases / "tables" / "labels_01_1.csv", target="y")
    assert set(data.class_names) == {"01", "1"}


def test_one_outlier_is_read(cases):
    data = ds.load(cases / "tables" / "one_outlier.csv", target="y")
    assert sum(data.sizes.values()) == 5000
    assert data.class_names == ("p", "q")


# --- more inputs of the same kinds, of our own ----------------------------------------------


def written(folder, header, rows, name="a.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_zip_code_of_letters_changes_no_other_answer(tmp_path):
    codes = ["94110", "10001", "30301", "60601"] * 30
    data = learnt(
        written(tmp_path, "zip,x,y", [f"{c},{i % 7}.5,{i % 5}.25" for i, c in enumerate(codes)])
    )
    new = written(tmp_path, "zip,x", ["94110,0.5", "10001,0.5", "SW1A,0.5"], "new.csv")
    notes = []
    rows = data.encoding.encode(read_table(new), notes)
    plain = data.encoding.encode(read_table(new).slice(0, 2))
    np.testing.assert_array_equal(rows[:2], plain)
    assert notes == [
        "The column 'zip' has 'SW1A' in row 3, which is no number: it is taken as missing."
    ]


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (["1.1", "1.10", "1.2.3"], ["1.10", "1.1", "1.2.3"]),
        (["a", "A", " b c", "b  c"], ["A", "a", "b  c"]),
        (["007", "7a", "7"], ["7", "007"]),
        (["NA", "DE", "US"], ["NA", "DE"]),
        (["1e5", "1E5", "x5"], ["1E5", "1e5"]),
        (["TRUE", "True", "maybe"], ["True", "TRUE"]),
        (["2024-01-02", "soon", "2024-1-2"], ["2024-1-2", "2024-01-02"]),
    ],
)
def test_categories_are_texts_as_they_are_written(values, asked, tmp_path):
    rows = [f"{values[i % len(values)]},{i}.5,{i % 9}.5" for i in range(90)]
    data = learnt(written(tmp_path, "c,x,y", rows))
    new = read_table(written(tmp_path, "c,x", [f"{one},1.5" for one in asked], "new.csv"))
    found = data.encoding.encode(new)
    names = data.encoding.input_names
    width = len(data.encoding.columns[0].input_names)
    assert [names[row[:width].argmax()] for row in found] == [f"c = {one.strip()}" for one in asked]


def test_values_that_were_never_seen_are_told(tmp_path):
    data = learnt(
        written(tmp_path, "c,x,y", [f"{'pq'[i % 2]}r,{i}.5,{i % 9}.5" for i in range(90)])
    )
    notes = []
    new = written(tmp_path, "c,x", ["pr,1", "zz,1", "qr,1", "P r,2"], "new.csv")
    data.encoding.encode(read_table(new), notes)
    assert len(notes) == 1
    assert "'c' has 2 rows" in notes[0] and "'zz' in row 2" in notes[0]


def test_the_classes_of_a_test_file_are_those_of_the_run(tmp_path):
    rows = [f"{i}.5,{['no', 'yes'][i % 2]},{'01' if i % 3 else '1'}" for i in range(90)]
    path = written(tmp_path, "x,is,code", rows)
    yes = learnt(path, "is")
    new = written(tmp_path, "x,is,code", ["1.5,true,1", "2.5,f,01", "3.5,Y,01"], "new.csv")
    other = read(new, target="is", encoding=yes.encoding)
    np.testing.assert_array_equal(other.targets, [1, 0, 1])
    codes = learnt(path, "code")
    other = read(new, target="code", encoding=codes.encoding)
    assert [other.class_names[one] for one in other.targets] == ["1", "01", "01"]


def test_the_command_line_says_what_was_never_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train = written(tmp_path, "c,n,y", [f"{'pq'[i % 2]}r,{i}.5,{i % 9}.5" for i in range(90)])
    new = written(tmp_path, "c,n", ["pr,1", "zz,<1", "qr,2"], "new.csv")
    words = ["train", train, "--target", "y", "--out", "run", "--epochs", 1]
    words += ["--network", "dense 1", "--optimizer", "sgd"]
    done = CliRunner().invoke(cli, list(map(str, words)))
    assert done.exit_code == 0, done.output
    assert "90 rows read: 90 used." in done.stdout
    predictions = CliRunner().invoke(cli, ["predict", "run", str(new), "--csv"])
    assert len(predictions.stdout.splitlines()) == 4
    assert (
        "new.csv: The column 'c' has 'zz' in row 2, a value that has no weights"
        in predictions.stderr
    )
    assert "new.csv: The column 'n' has '<1' in row 2, which is no number" in predictions.stderr
    piped = CliRunner().invoke(cli, ["predict", "run", "-", "--csv"], input=new.read_text())
    assert piped.stdout == predictions.stdout
    assert "standard input: The column 'c' has 'zz' in row 2" in piped.stderr


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.234,5", "950", "2.000.000"], [1234.5, 950, 2_000_000]),
        (["1 234,5", "950", "1\u00a0234"], [1234.5, 950, 1234]),
        (["1'234.50", "950", "7"], [1234.5, 950, 7]),
        (["12,34,567", "950", "1,23,456"], [1_234_567, 950, 123_456]),
        (["€1.234,50", "€950", "(€ 3,00)"], [1234.5, 950, -3]),
        (["$1,234", "$950", "-$5"], [1234, 950, -5]),
        (["$3.459", "$2.999", "3"], [3.459, 2.999, 3]),
        (["5 %", "12.5%", "-1%"], [5, 12.5, -1]),
        (["(500)", "7", "1.5"], [-500, 7, 1.5]),
        (["\u22125", "+7", ".5"], [-5, 7, 0.5]),
        (["1E3", "2e-1", "5."], [1000, 0.2, 5]),
    ],
)
def test_numbers_in_many_notations(cells, numbers, tmp_path):
    rows = [f'"{cells[i % 3]}";{i}.5' for i in range(60)]
    data = ds.load(written(tmp_path, "x;y", rows), target="y", column_types={"x": "number"})
    assert data.rows.table.column("x").to_pylist()[:3] == numbers
    new = read_table(written(tmp_path, "x;z", rows, "new.csv"))
    found = data.encoding.encode(new)[:3, 0]
    np.testing.assert_array_equal(found, numbers)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["2,436", "950"], "can be 2436 or 2.436"),
        (["€1.234", "€950"], "can be €1234 or €1.234"),
        (["1,459 €", "1,509 €"], "can be 1459 € or 1.459 €"),
        (["0.5", "0,5"], "has '0.5' in row 1 and '0,5' in row 2"),
        (["1.5", "1,25"], "has '1.5' in row 1 and '1,25' in row 2"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(cells, said, tmp_path):
    path = written(tmp_path, "x;y", [f'"{cells[i % 2]}";{i % 11}' for i in range(60)])
    with pytest.raises(DataError) as caught:
        ds.load(path, target="y")
    assert said in str(caught.value)
    ds.load(path, target="y", column_types={"x": "decimal-comma"})
    ds.load(path, target="y", column_types={"x": "category", "y": "number"})


def test_the_other_columns_say_what_a_comma_is(tmp_path):
    rows = [f'"1,{i + 100}";{i}.25;{i % 7}' for i in range(60)]
    points = ds.load(written(tmp_path, "x;z;y", rows), target="y")
    assert points.rows.table.column("x")[0].as_py() == 1100
    commas = [row.replace(".", ",") for row in rows]
    commas = ds.load(written(tmp_path, "x;z;y", commas), target="y")
    assert commas.rows.table.column("x")[0].as_py() == 1.1


def test_odd_cells_of_many_sorts_are_told(tmp_path):
    for odd in (
        "#DIV/0!",
        "<0.1",
        ".",
        "Total",
        "1,2",
        "n.a.",
        "12 kg",
        "1/2",
        "1e999",
        "=A1",
        "--",
    ):
        rows = [f'"{odd if i == 17 else i / 4}",{i % 9}.5' for i in range(60)]
        data = learnt(written(tmp_path, "x,y", rows))
        assert [one.kind for one in data.columns] == ["number", "number"], odd
        assert f"The column 'x' has {odd!r} in row 18, which is no number" in " ".join(data.notes)
        assert sum(data.sizes.values()) == 60
        with pytest.raises(DataError, match="in row 18, and numbers in the other rows"):
            ds.load(written(tmp_path, "x,y", rows), target="x")


@pytest.mark.parametrize("mark", ["None", "NA", "N/A", "-", "null", "none", "n/a", "NULL", "?"])
def test_a_class_may_be_called_like_a_missing_value(mark, tmp_path):
    classes = [mark, "mild", "severe"]
    path = written(tmp_path, "x,y", [f"{i}.5,{classes[i % 3]}" for i in range(90)])
    data = learnt(path)
    assert data.class_names == tuple(sorted(classes)) and sum(data.sizes.values()) == 90
    pair = written(tmp_path, "x,y", [f"{i}.5,{['yes', 'no', mark][i % 3]}" for i in range(90)])
    assert sorted(learnt(pair).class_names) == sorted(["yes", "no", mark])
    rare = [["yes", "no"][i % 2] if i else mark for i in range(90)]
    rare = learnt(written(tmp_path, "x,y", [f"{i}.5,{one}" for i, one in enumerate(rare)]))
    assert rare.class_names == ("no", "yes")
    assert rare.rows.left_out == {"with no y": 1}
    assert f"{mark!r} is taken as no value of y, in 1 row:" in " ".join(rare.notes)


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        ({5: '"n5,0.5,a'}, 7),
        ({5: '"n5,0.5,a', 9: 'n9",0.5,b'}, 7),
        ({5: 'n5,0.5,"a', 30: 'n30,1.5,b"'}, 7),
        ({5: 'n5,0.5,"a', 7: "n7,1.5,b"}, 7),
        ({59: '"n59,0.5,a'}, 61),
    ],
)
def test_a_quotation_mark_too_many_is_named_with_its_line(lines, first, tmp_path):
    rows = [lines.get(i, f"n{i},{i}.5,{'ab'[i % 2]}") for i in range(60)]
    path = written(tmp_path, "name,z,y", rows)
    if first == 61:  # nothing is swallowed, but it is not closed
        path.write_text(path.read_text() + "n60,1.5,b\n")
    with pytest.raises(DataError, match=f"A quotation mark in line {first} of "):
        ds.load(path, target="y")
    many = rows * 4000
    with pytest.raises(DataError, match=f"A quotation mark in line {first} of "):
        ds.load(written(tmp_path, "name,z,y", many), target="y")


def test_values_that_are_meant_to_have_lines_are_kept(tmp_path):
    rows = [f'"Street {i}\nTown, {i}\n",{i}.5,{"ab"[i % 2]}' for i in range(60)]
    data = learnt(written(tmp_path, "address,z,y", rows))
    assert data.rows.read == data.rows.used == 60
    assert data.rows.table.column("address")[3].as_py() == "Street 3\nTown, 3\n"


# --- what people reported of other programs ---------------------------------------------------


def decided(text, **wanted):
    return decide(read_table_text(text.encode(), Path("a.csv")), wanted)


def test_reported_numbers():
    """SheetJS/ssf 22, BudgetMaster 731, pandas 59299, Rello/analytics 357, idepGolem 569, tad 202.

    The first two columns of thousands are asked for once.
    """
    brazil = (
        'when,kind,n,a,b,c,share\n29/07/16 15:00,CX. Test,10,"2,590","7,770",78,\n'
        '29/07/16 13:00,Test,143,766,"2,298",329,2%\n29/07/16 17:00,Mix,231,730,"2,190",506,3%\n'
    )
    with pytest.raises(DataError, match=r"'a' has '2,590' in row 1, which can be 2590 or 2\.590"):
        decided(brazil)
    found = decided(brazil, a="decimal-point").table.to_pydict()  # which says it of b as well
    assert found["a"] == [2590, 766, 730] and found["b"] == [7770, 2298, 2190]
    assert found["share"] == [None, 2, 3]
    money = decided("sum;kind\n1.355,90€;x\n12,00€;y\n3.000,00€;x\n").table
    assert money.column("sum").to_pylist() == [1355.9, 12, 3000]
    mixed = decided("name;value\nx;1,20\ny;22,3\nz;1.234,56\n").table
    assert mixed.column("value").to_pylist() == [1.2, 22.3, 1234.56]
    amperes = [0.619, 0.606, 0.636, 0.582, 0.601, 0.583, 0.673, 0.62, 0.598]
    found = decided("kind;x\n" + "".join(f"{'ab'[i % 2]};{one}\n" for i, one in enumerate(amperes)))
    assert found.table.column("x").to_pylist() == amperes
    genes = decided('gene,s1\nA,"1,120"\nB,mike\nC,95\nD,"2,003"\nE,17.5\n')
    assert genes.table.column("s1").to_pylist() == [1120, None, 95, 2003, 17.5]
    assert "'mike' in row 2" in genes.notes[0]
    assert decided("Number\nNA\n8\n80\n90\nNA\n81\n").table.column(0).to_pylist() == [
        None, 8, 80, 90, None, 81,
    ]  # fmt: skip


def test_reported_codes():
    """SDV 2780, csvkit 977, workflow-use 174, nlmod 563, dify 42221."""
    rows = "".join(f"0{i % 3}116,{'NA' if i % 4 else 'UK'},{i}\n" for i in range(24))
    found = decided(f"zip,code,y\n{rows}").table
    assert found.column("zip").to_pylist()[:3] == ["00116", "01116", "02116"]
    assert found.column("code").to_pylist()[:3] == ["UK", "NA", "NA"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A,B,C\n" + "q,f,r\n" * 100 + 'foo,"bar,bza\n' + "a,bb,ccc\n" * 200, 102),
        ('"M","N","P"\n"1","Good","x"\n"2","Missing","x\n"3","Good","x"\n', 3),
        ('"M","N","P"\n"1","Good","x"\n"2","Extra","x""\n"3","Good","y"\n"4","G","y"\n', 3),
        ("id,inch,y\n1,5,a\n2," + '"20,b\n3,7,a\n4,"30,b\n5,8,a\n', 3),
    ],
)
def test_reported_quotation_marks(text, line):
    """h2oai/datatable 1036, CsvHelper 1341 (twice), smarter_csv 283."""
    with pytest.raises(DataError, match=f"A quotation mark in line {line} of a.csv"):
        decided(text)


def test_reported_yes_and_no(tmp_path):
    """DataSynthesizer 38: Yes and No come back as TRUE and FALSE; miceforest 60: a single row."""
    rows = [f"{['Yes', 'No'][i % 2]},{['t', 'f'][i % 3 == 0]},{i}.5" for i in range(60)]
    encoding = learnt(written(tmp_path, "churn,bruises,y", rows)).encoding
    for cells, seen in (("TRUE,t", [1, 1]), ("FALSE,true", [0, 1]), ("no,FALSE", [0, 0])):
        new = read_table(written(tmp_path, "churn,bruises", [cells], "new.csv"))
        np.testing.assert_array_equal(encoding.encode(new), [seen])
