"""Messages: one line of bounded length, whatever a stranger's text would do to a terminal."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import downslope as ds
from downslope.cli.lines import plain_json, print_table, say
from downslope.errors import LONGEST_PART, printable

# each with what is to be seen
STRANGE = {
    "\x1b[2J\x1b[31m": r"\x1b[2J\x1b[31m",  # clears the screen
    "\x9b2J": r"\x9b2J",  # the same in one character, for terminals that know it
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\here": r"\x1b]8;;http://x\x1b\here",
    "a\rb\b\x7f": r"a\rb\x08\x7f",
    "a\nError: no": r"a\nError: no",
    "\u202egnp.exe": r"\u202egnp.exe",  # reads as exe.png
    "\u2066a\u2069\u200f\u061c": r"\u2066a\u2069\u200f\u061c",
    "ca\u200bt\u2060\ufeff\u00ad": r"ca\u200bt\u2060\ufeff\xad",
    "\u2028\u2029\x85": r"\u2028\u2029\x85",
    "\u3164\u2800": r"\u3164\u2800",  # blank, and letters or symbols all the same
    "\U000e0041\ue000\U0010ffff": r"\U000e0041\ue000\U0010ffff",
    b"caf\xe9".decode("utf-8", "surrogateescape"): r"caf\xe9",
    "\ud800": r"\ud800",
}
PLAIN = ["Zürich", "猫と犬", "قطة", "กขค", "ñandú ~ 1 × 2 − 3", "😀", "e\u0301", "1\u00a0000"]


@pytest.mark.parametrize("text", STRANGE)
def test_what_a_terminal_would_obey_is_shown(text):
    assert printable(text) == STRANGE[text]
    assert printable(f"Zürich{text}") == f"Zürich{STRANGE[text]}"


@pytest.mark.parametrize("text", PLAIN)
def test_letters_of_all_scripts_stay(text):
    assert printable(text) == text


@given(st.text(st.characters(codec=None)))
def test_nothing_else_is_left(text):
    shown = printable(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", STRANGE)
def test_every_message_is_escaped(text):
    error = ds.DataError(f"There is {text}.", f"other than {text}", f"Leave {text} out.")
    assert str(error) == (
        f"There is {STRANGE[text]}. Expected other than {STRANGE[text]}. Leave {STRANGE[text]} out."
    )


def test_messages_have_bounded_length():
    error = ds.DataError("There is " + "x" * 10**6 + ".", "less", "Leave " + "y" * 10**6 + " out.")
    assert len(str(error)) < 3 * LONGEST_PART + 50
    assert str(error).startswith("There is xxx")
    assert str(error).endswith("yyy out.")


@pytest.mark.parametrize("text", STRANGE)
def test_lines_tables_and_json(text, capsys):
    say(f"a {text}\nb", heading="Look:")
    print_table(["name", text], [[text, "1"]])
    out = capsys.readouterr().out
    kept = text.replace("\n", "")  # sentences of our own have line ends
    assert not set(kept) & set(out) - set(map(chr, range(32, 127)))
    assert out.count(STRANGE[text]) >= 2
    written = plain_json({text: [text, "Zürich"]})
    assert json.loads(written) == {text: [text, "Zürich"]}
    assert "Zürich" in written
    assert printable(written) == written
