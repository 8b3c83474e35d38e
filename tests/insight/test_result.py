"""Results as text, as JSON has them, as HTML and as figures; one kind of value for all."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from downslope.errors import DownslopeError
from downslope.result import FEW_ENOUGH, PROGRAM_ONLY, OfParts, Result, plain
from downslope.text import Table


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    fraction: np.float32


@dataclass(frozen=True)
class Outer(Result):
    inner: Inner
    pair: tuple
    names: dict
    losses: OfParts
    path: Path | None = None
    network: object = field(default=None, metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = ("double",)

    @property
    def double(self):
        return 2 * self.inner.values

    @property
    def summary(self):
        return "It is <small>.\nAnd \x1b[2J so on."

    def parts(self):
        yield Table(("name", "value"), [("a\x1b", "1"), ("<b>", "10")], numeric=(1,))
        yield ""
        yield self.summary
        yield "  as it is"


VALUE = Outer(
    Inner(np.arange(3), np.float32(0.5)), (1, np.int64(2)), {3: "x"}, OfParts(1.5, 2.5), Path("a/b")
)


def test_it_becomes_plain_values_made_from_its_fields():
    found = VALUE.to_dict()
    assert found == {
        "summary": VALUE.summary,
        "inner": {"values": [0, 1, 2], "fraction": 0.5},
        "pair": [1, 2],
        "names": {"3": "x"},
        "losses": {"train": 1.5, "validation": 2.5},
        "path": str(Path("a/b")),
        "double": [0, 2, 4],
    }
    assert json.loads(json.dumps(found)) == found
    assert plain({"one": VALUE})["one"] == found


def test_long_arrays_are_whole_unless_their_result_says_so():
    large = np.arange(5000.0).reshape(50, 100)
    assert plain({"x": large}) == {"x": large.tolist()}
    assert plain({"x": large}, FEW_ENOUGH) == {
        "x": {"shape": [50, 100], "least": 0.0, "greatest": 4999.0, "mean": 2499.5}
    }


def test_its_text_is_its_parts_in_order():
    lines = str(VALUE).split("\n")
    assert lines[:3] == ["name   value", "a\\x1b      1", "<b>       10"]
    assert lines[3:] == ["", "It is <small>.", "And \x1b[2J so on.", "  as it is"]


def test_a_notebook_shows_the_same_and_obeys_nothing():
    html = VALUE._repr_html_()
    assert "<p>It is &lt;small&gt;.</p><p>And \\x1b[2J so on.</p>" in html
    assert '<td style="text-align:left">&lt;b&gt;</td>' in html
    assert '<td style="text-align:right">10</td>' in html
    assert html.count("<tr>") == 3
    assert "\x1b" not in html


def test_a_table_is_as_wide_as_it_may_be():
    table = Table(("name", "note"), [("one", "some words that are long")], indent="  ")
    assert table.lines() == ["  name  note", "  one   some words that are long"]
    assert table.lines(24) == ["  name  note", "  one   some words that", "        are long"]


def test_figures_have_names_and_are_drawn_when_asked(tmp_path):
    import downslope as ds
    from downslope.insight.minima import minima
    from downslope.nn.notation import parse

    assert VALUE.figures() == {}
    assert VALUE.plot() == {}
    found = minima(parse("dense 1"), ds.load("waves"), starts=2, epochs=1)
    assert list(found.figures()) == ["minima"]
    drawn = found.plot(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["minima.png", "minima.svg"]
    assert drawn._repr_html_().startswith('<img src="data:image/png;base64,iVBOR')
    with pytest.raises(DownslopeError, match=r"minima\.png"):
        found.plot(tmp_path / "minima.png")
