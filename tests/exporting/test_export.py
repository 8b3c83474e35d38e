"""Which files come out, where they go, and what is told when they cannot."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import downslope as ds
from downslope.exporting.export import FORMATS
from tests.exporting.drawn import drawn_run, load_source
from tests.plain import PLAIN

NEEDS_ONNX = pytest.param("onnx", marks=pytest.mark.peers)


@pytest.fixture
def run():
    data = ds.load("xor")
    return ds.train(ds.Network([ds.Dense(2)]), data, options=PLAIN, loss="cross_entropy", epochs=1)


def told(error: type[Exception], *words, **more) -> str:
    with pytest.raises(error) as caught:
        ds.export(*words, **more)
    return str(caught.value)


@pytest.mark.parametrize("to", [NEEDS_ONNX if to == "onnx" else to for to in FORMATS])
def test_files_go_into_the_run_s_folder_and_are_never_overwritten(run, to, tmp_path):
    if to == "onnx":
        pytest.importorskip("onnx")
    run = run.save(tmp_path / "r")
    files = ds.export(run.folder, to=to)
    assert {file.parent for file in files} == {tmp_path / "r" / "export"}
    assert sorted(files) == sorted((tmp_path / "r" / "export").iterdir())
    files[-1].write_bytes(b"mine")
    assert told(ds.StorageError, run, to=to) == (
        f"{files[0]} is there already. Expected the name of a new file. "
        "Remove it, name another, or give --overwrite (from Python overwrite=True)."
    )
    assert files[-1].read_bytes() == b"mine"
    assert ds.export(run, to=to, overwrite=True) == files
    assert files[-1].read_bytes() != b"mine"


def test_weights_beside_are_not_overwritten_either(run, tmp_path):
    (tmp_path / "net.npz").write_bytes(b"mine")
    assert "net.npz is there already." in told(
        ds.StorageError, run, tmp_path / "net.py", to="numpy"
    )
    assert not (tmp_path / "net.py").exists()


def test_unknown_format(run, tmp_path):
    assert told(ds.SettingError, run, tmp_path / "a", to="pytorch") == (
        "There is no format called 'pytorch'. Expected one of onnx, safetensors, numpy, torch, "
        "keras. Did you mean 'torch'?"
    )


def test_no_run(tmp_path):
    assert told(ds.RunError, tmp_path / "no", to="onnx") == (
        f"{tmp_path}/no does not exist. Expected the folder of a run, such as runs/digits-1. "
        "Train one with: downslope train digits."
    )


def test_names_that_do_not_suit(run, tmp_path):
    assert told(ds.SettingError, run, tmp_path / "net.txt", to="onnx") == (
        "The file is to be called net.txt. Expected a name that ends in .onnx. Try net.onnx."
    )
    ending = "Expected a name of letters, digits and underscores that no library has. "
    assert told(ds.SettingError, run, tmp_path / "torch.py", to="torch") == (
        f"A file called torch.py would hide Python's own torch. {ending}Try my_network.py."
    )
    assert told(ds.SettingError, run, tmp_path / "a-1.py", to="numpy") == (
        f"A file called a-1.py could not be imported. {ending}Try my_network.py."
    )
    assert told(ds.SettingError, run, to="numpy") == (
        "The run has no folder to write into. Expected a path. Give the path of a new file."
    )


def test_missing_onnx(run, tmp_path, monkeypatch):
    find = "importlib.util.find_spec"
    monkeypatch.setattr(find, lambda name: None)
    assert told(ds.SettingError, run, tmp_path / "a.onnx", to="onnx") == (
        "The package onnx is not installed. Expected it, to write ONNX files. "
        "Install it with: pip install onnx onnxruntime"
    )
    assert not (tmp_path / "a.onnx").exists()


def test_an_own_loss_is_exported_and_an_own_link_refused(tmp_path):
    def cubic(prediction, target):
        return abs(prediction - target).reshape(len(prediction), -1).sum(axis=1) ** 3

    data = ds.load("waves")
    network = ds.Network([ds.Dense(1)])
    run = ds.train(network, data, options=PLAIN, loss=cubic, optimizer="adam", epochs=1)
    made = load_source(ds.export(run, tmp_path / "own.py", to="numpy")[0])
    inputs = data.test.inputs[:9]
    np.testing.assert_allclose(made.predict(inputs), run.predict(inputs), rtol=1e-5, atol=1e-6)
    run = ds.train(
        network, data, options=PLAIN, loss=ds.Loss("own", cubic, link=lambda z: 2 * z), epochs=1
    )
    assert told(ds.SettingError, run, tmp_path / "b.py", to="numpy") == (
        "The loss own reads outputs with a link of its own. Expected the link of one of "
        "Downslope's losses. Leave the link of the Loss out, and apply it behind the exported "
        "network."
    )


def test_safetensors_have_the_run_s_names_and_say_what_they_are(run, tmp_path):
    (path,) = ds.export(run, tmp_path / "a.safetensors", to="safetensors")
    arrays = safetensors.numpy.load_file(path)
    assert set(arrays) == {"1.weights", "1.biases", "scaling.mean", "scaling.std"}
    np.testing.assert_array_equal(arrays["1.weights"], run.parameters[0]["weights"])
    with safetensors.safe_open(path, "numpy") as file:
        notes = file.metadata()
    assert (notes["network"], notes["task"], notes["link"]) == (
        "dense 2",
        "classification",
        "softmax",
    )
    assert json.loads(notes["class_names"]) == list(run.data.class_names)
    assert "(features, units)" in notes["reading"]


def test_names_cannot_become_code(tmp_path):
    run, inputs = next(
        (run, inputs)
        for run, inputs in map(drawn_run, range(100))
        if run.data.encoding is not None and run.data.task == "classification"
    )
    wild = '"]\nraise SystemExit("""'
    classes = (wild, *run.data.class_names[1:])
    run = replace(run, data=replace(run.data, name=wild, class_names=classes))
    made = load_source(ds.export(run, tmp_path / "wild.py", to="numpy")[0])
    assert made.CLASSES[0] == wild
    assert len(made.predict(inputs)) == 5


def test_a_file_runs_by_itself(run, tmp_path):
    main, _ = ds.export(run, tmp_path / "alone.py", to="numpy")
    inputs = run.with_data().dataset.test.inputs[:7]
    np.savetxt(tmp_path / "rows.csv", inputs, delimiter=",")
    code = f"import sys, runpy; sys.modules['downslope'] = None; sys.argv[1:] = ['rows.csv']; \
runpy.run_path({str(main)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    names = [run.data.class_names[index] for index in run.predict(inputs)]
    assert done.stdout.splitlines() == names
