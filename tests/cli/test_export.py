"""`downslope export`: what it prints, and what it refuses."""

import json

import pytest

from tests.cli.conftest import documented


def test_what_is_told_of_a_python_file(call, xor_run, tmp_path):
    result = call("export", xor_run, "--to", "numpy", "--out", "net.py")
    assert result.exit_code == 0
    first, second, *rest = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path}/net.py (") and second.startswith(f"{tmp_path}/net.npz (")
    assert rest == [
        "",
        "It needs no Downslope. In its folder:",
        "  from net import predict",
        "  predict(inputs)",
        "or in a shell: python net.py rows.csv",
    ]


@pytest.mark.peers
def test_what_is_told_of_onnx(call, crowd_run, tmp_path):
    pytest.importorskip("onnx")
    text = call("export", crowd_run, "--to", "onnx", "--out", "street.onnx").stdout
    assert "pixels of 0 to 255, uint8, of shape (samples, height, width, 3)" in text
    assert "Out come prediction (people in each photo), density (where they are)." in text


def test_json_and_overwriting(call, refused, xor_run, tmp_path):
    words = ("export", xor_run, "--to", "safetensors", "--out", "a.safetensors")
    made = json.loads(call(*words, "--json").stdout)
    assert set(made) == documented("export")
    assert made == {"format": "safetensors", "files": [f"{tmp_path}/a.safetensors"]}
    assert refused(*words) == (
        f"{tmp_path}/a.safetensors is there already. Expected the name of a new file. "
        "Remove it, name another, or give --overwrite (from Python overwrite=True)."
    )
    assert call(*words, "--overwrite").exit_code == 0


def test_unknown_format(refused, xor_run):
    assert refused("export", xor_run, "--to", "tensorflow") == (
        "There is no format called 'tensorflow'. Expected one of onnx, safetensors, numpy, torch, "
        "keras. Choose one of them."
    )
