"""Photos with the positions of heads in one file."""

import json

import numpy as np
import pytest

import downslope as ds
from downslope.data.readers.head_list import find_listed
from downslope.errors import DataError
from tests.data.tiny_folders import heads_within, photo

COUNT = 12


def folder(path, kind="csv", count=COUNT):
    """Photos of which number n has n heads, from 0."""
    path.mkdir(parents=True, exist_ok=True)
    heads = {f"{n}.jpg": heads_within(n, seed=n).round(2).tolist() for n in range(count)}
    for number, name in enumerate(heads):
        photo(path / name, seed=number)
    if kind == "json":
        (path / "heads.json").write_text(json.dumps(heads))
        return path
    rows = [f"{name},{x},{y}" for name, points in heads.items() for x, y in points]
    (path / "heads.csv").write_text("\n".join(["file,x,y", "0.jpg,,", *rows]) + "\n")
    return path


def message(path):
    with pytest.raises(DataError) as caught:
        ds.load(path)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_photos_with_their_heads(kind, tmp_path):
    data = ds.load(folder(tmp_path / "street", kind))
    assert (data.name, data.task) == ("street", "counting")
    counts = np.concatenate([part.counts for part in (data.train, data.validation, data.test)])
    np.testing.assert_allclose(np.sort(counts), np.arange(COUNT), atol=1e-4)
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint
    assert ds.load(tmp_path / "street" / f"heads.{kind}").fingerprint == data.fingerprint


def test_both_forms_say_the_same(tmp_path):
    csv, js = (find_listed(folder(tmp_path / kind, kind)) for kind in ("csv", "json"))
    for one, other in zip(csv, js, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.heads, other.heads)


def test_a_list_of_photos(tmp_path):
    folder(tmp_path)
    text = (tmp_path / "heads.csv").read_text().replace("0.jpg,,\n", "")
    (tmp_path / "heads.csv").write_text(text)
    (tmp_path / "photos.csv").write_text("file\n0.jpg\n1.jpg\n")
    assert len(find_listed(tmp_path)) == COUNT


def test_a_test_part_of_its_own(tmp_path):
    folder(tmp_path / "train", "json")
    folder(tmp_path / "test", count=4)
    data = ds.load(tmp_path)
    assert data.sizes["test"] == 4
    assert data.test.sources is not None
    assert data.test.sources[0] == "test/0.jpg"


def test_photos_that_nobody_named(tmp_path):
    photo(folder(tmp_path, "json") / "x.jpg")
    assert message(tmp_path) == (
        f"1 photo has no labels: {tmp_path}/x.jpg. Expected for a photo without heads "
        '"x.jpg": [] in heads.json. Add what is missing, or remove what is too many.'
    )
    (tmp_path / "heads.json").unlink()
    photo(folder(tmp_path) / "y.jpg")
    assert message(tmp_path) == (
        f"2 photos have no labels: {tmp_path}/x.jpg is the first. Expected for a photo without "
        "heads the row x.jpg,, in heads.csv or the row x.jpg in photos.csv. Add what is missing, "
        "or remove what is too many."
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "z.jpg,1,2",
            "{path} names the photo 'z.jpg' (row 68), which is not in {folder}. Expected paths "
            "that lead on from there. Correct the name, or add the photo.",
        ),
        (
            "3.jpg,1,49",
            "The head at (1, 49), row 68, is not in its photo {folder}/3.jpg. Expected x from 0 "
            "to 64 and y from 0 to 48, the photo's pixels. Correct the position, or leave it out.",
        ),
        (
            "3.jpg,-1,2",
            "The head at (-1, 2), row 68, is not in its photo {folder}/3.jpg. Expected x from 0 "
            "to 64 and y from 0 to 48, the photo's pixels. Correct the position, or leave it out.",
        ),
        (
            "3.jpg,left,2",
            "Row 68 of {path} has 'left' where a position is due. Expected two numbers, the x and "
            "the y of a head in pixels. Correct it; leave both out for a photo without heads.",
        ),
        (
            "3.jpg,1,",
            "Row 68 of {path} has nothing where a position is due. Expected two numbers, the x "
            "and the y of a head in pixels. Correct it; leave both out for a photo without heads.",
        ),
        (
            "3.jpg,inf,2",
            "Row 68 of {path} has 'inf' where a position is due. Expected two numbers, the x and "
            "the y of a head in pixels. Correct it; leave both out for a photo without heads.",
        ),
        (
            ",1,2",
            "Row 68 of {path} names no photo. Expected the file of a photo in each row. Fill it "
            "in, or leave the row out.",
        ),
    ],
)
def test_rows_with_mistakes(row, said, tmp_path):
    path = folder(tmp_path) / "heads.csv"
    path.write_text(path.read_text() + row + "\n")
    assert message(tmp_path) == said.format(path=path, folder=tmp_path)


def test_columns_of_other_names(tmp_path):
    path = folder(tmp_path) / "heads.csv"
    path.write_text(path.read_text().replace("file,x,y", "file,left,top"))
    assert message(tmp_path) == (
        f"{path} has the columns file, left, top. Expected a first line that names the columns "
        "file, x and y. Rename them, or add the line."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "The head positions in {path} cannot be read: it begins with a list."),
        ('{"0.jpg": 3}',
         "The head positions in {path} cannot be read: '0.jpg' is followed by 3."),
        ('{"0.jpg": [[1]]}',
         "The head positions in {path} cannot be read: head 1 of '0.jpg' is [1]."),
        ('{"0.jpg": [], "0.jpg": []}', "The head positions in {path} cannot be read: it names "
         "'0.jpg' twice."),
        ("[" * 100_000, "The head positions in {path} cannot be read: it goes too deep."),
        ('{"0.jpg": [[1, NaN]]}', "Head 1 of '0.jpg' of {path} has nan where a position is due."),
        ('{"0.jpg": [[1, 2]', "The head positions in {path} cannot be read: Expecting ',' "
                              "delimiter: line 1 column 18 (char 17)."),
    ],
    ids=["list", "number", "one", "twice", "deep", "nan", "cut short"],
)  # fmt: skip
def test_json_with_mistakes(text, said, tmp_path):
    path = folder(tmp_path, "json") / "heads.json"
    path.write_text(text)
    assert message(tmp_path).startswith(said.format(path=path))


def test_two_files_and_no_photos(tmp_path):
    folder(tmp_path, "json")
    folder(tmp_path)
    assert message(tmp_path) == (
        f"The folder {tmp_path} has both heads.csv and heads.json. Expected one file of head "
        "positions. Remove one of them."
    )
    (tmp_path / "heads.csv").unlink()
    (tmp_path / "heads.json").write_text("{}")
    for path in tmp_path.glob("*.jpg"):
        path.unlink()
    assert message(tmp_path) == (
        f"The folder {tmp_path} holds no photos. Expected photos that heads.json names. Check the "
        "path, or add the photos."
    )


@pytest.mark.parametrize("name", ["../0.jpg", "../street2/0.jpg", "/etc/0.jpg"])
def test_photos_lie_beside_their_list_or_below(name, tmp_path):
    path = folder(tmp_path / "street")
    photo(tmp_path / "0.jpg", seed=1)
    with (path / "heads.csv").open("a") as file:
        file.write(f"{name},1,1\n")
    assert f"names the photo {name!r} (row 68), which lies outside of {path}." in message(path)
