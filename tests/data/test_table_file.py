"""Tables are read as they were meant, or refused in words."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from downslope.data.load import load
from downslope.data.readers.table_file import file_notes, read_table
from downslope.data.tables.column_types import decide
from downslope.errors import DataError, SettingError

PLAIN = "name,size,when\nAnn,1.5,2024-01-02\nBob,,2024-03-04\nCarl,-2e3,2025-01-01\n"
VALUES = {"name": ["Ann", "Bob", "Carl"], "size": [1.5, None, -2000.0]}


def written(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, content, name="a.csv"):
    """The table with its numbers, as a training would see it."""
    return decide(read_table(written(folder, content, name))).table


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", PLAIN.encode()),
        ("a.CSV", PLAIN.replace("\n", "\r\n").encode()),
        ("a.csv", PLAIN.rstrip("\n").encode()),
        ("a.csv", b"\xef\xbb\xbf" + PLAIN.encode()),
        ("a.csv", PLAIN.encode("utf-16")),
        ("a.csv.gz", gzip.compress(PLAIN.encode())),
        ("a.tsv", PLAIN.replace(",", "\t").encode()),
        ("a.txt", PLAIN.replace(",", ";").encode()),
        ("a.data", PLAIN.replace(",", "|").encode()),
        ("a.csv", PLAIN.replace(",", ";").replace("1.5", "1,5").encode()),
        ("a.csv", PLAIN.replace("Ann", '"Ann"').encode()),
    ],
    ids=[
        "plain",
        "windows",
        "no last end",
        "mark",
        "utf-16",
        "gzip",
        "tabs",
        "semicolons",
        "bars",
        "decimal commas",
        "quotes",
    ],
)
def test_text_of_many_forms(name, content, tmp_path):
    table = read(tmp_path, content, name)
    assert table.select(["name", "size"]).to_pydict() == VALUES
    assert table.column("when").to_pylist() == ["2024-01-02", "2024-03-04", "2025-01-01"]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
def test_binary_forms(name, tmp_path):
    table = pa.table(VALUES)
    write = pa.parquet.write_table if name == "a.parquet" else pa.feather.write_feather
    write(table, tmp_path / name)
    assert read_table(tmp_path / name).to_pydict() == VALUES


def test_values_with_delimiters_quotes_and_line_ends(tmp_path):
    table = read(tmp_path, 'a,b\n"x, y","he said ""no"""\n"two\nlines",z\n')
    assert table.to_pydict() == {"a": ["x, y", "two\nlines"], "b": ['he said "no"', "z"]}


def test_letters_of_western_windows(tmp_path):
    assert read(tmp_path, "a,b\ncafé,1\nthé,2\n".encode("cp1252")).column("a").to_pylist() == [
        "café",
        "thé",
    ]


@pytest.mark.parametrize("mark", ["", "NA", "NaN", "?", "null", " ", " ?", "None", "-", "n/a"])
def test_marks_of_missing_values(mark, tmp_path):
    rows = f"1,x,yes,2024-01-02\n{mark},{mark},{mark},{mark}\n3,x,no,2024-01-03\n"
    table = read(tmp_path, "a,b,c,d\n" + rows)
    assert table.select(["a", "c", "d"]).to_pydict() == {
        "a": [1, None, 3],
        "c": ["yes", None, "no"],
        "d": ["2024-01-02", None, "2024-01-03"],
    }
    assert table.column("b").to_pylist() == ["x", mark if mark.strip() else None, "x"]


def test_without_a_line_of_names(tmp_path):
    assert read(tmp_path, "1,x\n2,y\n").to_pydict() == {"column 1": [1, 2], "column 2": ["x", "y"]}
    letters = "p,x,s\ne,x,s\np,b,y\ne,x,y\n"
    assert read(tmp_path, letters).column_names == ["column 1", "column 2", "column 3"]


def test_empty_lines_before_the_names(tmp_path):
    assert read(tmp_path, "\n\na,b\n1,x\n").to_pydict() == {"a": [1], "b": ["x"]}


def test_names_with_line_ends(tmp_path):
    table = read(tmp_path, '"a\nb",c\r\n1,x\r\n2,y\r\n')
    assert table.to_pydict() == {"a\nb": [1, 2], "c": ["x", "y"]}


def test_a_value_of_100_megabytes(tmp_path):
    long = "y" * 100_000_000
    table = read(tmp_path, f"a,b\n1,x\n2,{long}\n3,z\n")
    assert table.column("a").to_pylist() == [1, 2, 3]
    assert table.column("b")[1].as_py() == long


def test_an_arrow_file_that_lies_about_its_lengths(tmp_path):
    from tests.properties.hostile import broken

    with pytest.raises(DataError, match="cannot be read: Column 4: In chunk 0: Invalid: Offset"):
        read(tmp_path, broken("arrow", 9), "a.arrow")


def test_a_quotation_mark_that_never_ends(tmp_path):
    with pytest.raises(DataError, match="cannot be read: field larger than field limit"):
        read(tmp_path, 'a,"b\n' + "1,2\n" * 100_000)


def test_one_column(tmp_path):
    assert read(tmp_path, "size\n1\n2\n").to_pydict() == {"size": [1, 2]}


def test_a_type_is_found_from_all_rows(tmp_path):
    rows = "".join(f"{number}\n" for number in range(300_000))
    table = read(tmp_path, f"a\n{rows}1.5\n")
    assert str(table.column("a").type) == "double"
    assert table.column("a")[-1].as_py() == 1.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{path} is empty. Expected a table with one row per sample. Add rows."),
        (" \n\n", "{path} is empty. Expected a table with one row per sample. Add rows."),
        ("a,b\n", "{path} has no rows. Expected a table with one row per sample. Add rows."),
        (
            "a,b\n1,2\n1,2,3\n4,5\n",
            "Line 3 of {path} has 3 values, and there are 2 columns. Expected as many values in "
            "each line as there are columns. Correct the line, or leave it out; put quotation "
            "marks around a value with a delimiter in it.",
        ),
        (
            '\n\na,"b\nc"\n1,2\n\n"x\ny",2\n1\n4,5\n',
            "Line 9 of {path} has 1 value, and there are 2 columns. Expected as many values in "
            "each line as there are columns. Correct the line, or leave it out; put quotation "
            "marks around a value with a delimiter in it.",
        ),
        (
            "a,b,a\n1,2,3\n",
            "{path} has more than one column called 'a'. Expected a name of its own for each "
            "column. Rename one of them.",
        ),
        (
            "a,b\n1,2\n3,\0\n",
            "Line 3 of {path} holds a zero byte. Expected text. Save the table as CSV again, "
            "encoded as UTF-8.",
        ),
    ],
)
def test_text_that_is_no_table(content, message, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == message.format(path=path)


def test_files_cut_short(tmp_path):
    packed = gzip.compress(np.random.default_rng(0).bytes(10_000))
    with pytest.raises(DataError, match="its compressed data end too early"):
        read(tmp_path, packed[:5000], "a.csv.gz")
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(VALUES), buffer)
    with pytest.raises(DataError, match="a whole CSV, Parquet or Arrow file"):
        read(tmp_path, buffer.getvalue()[:-20], "a.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path, b"ARROW1\0\0xxxx", "a.arrow")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(tmp_path / "b.csv")


def test_a_parquet_file_cut_short(tmp_path):
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(VALUES), buffer)
    path = written(tmp_path, buffer.getvalue()[:-20], "a.parquet")
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        f"The table {path} cannot be read: Parquet magic bytes not found in footer. Either the "
        "file is corrupted or this is not a parquet file. Expected a whole CSV, Parquet or Arrow "
        "file. Check the file, or write it again."
    )


def test_letters_of_no_known_encoding(tmp_path):
    assert read(tmp_path, b"a,b\n1,\x81\xff\n2,x\n").column("b").to_pylist() == ["\ufffdÿ", "x"]
    path = written(tmp_path, b"\xff\xfea\x00,\x00b")
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        f"The table {path} cannot be read: 'utf-16-le' codec can't decode byte 0x62 in position "
        "6: truncated data. Expected a whole CSV, Parquet or Arrow file. Check the file, or write "
        "it again."
    )


def test_mixed_types_in_a_column(tmp_path):
    assert read(tmp_path, "a,b\n1,x\ntwo,y\n2024-01-01,z\n").column("a").to_pylist() == [
        "1",
        "two",
        "2024-01-01",
    ]


ROWS = "0.5,x\n1.5,y\n2.5,x\n"


@pytest.mark.parametrize(
    ("text", "names", "first", "note"),
    [
        # names that are numbers
        ("2019,2020,who\n0.5,1.5,a\n2.5,3.5,b\n", ["2019", "2020", "who"], None, ""),
        ("1,2020,who\n0.5,1.5,a\n2.5,3.5,b\n", ["column 1", "column 2", "column 3"], None, ""),
        ("2019,2020,who\n" + "0.5,1.5,7\n2.5,3.5,8\n1.5,2.5,9\n", ["2019", "2020", "who"], None,
         ""),
        (",0,1,2\n" + "".join(f"{one},.5,.25,.75\n" for one in range(4)),
         ["column 1", "0", "1", "2"], None, ""),
        ("2019,2031,2020\n" + "0.5,1.5,2.5\n" * 4, ["column 1", "column 2", "column 3"], "2019",
         "say --names yes"),
        # comments and titles above
        ("% made by hand\na,b\n" + ROWS, ["a", "b"], "0.5", "The first line ('% made by hand')"),
        ("Sales report\n\nRegion: north\na,b\n" + ROWS, ["a", "b"], "0.5", "The first 2 lines"),
        ("Source,World\n\na,b,c\n1.5,x,3\n2.5,y,4\n3.5,x,5\n", ["a", "b", "c"], "1.5",
         "('Source,World')"),
        ("# one, two\n#x,y\n1,2\n3,4\n5,6\n", ["x", "y"], "1", "The first line ('# one, two')"),
        ("% x y\n1 2\n3 4\n5 6\n", ["x", "y"], "1", ""),
        ("#1,2.5\n#2,3.5\n#3,4.5\n", ["column 1", "column 2"], "#1", ""),
        # an Excel line that names the delimiter
        ("SEP=\t\na\tb\n0.5\tx\n", ["a", "b"], "0.5", ""),
        ('"sep=|"\r\na|b\r\n0.5|x\r\n', ["a", "b"], "0.5", ""),
        # R, with and without quotation marks, and a delimiter at the end of each row
        ('"a" "b"\n"r1" 0.5 "x y"\n"r2" 1.5 "z"\n"r3" 2.5 "x"\n', ["row names", "a", "b"], "r1",
         "names of rows"),
        ("a,b\n0.5,x,\n1.5,y,\n2.5,z,\n", ["a", "b", "column 3"], "0.5", ""),
        # blanks, and lines of them
        ("18.0  8  307.0\n15.0  8  350.0\n 9.5  6  1.0\n", ["column 1", "column 2", "column 3"],
         "18.0", ""),
        ('mpg  cyl name\n18.0 8 "chevrolet malibu"\n 15.0   8\t"buick"\n9 4 fiat\n',
         ["mpg", "cyl", "name"], "18.0", ""),
        ("a,b\n   \n0.5,x\n\t\n1.5,y\n", ["a", "b"], "0.5", ""),
        ('a,b\n   \n0.5,"x\n   \ny"\n1.5,y\n', ["a", "b"], "0.5", ""),
        # the names once more
        ("a,b\n0.5,x\na,b\n1.5,y\n a , b \n2.5,x\n", ["a", "b"], "0.5", "2 lines repeat"),
    ],
)  # fmt: skip
def test_what_stands_above_rows_and_between_them(tmp_path, text, names, first, note):
    table = read_table(written(tmp_path, text))
    assert table.column_names == names
    if first is not None:
        assert table.column(0)[0].as_py() == first
    assert note in " ".join(file_notes(table))
    assert bool(note) == bool(file_notes(table))


def test_blank_lines_within_a_value_stay(tmp_path):
    table = read_table(written(tmp_path, 'a,b\n   \n0.5,"x\n   \ny"\n1.5,y\n'))
    assert table.column("b").to_pylist() == ["x\n   \ny", "y"]


def test_a_line_with_fewer_values_is_told_wherever_it_stands(tmp_path):
    for text, line in (
        ("1,2\n3,4,5\n6,7,8\n", 2),
        ("a,b,c\n1,2,3\n4,5\n", 3),
        ("a,b,c\n1,2\n3,4\n5,6\n", 2),
    ):
        with pytest.raises(DataError, match=f"Line {line} of"):
            read_table(written(tmp_path, text))
    with pytest.raises(DataError, match="Line 5 of"):  # counted from the top of the file
        read_table(written(tmp_path, "# by hand\n\na,b\n1,2\n3\n4,5\n6,7\n8,9\n"))


def test_names_can_be_said_and_are_known_later(tmp_path):
    path = written(tmp_path, "2019,2031,2020\n" + "0.5,1.5,2.5\n" * 4)
    assert read_table(path, True).column_names == ["2019", "2031", "2020"]
    assert read_table(path, known=["2020"]).num_rows == 4
    words = written(tmp_path, "low,high\nhigh,low\n", "words.csv")
    assert read_table(words, False).num_rows == 2
    assert read_table(words, True).column_names == ["low", "high"]
    assert read_table(words, known=["column 2"]).num_rows == 2
    with pytest.raises(SettingError) as caught:
        load(path, target="2020")
    assert str(caught.value).endswith(
        "The first line was taken for values: say --names yes if it names the columns."
    )
    with pytest.raises(SettingError, match="names=yes says whether the first line names"):
        load("digits", names="yes")


def test_whole_numbers_with_many_rows_each_are_classes_and_it_is_told(tmp_path):
    rows = "".join(f"{one / 7},{one % 5},{one % 19}\n" for one in range(60))
    path = written(tmp_path, "x,grade,count\n" + rows)
    assert load(path, target="grade").notes == (
        "The 5 different whole numbers of grade are learnt as classes: say --task regression if "
        "they are numbers.",
    )
    assert load(path, target="count").notes == (
        "The 19 different whole numbers of count are learnt as numbers: say --task classification "
        "if they are classes.",
    )
    assert load(path, target="count", task="regression").notes == ()
