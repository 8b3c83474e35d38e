"""The built-in sets against known facts, and the shipped files against docs/data.md."""

import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from downslope.data import builtin
from downslope.data.builtin import BUILT_IN

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
INSTANT = [name for name in BUILT_IN if not name.startswith("crowd")]


def test_the_table():
    assert list(BUILT_IN) == [
        *(
            "digits",
            "spam",
            "crowd",
            "crowd-counts",
            "circles",
            "xor",
            "moons",
            "spirals",
            "blobs",
            "waves",
        )
    ]
    for name, entry in BUILT_IN.items():
        assert entry.name == name
        assert "\n" not in entry.description
        assert len(entry.description) < 60


@pytest.mark.parametrize("name", INSTANT)
def test_each_set_is_what_the_table_says(name):
    unsplit = BUILT_IN[name].read(None)
    assert (unsplit.name, unsplit.source) == (name, name)
    assert unsplit.task == BUILT_IN[name].task
    assert unsplit.generated == BUILT_IN[name].generated
    sizes = unsplit.split(0).sizes
    assert sum(sizes.values()) == len(unsplit.samples)
    assert sizes["test"] == round(0.2 * len(unsplit.samples))


def test_digits():
    samples = builtin.digits().samples
    assert samples.inputs.shape == (1797, 64)
    assert samples.inputs.dtype == np.uint8
    assert (samples.inputs.min(), samples.inputs.max()) == (0, 16)
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(samples.targets).tolist() == counts


@pytest.mark.peers
def test_digits_are_those_of_scikit_learn():
    reference = pytest.importorskip("sklearn.datasets").load_digits()
    samples = builtin.digits().samples
    np.testing.assert_array_equal(samples.inputs, reference.data)
    np.testing.assert_array_equal(samples.targets, reference.target)


def test_spam():
    unsplit = builtin.spam()
    samples = unsplit.samples
    assert samples.inputs.shape == (4601, 57)
    assert samples.inputs.dtype == np.float32
    assert np.bincount(samples.targets).tolist() == [4601 - 1813, 1813]
    assert unsplit.class_names == ("ham", "spam")
    assert len(set(unsplit.input_names)) == 57
    first = dict(zip(unsplit.input_names, samples.inputs[0].tolist(), strict=True))
    assert first["word_freq_make"] == 0
    assert first["char_freq_!"] == pytest.approx(0.778)
    assert first["capital_run_length_total"] == 278
    # the means that the donors state for these three inputs
    means = dict(zip(unsplit.input_names, samples.inputs.mean(axis=0, dtype=float), strict=True))
    assert means["word_freq_make"] == pytest.approx(0.10455, abs=1e-5)
    assert means["capital_run_length_average"] == pytest.approx(5.1915, abs=1e-4)
    assert means["capital_run_length_total"] == pytest.approx(283.29, abs=1e-2)


@pytest.mark.parametrize("file", ["digits.csv.gz", "spam.csv.gz"])
def test_shipped_files_are_those_of_the_docs(file):
    data = resources.files("downslope.data").joinpath("files", file).read_bytes()
    assert len(data) < 200_000
    assert hashlib.sha256(data).hexdigest() in DOCS.read_text()


def test_a_small_crowd(monkeypatch):
    monkeypatch.setattr(builtin, "CROWD_TRAINING", 10)
    monkeypatch.setattr(builtin, "CROWD_TEST", 2)
    seen = []
    unsplit = builtin.crowd(lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]
    dataset = unsplit.split(0)
    assert dataset.sizes == {"train": 9, "validation": 1, "test": 2}
    assert dataset.input_shape == (192, 256, 3)
    assert dataset.train.inputs.dtype == np.uint8
    assert dataset.output_shape == (24, 32, 1)
    assert dataset.generated
    assert dataset.photo_side == 256
    for part in (dataset.train, dataset.validation, dataset.test):
        np.testing.assert_allclose(part.counts, part.counts.round(), atol=1e-4)
    assert not np.array_equal(unsplit.samples.inputs[0], unsplit.test.inputs[0])


@pytest.mark.parametrize("name", INSTANT)
def test_the_listed_size_is_the_real_one(name):
    assert BUILT_IN[name].samples == len(BUILT_IN[name].read(None).samples)
