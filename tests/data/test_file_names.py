"""What names of files say."""

from pathlib import Path

from downslope.data.readers.file_names import is_image, is_table_file, tables_in


def test_tables():
    assert is_table_file(Path("a.csv.gz"))
    assert is_table_file(Path("A.TSV"))
    assert not is_table_file(Path("a.jpg"))
    assert not is_table_file(Path("a.gz"))


def test_images():
    assert is_image(Path("A.JPG"))
    assert not is_image(Path(".a.jpg"))
    assert not is_image(Path("a.txt"))


def test_tables_among_images(tmp_path):
    for name in ("b.parquet", "a.csv.gz", ".c.csv", "readme.txt", "d.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    assert [path.name for path in tables_in(tmp_path)] == ["a.csv.gz", "b.parquet"]
