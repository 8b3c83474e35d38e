"""Texts as the numbers of their words."""

import zlib

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.data.tables import words
from downslope.data.tables.column_types import decide
from downslope.data.tables.encoding import learn
from downslope.errors import DataError

SMILE = "\U0001f600"


def split(message):
    return [word[0].lower() for word in words.words_of(message)]


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("WIN a £1,000 prize!!!", ["win", "a", "£", "1", ",", "000", "prize", "!!!"]),
        (f"ok {SMILE}{SMILE} bye", ["ok", SMILE * 2, "bye"]),
        ("我们明天见", list("我们明天见")),
        ("<b>Free</b>\n\n&nbsp;", ["<", "b", ">", "free", "</", "b", ">", "&", "nbsp", ";"]),
        ("a\0b", ["a", "\0", "b"]),
        ("  \n", []),
    ],
)
def test_words_are_letters_signs_or_ideographs(message, found):
    assert split(message) == found


def test_hashes_are_those_of_words_then_pairs_then_parts_each_once():
    parts = ["<fr", "fre", "ree", "ee>", "<fre", "free", "ree>", "<free", "free>"]
    texts = ["<free>", "free free", *parts]
    expected = [zlib.crc32(one.encode()) % 2**22 for one in texts]
    assert words.hashes_of_message("FREE free", {}) == expected
    assert expected[0] == 591_629  # on every machine


def test_a_message_is_the_numbers_of_the_hashes_that_two_training_messages_have():
    messages = np.array(["win cash", "win cash now", None, "hello"], object)
    hashes, size = words.learn_words(messages)
    both = sorted(words.hashes_of_message("win cash", {}))
    assert list(hashes) == both
    assert size == len(both)
    found = words.word_indices(["win cash", "unknown", None, ""], hashes, size)
    assert sorted(found[0]) == list(range(1, size + 1))
    assert not found[1:].any()
    assert hashes[int(found[0, 0]) - 1] == words.hash_of("<win>")


def test_memory_is_bounded_and_cut_messages_are_told():
    long = " ".join(f"word{number}" for number in range(5000))
    messages = np.array([long, long, "word1 is short", "word1 is short"], object)
    hashes, size = words.learn_words(messages)
    assert size == words.LONGEST_LIST
    assert len(hashes) <= words.MOST_KNOWN
    found = words.word_indices(messages, hashes, size)
    assert words.cut_messages(messages, found, hashes).tolist() == [0, 1]
    table = pa.table({"m": messages.tolist(), "z": [1.0, 2.0, 3.0, 5.0]})
    encoding = learn(table, decide(table, {"m": "text"}).columns)
    notes = []
    assert encoding.encode(table, notes).shape == (4, 1 + size)
    assert notes == [
        "Of each text of the column 'm' at most 1,000 words are read, and 1,024 numbers of words, "
        "pairs and parts are kept: 2 texts have more, such as that of row 1."
    ]


def test_lists_of_many_messages_are_shorter(monkeypatch):
    monkeypatch.setattr(words, "MOST_NUMBERS", 8 * 100)
    messages = np.array(["one two three four five six seven eight nine ten"] * 8, object)
    assert words.learn_words(messages)[1] == 100


def test_codes_are_no_texts_and_texts_without_a_common_word_are_told():
    rows = 60
    rng = np.random.default_rng(0)
    codes = [f"{number:x}" for number in rng.integers(0, 2**60, rows)]
    alone = [" ".join(f"{number:x}" for number in rng.integers(2**55, 2**60, 4)) for _ in codes]
    frame = pa.table({"code": codes, "alone": alone, "x": range(rows), "y": [0, 1] * (rows // 2)})
    data = ds.load(frame.set_column(2, "x", pa.array(rng.normal(size=rows))), target="y")
    kinds = {one.name: one.kind for one in data.columns}
    assert kinds["code"] == "ignored"
    assert kinds["alone"] == "text"


def test_equal_messages_are_a_constant_and_a_column_of_unknown_words_alone_is_refused():
    same = pa.table({"m": ["all of us are the same"] * 40, "y": [0, 1] * 20})
    with pytest.raises(DataError, match="There is no column to learn from"):
        ds.load(same, target="y")
    letters = [" ".join(chr(0x4E00 + 4 * row + at) for at in range(4)) for row in range(40)]
    with pytest.raises(DataError, match="No two texts of the column 'm' have a word in common"):
        ds.load(pa.table({"m": letters, "y": [0, 1] * 20}), target="y")
