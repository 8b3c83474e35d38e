"""The catalogue has everything that can be named, and the page of the docs is made of it."""

from pathlib import Path

import pytest

import downslope as ds
from downslope.engine.optimizers import OPTIMIZERS
from downslope.nn.activations import ACTIVATIONS
from downslope.nn.notation import LAYERS

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"
HEAD = """# The catalogue

What a network and a training can be made of; `ds.catalogue()` prints the same. [Parts of your own](python.md#parts-of-your-own) go wherever these names go. This page is made by `python -m downslope.insight.catalogue`. Words are explained in the [glossary](glossary.md).

"""  # noqa: E501 - a page has long lines


def test_the_page_is_what_the_catalogue_says():
    assert PAGE.read_text(encoding="utf-8") == HEAD + ds.catalogue().markdown()


def test_every_kind_is_a_table_that_python_and_json_show():
    found = ds.catalogue("optimizers")
    assert [one.name for one in found.entries["optimizers"]] == list(OPTIMIZERS)
    assert "b2=0.999" in str(found)
    assert found.to_dict()["entries"]["optimizers"][0]["settings"]["learning_rate"] == 0.1
    assert ds.catalogue().summary.startswith(
        f"{len(LAYERS)} layers, {len(ACTIVATIONS)} activations, "
    )
    with pytest.raises(ds.SettingError, match="Did you mean 'losses'"):
        ds.catalogue("loss")


def test_every_entry_has_a_formula():
    for entries in ds.catalogue().entries.values():
        assert all(one.formula for one in entries)
    named = [one.name for one in ds.catalogue("activations").entries["activations"]]
    assert named == list(ACTIVATIONS)
