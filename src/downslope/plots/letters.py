"""Letters that the usual font lacks: another font of the system that has them, or their escape.

Names of classes and columns come in every script. A letter that no font has would be drawn as an
empty box, the same for all of them, so that two names could not be told apart.
"""

from __future__ import annotations

import logging
import unicodedata
from functools import cache, lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

# those with the most scripts first; others are tried by their names
_PREFERRED = (
    "Noto Sans CJK", "Source Han Sans", "Noto Sans", "WenQuanYi", "Droid Sans Fallback",
    "Microsoft YaHei", "PingFang", "Hiragino", "Malgun Gothic", "Arial Unicode MS", "Unifont",
)  # fmt: skip
_UNUSABLE = ("color", "last resort", "lastresort", "nastaliq")  # pictures, or boxes for all


def make_readable(figure: Figure) -> None:
    """Give each text of a figure fonts that have its letters.

    Args:
        figure: The figure, before it is drawn.
    """
    for axes in figure.get_axes():  # whose labels are made when they are asked for
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_ticklabels()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        words = text.get_text()
        if words.isascii():
            continue
        own = findfont(text.get_fontproperties())
        lacking = sorted({letter for letter in words if not _has(own, letter)})
        found = dict.fromkeys(font for letter in lacking if (font := font_with(letter)))
        if found:
            _say_nothing_of_weights()
            text.set_fontfamily([*text.get_fontfamily(), *found])


def drawable(text: str) -> str:
    """A text with the escape of each letter that no font of this system has."""
    if text.isascii():
        return text
    usual = findfont(FontProperties())
    return "".join(
        letter if _has(usual, letter) or font_with(letter) else _escaped(letter) for letter in text
    )


def _escaped(letter: str) -> str:
    if letter == "\ufe0f" or unicodedata.category(letter) == "Cf":  # without a form of its own
        return ""
    return f"\\u{ord(letter):04x}" if ord(letter) < 1 << 16 else f"\\U{ord(letter):08x}"


@cache
def _say_nothing_of_weights() -> None:
    """Another font may have no bold letters, which is no reason to write to the terminal."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


@lru_cache(maxsize=4096)
def font_with(letter: str) -> str | None:
    """The family of a font of this system that has a letter; None if there is none."""
    return next((name for name, path in _fonts() if _has(path, letter)), None)


@cache
def _fonts() -> tuple[tuple[str, str], ...]:
    """Family and path of each upright font of the system, the most useful first."""
    upright = [one for one in fontManager.ttflist if one.style == "normal"]
    upright = [one for one in upright if not any(word in one.name.lower() for word in _UNUSABLE)]

    def rank(name: str) -> tuple[int, str]:
        found = (index for index, one in enumerate(_PREFERRED) if name.startswith(one))
        return next(found, len(_PREFERRED)), name

    paths = {one.name: one.fname for one in reversed(upright)}
    return tuple((name, paths[name]) for name in sorted(paths, key=rank))


def _has(path: str, letter: str) -> bool:
    return letter.isspace() or ord(letter) in _letters(path)


@lru_cache(maxsize=512)
def _letters(path: str) -> frozenset[int]:
    """Which letters a font has; none where it cannot be read."""
    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()
