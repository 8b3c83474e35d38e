"""`downslope trace`, `neuron` and `layers`: what they print, write and refuse."""

import json

import pytest

import downslope as ds
from tests.cli.conftest import documented


def test_a_step_is_told_as_in_python(call, own_run):
    words = ("trace", own_run, "--step", 2, "--layer", 1, "--unit", 1, "--weight", 0)
    result = call(*words)
    assert result.exit_code == 0, result.output
    traced = ds.insight.trace_step(ds.open_run(own_run), 2, layer=1, unit=1, weight="0")
    assert result.stdout == f"{traced}\n"
    plain = json.loads(call(*words, "--json").stdout)
    assert set(plain) == documented("trace")
    assert plain["run"] == str(own_run)
    assert plain["step"] == 2
    assert plain["weight"]["weight"] == {"layer": 1, "name": "weights", "index": [0, 1]}
    assert plain["weight"]["chain"]["gradient"] == pytest.approx(traced.weight.chain.gradient)


def test_a_neuron_is_told_and_drawn(call, own_run):
    result = call("neuron", own_run, "--layer", 1, "--unit", 0, "--sample", 4)
    assert result.exit_code == 0, result.output
    told = str(ds.insight.neuron(ds.open_run(own_run), 1, 0, 4))
    picture = own_run / "pictures" / "neuron-1-0.png"
    drawn = f"  {picture.name}\n  {picture.with_suffix('.svg').name}\n"
    assert result.stdout == f"{told}\n\nPictures: {picture.parent}\n{drawn}"
    assert picture.stat().st_size > 10_000
    plain = json.loads(call("neuron", own_run, "--layer", 1, "--unit", 0, "--json").stdout)
    assert set(plain) == documented("neuron")
    assert len(plain["inputs"]) == len(plain["weights"]) == 2


def test_layers_are_told_and_drawn(call, own_run):
    result = call("layers", own_run, "--points", 3)
    assert result.exit_code == 0, result.output
    told = str(ds.insight.layers_over_time(ds.open_run(own_run), 3))
    assert result.stdout.startswith(f"{told}\n\nPictures: {own_run / 'pictures'}\n  layers.png\n")
    assert (own_run / "pictures" / "layers.png").is_file()
    plain = json.loads(call("layers", own_run, "--points", 3, "--no-pictures", "--json").stdout)
    assert set(plain) == documented("layers")
    assert [one["name"] for one in plain["layers"]] == ["1 Dense"]
    assert plain["layers"][0]["dead"] == [None, None, None]  # its activation is none that dies


def test_the_network_and_its_batches_are_told_and_drawn(call, own_run):
    run = ds.open_run(own_run)
    for name, found in (
        ("network", ds.insight.network(run, 4)), ("batches", ds.insight.batches(run, (1, 3))),
    ):  # fmt: skip
        words = ("--sample", 4) if name == "network" else ("--epochs", "1,3")
        result = call(name, own_run, *words)
        assert result.exit_code == 0, result.output
        assert result.stdout.split()[:40] == str(found).split()[:40]
        assert (own_run / "pictures" / f"{name}.png").stat().st_size > 10_000
        plain = json.loads(call(name, own_run, *words, "--no-pictures", "--json").stdout)
        assert set(plain) == documented(name)
        assert plain["summary"] == found.summary
    assert plain["epochs"] == [1, 3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("network", "--sample", 9999),
            "Sample 9,999 was asked for, and xor has 560 training samples. Expected a number from "
            "0 to 559. Choose another sample.",
        ),
        (
            ("batches", "--batch", 0),
            "Batch 0 was asked for, and an epoch has 18. Expected a batch from 1 to 18. Batches "
            "are counted from 1 in each epoch.",
        ),
        (
            ("trace", "--step", 9999),
            "Step 9,999 was asked for, and the run has 54 steps. Expected a step from 1 to 54. "
            "Steps are counted from 1.",
        ),
        (
            ("neuron", "--layer", 3, "--unit", 0),
            "Layer 3 was asked for, and the network has 1. Expected one of: 1 Dense. Layers are "
            "counted from 1.",
        ),
        (
            ("layers", "--points", 1),
            "1 steps are to be looked at. Expected at least 2. 25 is the default.",
        ),
    ],
)
def test_what_is_not_there_is_one_message(refused, own_run, words, message):
    command, *options = words
    assert refused(command, own_run, *options) == message


def test_a_folder_that_is_no_run(refused, tmp_path):
    assert "has no run.json" in refused("layers", tmp_path)
