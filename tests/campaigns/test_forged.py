"""Small sizes of the campaigns of forged folders and of a stranger's texts."""

import sys

import pytest

from tests.campaigns import escapes, forged

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it limits addresses")


@pytest.mark.campaign
@linux
def test_a_few_absurd_numbers_in_run_folders():
    became, wrong = forged.campaign(0.015, workers=1)
    assert wrong == []
    assert became["refused"] > 8
    assert became["a whole run"] > 2
    assert became.keys() == {"refused", "a whole run"}


def test_every_number_is_forged():
    text = "conv 4 3 stride=1, dropout rate=0.2, dense units=3"
    assert [one[0] for one in forged.numbers_in(text)] == ["4", "3", "1", "0.2", "3"]
    bases = {
        "one": {"run.json": b'{"a": 1, "b": [2, {"c": 3.5}], "d": true, "network": "dense 7"}'}
    }
    found = forged.cases(bases)
    assert {index for _, index, _ in found} == {("a",), ("b", 0), ("b", 1, "c"), ("network",)}
    assert len(found) == 4 * len(forged.NUMBERS)
    assert ("one", ("network",), "dense 9999999999") in found


@pytest.mark.campaign
def test_a_stranger_s_texts_at_every_door(tmp_path):
    count, wrong = escapes.campaign(tmp_path, is_small=True)
    assert wrong == []
    assert count > 30


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_a_stranger_s_texts_on_a_terminal(tmp_path):
    drawn = escapes.on_a_terminal(tmp_path).decode(errors="replace")
    assert "Traceback" not in drawn
    assert r"\x1b[2J\x1b[31mred" in drawn
    for text in escapes.TEXTS[:-1]:
        for piece in (text, text.replace("\n", "\r\n")):
            assert piece not in drawn


def test_what_would_come_out_is_noticed():
    assert escapes.faults("fine\nlines", "x") == []
    assert escapes.faults("a\x1b[2J", "x")
    assert escapes.faults("a\n  INJECTED", "x")
