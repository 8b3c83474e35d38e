"""Text is wrapped between words at any width, on a terminal and in a pipe; commands are not."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from downslope.cli.lines import line_width, print_table, say
from downslope.text import wrapped

START = "from downslope.cli.main import main; main()"
WORDS = st.lists(st.text("abc-,.:/'=漢字é", min_size=1, max_size=12), max_size=30)


@given(WORDS, st.integers(1, 60))
def test_lines_fit_and_no_word_is_lost_or_broken(words, width):
    lines = wrapped(" ".join(words), width)
    assert " ".join(lines).split() == " ".join(words).split()
    for line in lines:
        assert cell_len(line) <= width or " " not in line or "'" in line


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("one two three", 80, ["one two three"]),
        ("one two three", 9, ["one two", "three"]),
        ("one two three", 1, ["one", "two", "three"]),
        ("a  table  of  cells", 80, ["a  table  of  cells"]),
        ("go on: downslope resume 'my run'", 12, ["go on:", "downslope", "resume", "'my run'"]),
        ("漢字漢字 漢字", 9, ["漢字漢字", "漢字"]),
        ("don't break it", 6, ["don't", "break", "it"]),
        ("", 5, [""]),
    ],
)
def test_by_hand(line, width, lines):
    assert wrapped(line, width) == lines


def test_commands_and_paths_stay_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert line_width() == 20
    say("some words that are too many for it")
    say("  downslope resume 'a run with blanks' --epochs 80")
    say("Run: /a/folder with blanks/and more", exact=True)
    assert capsys.readouterr().out.splitlines() == [
        "some words that are",
        "too many for it",
        "  downslope resume 'a run with blanks' --epochs 80",
        "Run: /a/folder with blanks/and more",
    ]


def test_the_last_column_of_a_table_is_wrapped_below_itself(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    rows = [("漢字", "1", "a note that takes two lines"), ("ab", "22", "short")]
    print_table(("name", "n", ""), rows, numeric=(1,))
    assert capsys.readouterr().out.splitlines() == [
        "name   n",
        "漢字   1  a note that takes",
        "          two lines",
        "ab    22  short",
    ]


@pytest.mark.parametrize("width", [None, 40, 23])
def test_a_pipe_gets_wrapped_lines(width, tmp_path, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    if width:
        monkeypatch.setenv("COLUMNS", str(width))
    made = subprocess.run(
        [sys.executable, "-c", START, "train", "digits", "--optimizer", "lion"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 2
    lines = made.stderr.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= (width or 80)
    assert " ".join(lines).startswith("Error: There is no optimizer called 'lion'. Expected one")
