"""Names in any script can be told apart: drawn by a font that has them, or by their escapes."""

import os

import numpy as np
import pytest

from downslope.plots import letters, style

NAMES = ("猫", "犬", "кошка", "chó", "🐦", "ไก่", "cat")


def picture(names):
    figure = style.new_figure(f"Classes {names[0]} and {names[1]}", "", height=2)
    axes = style.dress(figure.subplots())
    axes.barh(range(len(names)), range(len(names)))
    axes.set_yticks(range(len(names)), [style.plain(one) for one in names])
    return figure


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_no_glyph_is_missing(tmp_path, ending):
    """A letter that no font has would warn, and warnings are errors here."""
    figure = picture(NAMES)
    path = style.save(figure, tmp_path / f"a.{ending}")
    assert path.stat().st_size > 1000


def test_names_stay_apart_without_any_font(tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "_fonts", tuple)
    letters.font_with.cache_clear()
    assert style.plain("猫") == "\\u732b"
    assert style.plain("犬") == "\\u72ac"
    assert style.plain("a🐦") == "a\\U0001f426"
    assert style.plain("кошка é") == "кошка é"  # which the usual font has
    style.save(picture(NAMES), tmp_path / "a.png")
    letters.font_with.cache_clear()


def test_another_font_draws_what_the_usual_one_lacks(tmp_path):
    if letters.font_with("猫") is None:
        assert not os.environ.get("CI"), "CI has to have a font with Chinese letters"
        pytest.skip("no font of this system has Chinese letters")
    assert style.plain("猫") == "猫"
    drawn = []
    for name in ("猫", "犬"):
        figure = style.new_figure(name, "", height=1)
        letters.make_readable(figure)
        figure.canvas.draw()
        drawn.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    assert (drawn[0] != drawn[1]).any()
