"""The words of messages as numbers: words, pairs of words and parts of words, each by its hash.

    free -> <free>, and its parts of 3 to 5 letters: <fr, fre, ree, ee>, <fre, free, ree>, ...

The hash is CRC-32 modulo 2^22, which is the same on every machine. Those hashes that several
training messages have are numbered; a message is the list of the numbers that it has. What stands
above `learn_words` is copied, as it is, into the files that Downslope writes for tables.

Source: Joulin et al., Bag of tricks for efficient text classification, 2017; Bojanowski et al.,
Enriching word vectors with subword information, 2017.
"""

from __future__ import annotations

import itertools
import re
import zlib

import numpy as np

HASHES = 1 << 22
LEAST_MESSAGES = 2  # that have a hash which is to have a vector of its own
MOST_KNOWN = 32_768  # hashes with vectors
LONGEST_LIST = 1024  # numbers of a message,
SHORTEST_LIST = 64
MOST_NUMBERS = 1 << 25  # and of all training messages together


def words_of(message):
    """Each word of a message with its place: letters and digits, an ideograph, or signs."""
    ideograph = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    return re.finditer(rf"[{ideograph}]|(?:(?![{ideograph}])\w)+|[^\w\s]+", message)


def hash_of(text):
    """The number of a text, of 0 to 2^22 - 1."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % 4_194_304


def hashes_of_word(word):
    """The hash of a word, then those of its parts; of a long word only its first 40 letters."""
    marked = f"<{word[:40]}>"
    parts = [marked[at : at + size] for size in (3, 4, 5) for at in range(len(marked) - size + 1)]
    return [hash_of(one) for one in dict.fromkeys([marked, *parts])]


def hashes_of_message(message, seen):
    """The hashes of a message's first 1,000 words: of words, then of pairs, then of parts.

    Each is in the list once. `seen` keeps the hashes of words for the next message.
    """
    words = [word[0].lower() for word in itertools.islice(words_of(message), 1000)]
    each = []
    for word in words:
        if word not in seen:
            seen[word] = hashes_of_word(word)
        each.append(seen[word])
    if len(seen) > 50_000:
        seen.clear()
    pairs = [hash_of(f"{one} {two}") for one, two in itertools.pairwise(words)]
    parts = [part for own in each for part in own[1:]]
    return list(dict.fromkeys([*(own[0] for own in each), *pairs, *parts]))


def word_indices(messages, hashes, size):
    """For each message the indices, from 1, of those of its hashes that are in a rising list.

    The first `size` of them, and 0 behind them: an array (messages, size). None is no message.
    """
    indices = {one: index for index, one in enumerate(np.asarray(hashes).tolist(), start=1)}
    found, seen = np.zeros((len(messages), size)), {}
    for row, message in enumerate(messages):
        if isinstance(message, str):
            own = [indices.get(one) for one in hashes_of_message(message, seen)]
            own = [one for one in own if one][:size]
            found[row, : len(own)] = own
    return found


def cut_messages(messages: np.ndarray, found: np.ndarray, hashes: tuple[int, ...]) -> np.ndarray:
    """Which messages have more words, or more hashes of a list, than `word_indices` found; (K,)."""
    longer = {*np.flatnonzero(found[:, -1] > 0).tolist()}
    many = {
        row
        for row, message in enumerate(messages)
        if message is not None and len(message) > 1000 and len(list(words_of(message))) > 1000
    }
    rows = np.array(sorted(longer - many), np.int64)
    more = word_indices(messages[rows], hashes, found.shape[1] + 1)[:, -1] > 0
    return np.sort(np.concatenate([rows[more], np.array(sorted(many), np.int64)]))


def learn_words(messages: np.ndarray) -> tuple[tuple[int, ...], int]:
    """Learn from training messages which hashes have vectors, and how long lists are.

    Args:
        messages: Texts, or None where there is none, (N,).

    Returns:
        The hashes that at least two messages have, the most frequent of them, in rising order;
        and the length of the longest list, or less so that all lists together fit into memory.
    """
    counts, seen = np.zeros(HASHES, np.int32), {}
    for message in messages:
        if message is not None:
            counts[hashes_of_message(message, seen)] += 1
    known = np.flatnonzero(counts >= LEAST_MESSAGES)
    if len(known) > MOST_KNOWN:
        often = np.argsort(-counts[known], kind="stable")[:MOST_KNOWN]
        known = np.sort(known[often])
    is_known = np.zeros(HASHES, bool)
    is_known[known] = True
    longest = 1
    for message in messages:
        if message is not None:
            longest = max(longest, int(is_known[hashes_of_message(message, seen)].sum()))
    most = max(SHORTEST_LIST, MOST_NUMBERS // max(1, len(messages)))
    return tuple(known.tolist()), min(longest, LONGEST_LIST, most)
