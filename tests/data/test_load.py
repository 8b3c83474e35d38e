"""One way in: names, folders of each kind, and what is said about anything else."""

import pytest

import downslope.data as data
from downslope.data.load import LAYOUTS, load, read
from downslope.errors import DataError, SettingError
from tests.data.tiny_folders import idx_folder as write_set
from tests.data.tiny_folders import mall, photo, shanghaitech

NAMES = "digits, spam, crowd, crowd-counts, circles, xor, moons, spirals, blobs, waves"


def message(source, **options):
    with pytest.raises(DataError) as caught:
        load(source, **options)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_built_in_name():
    dataset = load("digits")
    assert repr(dataset) == (
        "Dataset('digits', classification, inputs (64,), 1258 train, 180 validation, 359 test)"
    )


def test_the_split_seed():
    first, again, other = (load("moons", split_seed=seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_folders_of_each_kind(tmp_path):
    write_set(tmp_path / "idx")
    shanghaitech(tmp_path / "shanghaitech", 10)
    mall(tmp_path / "mall", range(1, 11), range(10))
    for kind, task in (
        ("idx", "classification"),
        ("shanghaitech", "counting"),
        ("mall", "counting"),
    ):
        dataset = load(tmp_path / kind)
        assert (dataset.name, dataset.task) == (kind, task)
        assert not dataset.generated
        again = load(dataset.source, **dataset.options)
        assert again.fingerprint == dataset.fingerprint


def test_a_relative_path_gives_an_absolute_source(tmp_path, monkeypatch):
    write_set(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert load("./digits").source == str(tmp_path / "digits")
    assert load("digits").source == "digits"


def test_options_of_photos(tmp_path):
    shanghaitech(tmp_path, 10)
    seen = []
    unsplit = read(
        tmp_path, photo_side=32, stride=8, on_progress=lambda done, total: seen.append(done)
    )
    assert unsplit.samples.inputs.shape == (10, 24, 32, 3)
    assert unsplit.samples.targets.shape == (10, 3, 4, 1)
    assert seen == list(range(1, 11))
    assert unsplit.for_testing is unsplit.samples


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("digit", "Did you mean 'digits'?"),
        ("Spirals", "Did you mean 'spirals'?"),
        ("two-moons", "Did you mean 'moons'?"),
        ("nothing", "Check the name, or give a path."),
        (
            "mnist",
            "Give the folder with its IDX files (train-images-idx3-ubyte ...); digits is built in.",
        ),
        ("Iris", "Save it as a table, such as CSV, and give its path and --target."),
    ],
)
def test_an_unknown_name(tmp_path, monkeypatch, name, advice):
    monkeypatch.chdir(tmp_path)
    assert message(name) == (
        f"There is no data set {name!r}. Expected one of the built-in data sets ({NAMES}), or the "
        f"path of a file or folder. {advice}"
    )


def test_a_missing_path(tmp_path):
    assert message(tmp_path / "photos") == (
        f"There is no folder {tmp_path / 'photos'}. Expected a file or folder that is there, "
        f"or one of the built-in data sets: {NAMES}. Check the path."
    )


def test_a_missing_table_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "houses.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert message("house.csv").startswith(f"There is no file {tmp_path / 'house.csv'}. ")
    assert message("house.csv").endswith("Did you mean 'houses.csv'?")
    assert message("houses").endswith("Did you mean 'houses.csv'?")
    assert message("Houses").endswith("Did you mean 'houses.csv'?")
    assert message("more/houses.parquet").startswith(
        f"There is no file {tmp_path / 'more/houses.parquet'} (there is no folder "
        f"{tmp_path / 'more'}). "
    )


def test_an_empty_folder(tmp_path):
    assert message(tmp_path) == (
        f"The folder {tmp_path} is empty. Expected images/IMG_1.jpg with "
        "ground-truth/GT_IMG_1.mat (ShanghaiTech), frames/seq_000001.jpg with mall_gt.mat "
        "(Mall), photos with heads.csv or heads.json, train-images-idx3-ubyte with "
        "train-labels-idx1-ubyte (MNIST), images with a table that names them and their labels, "
        "or a folder of images for each class, such as cats/1.jpg and dogs/2.jpg. "
        "Check the path, or add the files."
    )


def test_a_folder_of_an_unknown_kind(tmp_path):
    photo(tmp_path / "a.jpg")
    assert message(tmp_path) == (
        f"{tmp_path} holds 1 image and no folder per class. Expected {LAYOUTS}. "
        "Arrange the files in one of these ways, or give the folder that holds them."
    )


def test_a_file(tmp_path):
    photo(tmp_path / "a.jpg")
    assert message(tmp_path / "a.jpg") == (
        f"{tmp_path / 'a.jpg'} is a file of an unknown kind. "
        "Expected a table (.csv, .tsv, .parquet or .arrow), arrays (.npz), a folder, or the name "
        "of a built-in data set. Give the folder that holds the file, or save the table in one of "
        "these forms."
    )


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert message(tmp_path) == (
        f"The folder {tmp_path} cannot be read: Permission denied. "
        "Expected a folder that can be read. Check the path and its permissions."
    )


@pytest.mark.parametrize("source", ["digits", "nowhere"])
def test_settings_out_of_range(source):
    with pytest.raises(SettingError) as caught:
        load(source, stride=3)
    assert str(caught.value) == (
        "The stride is 3. Expected 1, 2, 4 or 8 pixels per cell. Use 8 to begin with."
    )
    with pytest.raises(SettingError, match="The longer side of photos is set to 0 pixels"):
        load(source, photo_side=0)


def test_all_is_what_is_exported():
    modules = type(data)
    public = [
        name
        for name, value in vars(data).items()
        if not name.startswith("_") and (name == "load" or not isinstance(value, modules))
    ]
    assert sorted(data.__all__) == sorted(public)
    assert len(set(data.__all__)) == len(data.__all__)


def test_a_link_to_itself(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert message(tmp_path / "loop") == (
        f"{tmp_path}/loop is a link that leads nowhere, or to itself. Expected a folder or a file "
        "that is there. Correct the link, or give what it should lead to."
    )
