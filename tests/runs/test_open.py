"""A run folder that was damaged, or made by somebody who means harm: one message says what of it.

Damage leaves the manifest as it was, so the checksums tell. Where a manifest was made anew, only
the checks of what is read can tell.
"""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import downslope as ds
from downslope.nn.notation import parse
from downslope.runs.checkpoint import Checkpoints, newest_checkpoint
from downslope.storage.arrays import decode_arrays, encode_arrays
from downslope.storage.checkpoints import FOLDER
from downslope.storage.manifest import Mark, read_manifest, write_manifest
from tests.plain import PLAIN
from tests.runs import by_hand

FILES = [
    "run.json", "weights.safetensors", "trace.safetensors", "trace/steps.parquet",
    "trace/epochs.parquet",
]  # fmt: skip
ADVICE = "Expected a file as written by a training. Restore the file, or train again."


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run's folder, with its checkpoints."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    often = Checkpoints(seconds=None, epochs=1, most=2)
    network = parse("dense 6 tanh, dense 3")
    settings = {"epochs": 3, "record": ds.Record(every=1), "checkpoints": often}
    ds.train(network, by_hand.classes_data(), options=PLAIN, folder=folder, **settings)
    return folder


@pytest.fixture
def folder(kept, tmp_path):
    """A copy of it, to spoil."""
    for name in [*FILES, "manifest.json", *(f"{FOLDER}/{one.name}" for one in states(kept))]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((kept / name).read_bytes())
    return tmp_path


def states(folder):
    return sorted((folder / FOLDER).iterdir())


def refusal(folder) -> ds.RunError:
    with pytest.raises(ds.RunError) as caught:
        ds.open_run(folder)
    assert "\n" not in str(caught.value)
    return caught.value


def seal(folder) -> None:
    """Make the manifest of what is there now."""
    write_manifest(folder, {name: Mark.of((folder / name).read_bytes()) for name in FILES})


def why(folder) -> str:
    """Why a folder with a manifest of its own is refused."""
    seal(folder)
    said = str(refusal(folder))
    assert said.startswith(f"{folder} cannot be read (")
    assert said.endswith(f"). {ADVICE}")
    return said[len(f"{folder} cannot be read (") : -len(f"). {ADVICE}")]


def edit(folder, change) -> None:
    document = json.loads((folder / "run.json").read_bytes())
    change(document)
    (folder / "run.json").write_text(json.dumps(document))


def test_a_whole_folder_opens(folder):
    seal(folder)
    assert ds.open_run(folder).outcome.reason == "epochs"


def test_a_folder_that_is_not_there(tmp_path):
    assert str(refusal(tmp_path / "none")) == (
        f"{tmp_path / 'none'} does not exist. Expected the folder of a run, such as "
        "runs/digits-1. Train one with: downslope train digits."
    )


def test_a_folder_that_is_no_run(tmp_path):
    assert str(refusal(tmp_path)) == (
        f"{tmp_path} has no run.json. Expected the folder of a run, such as runs/digits-1. "
        "Train one with: downslope train digits."
    )


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "longer", "link", "pipe", "folder"])
def test_damage_is_noticed_and_the_file_is_named(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    match damage:
        case "cut":
            path.write_bytes(content[:-1])
        case "empty":
            path.write_bytes(b"")
        case "flipped":
            middle = len(content) // 2
            changed = bytes([content[middle] ^ 1])
            path.write_bytes(content[:middle] + changed + content[middle + 1 :])
        case "longer":
            path.write_bytes(content + b" ")
        case "link":
            (folder / "other").write_bytes(content)
            path.symlink_to(folder / "other")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    refused = refusal(folder)
    assert refused.received.startswith(f"{path} cannot be read (")
    assert refused.expected == "a file as written by a training"
    assert refused.advice == "Restore the file, or train again."


def test_a_folder_of_a_run_is_not_followed_elsewhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "trace").rename(elsewhere / "trace")
    (folder / "trace").symlink_to(elsewhere / "trace")
    assert str(refusal(folder)) == (
        f"{folder / 'trace'} cannot be read (it is a link, which may lead anywhere). {ADVICE}"
    )


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"format": 5}', b'{"format": "2"}', b"[" * 10**6]
)
def test_a_document_that_is_none(folder, content):
    (folder / "run.json").write_bytes(content)
    seal(folder)
    assert refusal(folder).received.startswith(f"{folder / 'run.json'} cannot be read (")


def test_a_document_of_too_many_values(folder):
    (folder / "run.json").write_bytes(b'{"data": [' + b"{}," * 10**6 + b"1]}")
    seal(folder)
    assert str(refusal(folder)) == (
        f"{folder / 'run.json'} cannot be read (it holds too many values). {ADVICE}"
    )


def test_another_format(folder):
    edit(folder, lambda document: document.update(format=1))
    seal(folder)
    assert str(refusal(folder)) == (
        f"{folder / 'run.json'} has format 1. Expected format 5. Open it with the version of "
        "Downslope that wrote it."
    )


def test_a_setting_out_of_range(folder):
    edit(folder, lambda document: document["settings"].update(learning_rate=-1))
    seal(folder)
    assert "The learning rate is -1" in refusal(folder).received


@pytest.mark.parametrize(
    ("part", "values", "reason"),
    [
        ("data", {"samples": {"train": 50}}, "the data has other parts"),
        (
            "data",
            {"samples": {"train": 50, "validation": -1, "test": 40}},
            "the data has parts of [50, -1, 40] samples",
        ),
        ("data", {"input_shape": [2**40, 2**40]}, f"one input has the shape {(2**40, 2**40)}"),
        ("data", {"input_shape": [0]}, "one input has the shape (0,)"),
        ("data", {"input_shape": [5]}, "1.weights has shape (4, 6) instead of (5, 6)"),
        ("data", {"class_names": ["a"]}, "it has 1 classes and outputs of shape (3,)"),
        (
            "data",
            {"input_names": ["a"]},
            "1 inputs have names, and one input has the shape (4,)",
        ),
        ("data", {"photo_side": -1}, "the longer side of photos is -1"),
        ("data", {"task": "counting"}, "it counts people by outputs of shape (3,)"),
        ("outcome", {"kept_step": 7}, "it kept step 7 of 6"),
        ("outcome", {"kept_step": 5}, "it ended at step 6 and kept step 5"),
        ("outcome", {"step": 5, "kept_step": 5}, "5 steps were done, and 6 were recorded"),
        (
            "outcome",
            {"failure": {"what": "loss", "value": "nan", "batch": 32}},
            "it failed in no step that it tried",
        ),
        ("settings", {"batch_size": 51}, "it has batches of 51 of 50 samples"),
        ("settings", {"epochs": 1}, "it did 6 steps of 2 that it planned"),
        (
            "settings",
            {"epochs": 10**9},
            "it did 6 steps of 2,000,000,000 that it planned",
        ),
        ("settings", {"batch_size": 50, "epochs": 9}, "its epochs have other steps"),
        ("seconds", {"total": -1.0}, "it took less than no time"),
    ],
)
def test_values_that_do_not_belong_together(folder, part, values, reason):
    edit(folder, lambda document: document[part].update(values))
    assert why(folder) == reason


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"record": {"every": 2**40}},
            "The number of epochs between",
        ),
        ({"record": {"samples": 2**40}}, "The number of recorded samples is"),
        ({"stop": {"patience": 2**40}}, "The patience is"),
    ],
)
def test_settings_that_a_training_would_refuse(folder, values, says):
    edit(folder, lambda document: document["settings"].update(values))
    seal(folder)
    assert str(refusal(folder)).startswith(f"{folder / 'run.json'} cannot be read ({says}")


@pytest.mark.parametrize(
    ("phases", "reason"),
    [
        ([(4, {}), (3, {})], "its parts are not in their order"),
        ([(7, {})], "its parts are not in their order"),
        ([(3, {"batch_size": 9})], "its parts have other losses or batches"),
        ([(3, {"loss": "huber"})], "its parts have other losses or batches"),
        ([(3, {"epochs": 1})], "it did 3 steps of 2 that it planned"),
    ],
)
def test_parts_that_do_not_follow_each_other(folder, phases, reason):
    def change(document):
        document["phases"] = [
            {"until": until, "settings": {**document["settings"], **own}, "versions": {}}
            for until, own in phases
        ]

    edit(folder, change)
    assert why(folder) == reason


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("dense 7 tanh, dense 3", "1.biases has shape (6,) instead of (7,)"),
        ("dense 6 tanh, dense 3, dense 3", "3.biases is missing"),
        (
            "dense 99999999999 tanh, dense 3",
            "Dense has units 99999999999. Expected a whole number of at most 2,147,483,647. "
            "Write Dense(units=32).",
        ),
        (", ".join(["parallel (dropout 0 | dropout 0)"] * 60) + ", dense 3", None),
        ("dens 3", None),
        ("conv 3, dense 3", None),
        ("dense 1, " * 2000 + "dense 3", None),
        ("residual (" * 200 + "dense 3" + ")" * 200, None),
    ],
)
def test_a_network_that_does_not_fit(folder, network, reason):
    edit(folder, lambda document: document.update(network=network))
    found = why(folder)
    assert reason is None or found == reason
    assert len(found) < 400


@pytest.mark.parametrize(
    "name", ["scaling.mean", "scaling.std", "baseline", "1.weights", "2.biases"]
)
def test_an_array_missing(folder, name):
    arrays = load_file(folder / "weights.safetensors")
    del arrays[name]
    save_file(arrays, folder / "weights.safetensors")
    assert why(folder) == f"{name} is missing"


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("2.weights", np.zeros((6, 4), "f4"), "2.weights has shape (6, 4) instead of (6, 3)"),
        ("2.biases", np.zeros(3, "f8"), "2.biases has type float64 instead of float32"),
        ("2.biases", np.array([0, np.nan, 0], "f4"), "2.biases holds what is no number"),
        ("scaling.mean", np.zeros((9, 4), "f4"), "scaling.mean has shape (9, 4) and type float32"),
        ("scaling.mean", np.zeros(4, "i4"), "scaling.mean has shape (4,) and type int32"),
        ("scaling.std", np.zeros(4, "f4"), "scaling.std is not above 0"),
        ("baseline", np.zeros(2, "f4"), "baseline has shape (2,) and type float32"),
        ("9.weights", np.zeros(2, "f4"), "it has an array '9.weights' too many"),
    ],
)
def test_an_array_that_does_not_fit(folder, name, array, reason):
    arrays = load_file(folder / "weights.safetensors")
    save_file({**arrays, name: array}, folder / "weights.safetensors")
    assert why(folder) == reason


def test_an_array_of_a_type_that_no_run_has(folder):
    path = folder / "weights.safetensors"
    save_file({**load_file(path), "baseline": np.zeros(3, bool)}, path)
    seal(folder)
    assert str(refusal(folder)) == f"{path} cannot be read (baseline is of the type bool). {ADVICE}"


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("steps", {"step": np.arange(6)}, "its steps are not in their order"),
        (
            "steps",
            {"learning_rate": np.full(6, -1, "f4")},
            "a learning rate is no number",
        ),
        ("steps", {"batch_loss": np.arange(6)}, "the column batch_loss is of the type int64"),
        (
            "steps",
            {"more": np.arange(6)},
            "its trace has the columns ['batch_loss', 'learning_rate', 'more', 'step']",
        ),
        ("epochs", {"step": np.array([2, 6, 4])}, "its epochs are not in their order"),
        ("epochs", {"step": np.array([2, 4, 8])}, "its epochs are not in their order"),
        ("epochs", {"epoch": np.array([1, 2, 4])}, "its epochs have other steps"),
    ],
)
def test_a_trace_that_does_not_fit(folder, name, change, reason):
    path = folder / "trace.safetensors"
    columns = decode_arrays(path.read_bytes(), path)
    change = {f"{name}.{column}": values for column, values in change.items()}
    path.write_bytes(encode_arrays({**columns, **change}))
    assert why(folder) == reason


def spoil_state(folder, change) -> None:
    """Change the arrays of all states, and make their manifest of it."""
    index = folder / FOLDER
    marks = {}
    for name in read_manifest(index):
        arrays = decode_arrays((index / name).read_bytes(), index / name)
        content = encode_arrays(change(arrays))
        (index / name).write_bytes(content)
        marks[name] = Mark.of(content)
    write_manifest(index, marks)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state.step": np.array(5, "i4")}, "the state of step 6 is of another step"),
        ({"state.ending": np.array(9, "i4")}, "the state of step 6 ended in no known way"),
        ({"state.step": np.array([6], "i4")}, "state.step is missing, or no whole number"),
    ],
)
def test_a_checkpoint_that_contradicts_itself(folder, change, reason):
    (folder / "manifest.json").unlink()
    spoil_state(folder, lambda arrays: {**arrays, **change})
    assert str(refusal(folder)) == f"{folder / FOLDER} cannot be read ({reason}). {ADVICE}"


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_is_taken(folder):
    (folder / "manifest.json").unlink()
    last = newest_checkpoint(folder)[0].step
    path = next(one for one in states(folder) if one.name.startswith(f"step-{last}-"))
    path.write_bytes(path.read_bytes()[:-1])
    found, note = newest_checkpoint(folder)
    assert found.step < last
    assert note == (
        f"{path} cannot be read (it is not as it was written: its checksum is another). "
        f"Going on from step {found.step}."
    )
    assert ds.open_run(folder).outcome.step == found.step


def test_checkpoints_are_not_followed_elsewhere(folder, tmp_path_factory):
    (folder / "manifest.json").unlink()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / FOLDER).rename(elsewhere / FOLDER)
    (folder / FOLDER).symlink_to(elsewhere / FOLDER)
    assert str(refusal(folder)) == (
        f"{folder / FOLDER} cannot be read (it is a link, which may lead anywhere). {ADVICE}"
    )


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (
            {"source": "../secret.csv"},
            "The data set points was loaded from '../secret.csv'. Expected the name of a built-in "
            "data set, or a path from the root. Say where the data is with --data PATH, or give it "
            "in Python with data=.",
        ),
        (
            {"source": "xor", "options": {"on_progress": 3}},
            "The data set points cannot be loaded as it was (Object contains unknown field "
            "`on_progress`). Expected options that downslope.load takes. Give the data with "
            "data=, or name labelled data to test on.",
        ),
    ],
)
def test_data_is_loaded_only_from_a_place_and_in_a_way_that_are_plain(folder, card, message):
    edit(folder, lambda document: document["data"].update(card))
    seal(folder)
    run = ds.open_run(folder)
    with pytest.raises(ds.DataError) as caught:
        run.test()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "twice"),
    [
        ("format", ('"format":', '"format": 1, "format":')),
        ("seed", ('"seed":', '"seed": 99, "seed":')),
        ("source", ('"source":', '"source": "/etc/passwd", "source":')),
        ("epochs", ('"epochs":', '"\\u0065pochs": 1, "epochs":')),  # the same name, escaped
    ],
)
def test_a_name_that_is_there_twice_is_refused(folder, name, twice):
    """Of two values each reader takes another one."""
    path = folder / "run.json"
    content = path.read_text(encoding="utf-8")
    assert twice[0] in content
    path.write_text(content.replace(*twice, 1), encoding="utf-8")
    seal(folder)
    assert f"it has the name '{name}' twice" in str(refusal(folder))


def test_an_array_that_is_named_twice_is_refused(folder):
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    name = next(one for one in head if one.endswith("weights"))
    text = json.dumps(head)
    twice = text.replace("{", f'{{"{name}": {json.dumps(head[name])}, ', 1).encode()
    path.write_bytes(len(twice).to_bytes(8, "little") + twice + content[8 + length :])
    seal(folder)
    assert f"it has the name '{name}' twice" in str(refusal(folder))
