"""Images that a table names."""

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.errors import DataError, SettingError
from tests.plain import PLAIN

LIGHT = {"dark": 40, "light": 200}


def draw(path, level=100, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(path)
    return path


def rows(folder, count=12, at=""):
    """Draw dark and light images; return their names with their labels."""
    found = []
    for index in range(count):
        label = "light" if index % 2 else "dark"
        draw(folder / at / f"{index}.png", LIGHT[label] + index)
        found.append((f"{index}.png", label))
    return found


def table(path, lines, head="file,label"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *(",".join(map(str, one)) for one in lines)]) + "\n")
    return path


def message(source, kind=DataError, **options):
    with pytest.raises(kind) as caught:
        ds.load(source, **options)
    return str(caught.value)


@pytest.mark.parametrize("at", ["", "images", "more/images"])
def test_a_table_beside_its_images(at, tmp_path):
    found = rows(tmp_path, at=at)
    if at.startswith("more"):
        found = [(f"images/{name}", label) for name, label in found]
    path = table(tmp_path / "labels.csv", found)
    data = ds.load(tmp_path)
    assert (data.name, data.task) == (tmp_path.name, "classification")
    assert data.class_names == ("dark", "light")
    assert data.input_shape == (8, 12, 1)
    for part in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(part.targets, part.inputs[:, 0, 0, 0] > 120)
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint
    own = ds.load(path)
    assert (own.name, own.fingerprint) == ("labels", data.fingerprint)


def test_numbers_are_learnt_as_numbers(tmp_path):
    lines = [(name, 0.5 + index) for index, (name, _) in enumerate(rows(tmp_path))]
    data = ds.load(table(tmp_path / "a.csv", lines, "photo,age"))
    assert data.task == "regression"
    assert data.train.targets.shape == (9, 1)
    run = ds.train(
        ds.Network([ds.Flatten(), ds.Dense(1)]), data, options=PLAIN, epochs=2, batch_size=4
    )
    assert run.predict(data.test.inputs).shape == (2, 1)


def test_which_column(tmp_path):
    lines = [(name, 7, label) for name, label in rows(tmp_path)]
    table(tmp_path / "a.csv", lines, "file,seen,kind")
    assert message(tmp_path, SettingError) == (
        "No column was named as the target. Expected one of the columns: seen, kind. Say which "
        "one is to be learnt, such as --target 'kind'."
    )
    data = ds.load(tmp_path, target="kind")
    assert data.class_names == ("dark", "light")
    assert data.notes == ("The column seen is not used: the network sees the images alone.",)
    assert message(tmp_path, SettingError, target="kin") == (
        "There is no column 'kin'. Expected one of seen, kind. Did you mean 'kind'?"
    )
    table(tmp_path / "a.csv", [(name,) for name, _ in rows(tmp_path)], "file")
    assert message(tmp_path) == (
        f"{tmp_path}/a.csv has no column of labels. Expected a column beside 'file' that says "
        "what is to be learnt. Add it."
    )


def test_a_column_says_which_part(tmp_path):
    parts = ["train"] * 14 + ["test"] * 4 + ["val"] * 2
    lines = [(*one, part) for one, part in zip(rows(tmp_path, 20), parts, strict=True)]
    table(tmp_path / "a.csv", lines, "file,label,split")
    assert ds.load(tmp_path).sizes == {"train": 14, "validation": 2, "test": 4}
    table(tmp_path / "a.csv", [(*one[:2], "test") for one in lines], "file,label,split")
    assert message(tmp_path) == (
        f"{tmp_path} names no training images. Expected rows whose part is train. Correct the "
        "column, or leave it out to have the images split."
    )
    lines[15] = ("15.png", "grey", "test")
    table(tmp_path / "a.csv", lines, "file,label,split")
    assert message(tmp_path) == (
        "The test part has the class 'grey'. Expected the classes of the training part: dark, "
        "light. Correct it, or add training samples of it."
    )


def test_groups_are_not_divided(tmp_path):
    found = rows(tmp_path, 40)
    lines = [(*one, f"P{index // 4}" if index else "") for index, one in enumerate(found)]
    table(tmp_path / "a.csv", lines, "file,label,patient")
    data = ds.load(tmp_path, group="patient")
    assert data.notes == ("1 row has no patient: it is taken as a group by itself.",)
    seen = [
        {(int(one) % 100) // 4 for one in indices(part)}
        for part in (data.train, data.validation, data.test)
    ]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert sum(data.sizes.values()) == 40
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint
    assert message(tmp_path, SettingError, group="doctor") == (
        "There is no column 'doctor'. Expected one of file, label, patient. Check the name."
    )


def test_the_latest_are_the_test(tmp_path):
    lines = [(*one, f"{1 + index}.5.2024") for index, one in enumerate(rows(tmp_path, 30))]
    table(tmp_path / "a.csv", lines, "file,label,day")
    data = ds.load(tmp_path, time="day")
    assert sorted(indices(data.test)) == list(range(24, 30))
    assert sorted(indices(data.train)) == list(range(21))


def test_a_table_that_says_which_part_is_not_split_by_a_column(tmp_path):
    parts = ["train"] * 14 + ["test"] * 6
    lines = [(*one, part, 7) for one, part in zip(rows(tmp_path, 20), parts, strict=True)]
    table(tmp_path / "a.csv", lines, "file,label,split,who")
    assert message(tmp_path, SettingError, group="who") == (
        f"The column 'who' was named with group, and {tmp_path.name} says itself which images are "
        "the test part. Expected a table (.csv, .tsv, .parquet or .arrow). Leave it out; the "
        "folders of a data set say how it is split, if it has a train and a test folder."
    )


def indices(part):
    """Which image of `rows` each one is."""
    levels = part.inputs[:, 0, 0, 0].astype(int)
    return levels - np.where(levels > 120, LIGHT["light"], LIGHT["dark"])


def test_two_tables_that_do_not_fit(tmp_path):
    table(tmp_path / "train.csv", rows(tmp_path, 14))
    path = table(tmp_path / "test.csv", [(1, 2)], "a,b")
    assert message(tmp_path) == (
        f"{path} has no column of image files. Expected a column of names such as a.jpg; its "
        "columns are a, b. Add it."
    )
    table(path, rows(tmp_path, 4), "photo,label")
    assert message(tmp_path) == (
        f"The images are named in 'file' of {tmp_path}/train.csv and in 'photo' of {path}. "
        "Expected one name for the column in both. Rename one of them."
    )


def test_two_tables_are_two_parts(tmp_path):
    table(tmp_path / "train.csv", rows(tmp_path, 14, "a"))
    table(tmp_path / "test.csv", [(f"b/{name}", one) for name, one in rows(tmp_path, 4, "b")])
    assert ds.load(tmp_path).sizes == {"train": 12, "validation": 2, "test": 4}


def test_several_tables(tmp_path):
    found = rows(tmp_path)
    for name in ("a", "b"):
        table(tmp_path / f"{name}.csv", found)
    assert message(tmp_path) == (
        f"In the folder {tmp_path} no table says what is to be learnt of images: a.csv, b.csv. "
        "Expected a single table with a column of files such as a.jpg, or train.csv with "
        f"test.csv. Give the table that is meant by its own path, such as {tmp_path}/a.csv."
    )


def test_a_table_of_images_goes_before_the_names_of_folders(tmp_path):
    found = [(f"{index}/{name}", one) for index in "ab" for name, one in rows(tmp_path, 12, index)]
    path = table(tmp_path / "a.csv", found)
    assert ds.load(tmp_path).class_names == ("dark", "light")
    table(path, [("red", 1), ("green", 2)], "colour,number")
    assert ds.load(tmp_path).class_names == ("a", "b")


def test_images_that_are_not_there(tmp_path):
    lines = [*rows(tmp_path), ("a/x.png", "dark")]
    path = table(tmp_path / "a.csv", lines)
    assert message(tmp_path) == (
        f"There is no file for the image 'a/x.png' in row 13 of {path}. Expected paths that lead "
        f"on from {tmp_path} or one of its sub-folders. Correct them, or say --column file=ignored "
        "to learn from a table's other columns."
    )
    table(path, [*lines, ("y.png", "dark")])
    assert message(tmp_path).startswith(
        f"There are no files for 2 images, first 'a/x.png' in row 13 of {path}."
    )


def test_an_image_that_is_named_twice(tmp_path):
    path = table(tmp_path / "a.csv", [*rows(tmp_path), ("./3.png", "dark")])
    assert message(tmp_path) == (
        f"The image {tmp_path}/3.png is named in row 4 of {path} and in row 13 of {path}. Expected "
        "each image once. Leave one of the rows out; an image in two parts would make the test "
        "too easy."
    )


def test_an_image_that_is_broken(tmp_path):
    path = table(tmp_path / "a.csv", rows(tmp_path))
    for content in (b"none", (tmp_path / "5.png").read_bytes()[:45]):
        (tmp_path / "5.png").write_bytes(content)
        assert message(tmp_path) == (
            f"The image {tmp_path}/5.png cannot be read (row 6 of {path}). Expected a whole image "
            "file: JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF. Open it in an image viewer; "
            "replace or remove it if it is broken."
        )


def test_rows_with_gaps(tmp_path):
    lines = rows(tmp_path)
    path = table(tmp_path / "a.csv", [*lines, ("", "dark")])
    assert message(tmp_path) == (
        f"The column 'file' is empty in row 13 of {path}. Expected the file of an image in each "
        "row. Fill it in, or leave the row out."
    )
    draw(tmp_path / "x.png")
    table(path, [*lines, ("x.png", "")])
    data = ds.load(tmp_path)
    assert sum(data.sizes.values()) == 12
    assert data.notes == ("1 row has no label and was left out.",)


def test_a_table_without_images_is_told_apart(tmp_path):
    path = table(tmp_path / "a.csv", [(index % 7, index % 2) for index in range(30)], "a,b")
    assert message(tmp_path).startswith(f"In the folder {tmp_path} no table says what is to be ")
    assert ds.load(path, target="b").encoding is not None
    lines = [(f"{index}.jpg", index % 7, index % 2) for index in range(30)]
    table(path, lines, "file,a,b")
    data = ds.load(path, target="b", column_types={"file": "ignored"})
    assert data.encoding is not None
    lines = [(f"http://a/{index}.jpg", index % 7, index % 2) for index in range(30)]
    assert ds.load(table(path, lines, "file,a,b"), target="b").encoding is not None


def test_the_size_can_be_chosen(tmp_path):
    table(tmp_path / "a.csv", rows(tmp_path))
    data = ds.load(tmp_path, photo_side=8)
    assert data.input_shape == (4, 8, 1)
    assert ds.load(data.source, **data.options).fingerprint == data.fingerprint


@pytest.mark.parametrize(
    "name",
    ["../0.png", "images/../../0.png", "/etc/0.png", "C:/0.png", "..\\0.png", "a/../../b.png"],
)
def test_images_lie_beside_their_table_or_below(name, tmp_path):
    found = rows(tmp_path / "set")
    draw(tmp_path / "0.png")
    path = table(tmp_path / "set" / "labels.csv", [*found[1:], (name, "dark")])
    assert message(path, target="label") == (
        f"The image {name!r} in row 12 of {path} lies outside of the table's folder. Expected "
        "paths of files beside the table or in folders below it. Put the table into the folder "
        "that holds the images, and name them from there."
    )


def test_a_path_that_comes_back_is_below(tmp_path):
    found = rows(tmp_path, at="images")
    lines = [(f"images/../images/{name}", label) for name, label in found]
    assert len(ds.load(table(tmp_path / "labels.csv", lines)).train) > 5
