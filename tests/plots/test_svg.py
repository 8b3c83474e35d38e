"""Figures as SVG: whole, the same each time, and pointing nowhere."""

import re
import xml.etree.ElementTree

from downslope.insight import slope
from downslope.plots import save
from downslope.plots.slope import tangents
from downslope.plots.style import save_all
from downslope.plots.svg import svg_of


def test_an_svg_is_well_formed_and_refers_to_nothing_outside(tmp_path):
    path = save(tangents(slope()), tmp_path / "a.svg")
    text = path.read_text(encoding="utf-8")
    root = xml.etree.ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert set(re.findall(r"https?://[^\"]*", text)) == {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }  # names of formats, which nobody loads
    names = re.findall(r'\bid="([^"]+)"', text)
    used = re.findall(r'url\(#([^)]+)|href="#([^"]+)', text)
    assert len(names) == len(set(names))
    assert {one or other for one, other in used} == set(names)


def test_the_same_figure_has_the_same_bytes():
    assert svg_of(tangents(slope())) == svg_of(tangents(slope()))
    assert 'id="a0"' in svg_of(tangents(slope()), prefix="a")


def test_a_figure_can_be_saved_in_both_kinds(tmp_path, png_size):
    figure = tangents(slope())
    before = png_size(save(figure, tmp_path / "a.png"))
    save(figure, tmp_path / "a.svg")
    assert png_size(save(figure, tmp_path / "b.png")) == before


def test_all_kinds_of_all_figures(tmp_path):
    paths = save_all([("a", tangents(slope())), ("b", tangents(slope("x")))], tmp_path / "new")
    assert [path.name for path in paths] == ["a.png", "a.svg", "b.png", "b.svg"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in paths
    )
