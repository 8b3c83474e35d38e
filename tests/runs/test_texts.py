"""A filter for messages: columns of texts from the training to predictions, and back."""

import random

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.errors import DataError

HAM = [
    "see you at lunch tomorrow",
    "ok i will call you later",
    "can you pick me up at five",
    "are we still meeting today",
    "i am on my way home now",
]
SPAM = [
    "you have won a free prize",
    "call now to claim your cash",
    "urgent claim your free holiday",
    "win cash now text to claim",
]


def messages(rows, seed=0):
    """Messages of shuffled words, each another one, with their labels."""
    rng = random.Random(seed)
    found = []
    for row in range(rows):
        label = "spam" if row % 3 == 0 else "ham"
        words = f"{rng.choice(SPAM if label == 'spam' else HAM)} {row}".split()
        words += rng.choice(SPAM if label == "spam" else HAM).split()
        rng.shuffle(words)
        found.append((" ".join(words), label))
    return [text for text, _ in found], [label for _, label in found]


@pytest.fixture(scope="module")
def run():
    return ds.train(data=messages(300), epochs=12)


def test_a_list_of_messages_trains_a_filter(run):
    (column,) = run.data.encoding.columns
    assert (column.kind, column.name) == ("text", "x1")
    assert run.network.layers[0] == ds.EmbeddingBag(len(column.hashes) + 1, 16, column.size)
    texts, labels = messages(60, seed=1)
    right = [run.data.class_names[one] for one in run.predict(texts)]
    assert np.mean([one == two for one, two in zip(right, labels, strict=True)]) > 0.95


@pytest.mark.parametrize(
    "given",
    [
        ["WIN free cash", None, "", "\0 \U0001f600 <b>call</b>", "明天见"],
        np.array(["WIN free cash", None, "", "\0 \U0001f600 <b>call</b>", "明天见"], object),
        pa.table({"x1": ["WIN free cash", None, "", "\0 \U0001f600 <b>call</b>", "明天见"]}),
    ],
)
def test_any_text_has_a_prediction_and_unknown_words_change_nothing(run, given):
    found = run.probabilities(given)
    assert np.isfinite(found).all()
    assert run.data.class_names[int(found[0].argmax())] == "spam"
    np.testing.assert_array_equal(found[1], found[2])  # no message, an empty one
    np.testing.assert_array_equal(found[1], found[4])  # words that no training message has


def test_a_message_has_the_same_bits_alone_and_among_others(run):
    texts, _ = messages(40, seed=2)
    together = run.outputs(texts)
    np.testing.assert_array_equal(together[7:8], run.outputs(texts[7:8]))


def test_a_single_text_is_refused_in_words(run):
    with pytest.raises(DataError) as caught:
        run.predict("free cash")
    assert str(caught.value) == (
        "The inputs have shape () and type <U9. Expected a list of texts, or a frame with the "
        "column x1. Give one row per sample; for a single text write [text]."
    )


def test_it_is_saved_opened_replayed_resumed_and_told(run, tmp_path):
    texts, labels = messages(300)
    folder = tmp_path / "run"
    run.save(folder)
    opened = ds.open_run(folder)
    np.testing.assert_array_equal(opened.outputs(texts[:9]), run.outputs(texts[:9]))
    again = opened.with_data((texts, labels))
    assert again.dataset.fingerprint == run.data.fingerprint
    replayed = ds.replay(again)
    weights = replayed.parameters(again.outcome.kept_step)[0]["weights"]
    np.testing.assert_array_equal(weights, run.parameters[0]["weights"])
    found = ds.evaluate(again, data=(texts[:30], labels[:30]))
    assert found.linear is None  # it would see no word
    assert found.test["accuracy"] > 0.9


def test_texts_beside_numbers_and_categories_of_many_values(tmp_path):
    texts, labels = messages(400)
    others, _ = messages(400, seed=5)
    rng = np.random.default_rng(0)
    city = [f"city {number}" for number in np.arange(400) % 80]
    frame = pa.table(
        {"m": texts, "x": rng.normal(size=400), "city": city, "other": others, "y": labels}
    )
    run = ds.train(data=ds.load(frame, target="y"), epochs=4)
    kinds = [(one.name, one.kind) for one in run.data.encoding.columns]
    assert kinds == [("x", "number"), ("city", "category"), ("m", "text"), ("other", "text")]
    named = [type(one).__name__ for one in run.network.layers[:4]]
    assert named == ["Piecewise", "EmbeddingBag", "EmbeddingBag", "Embedding"]
    with pytest.warns(UserWarning, match="values that have no weights of their own"):
        found = run.predict(frame.drop_columns(["y"]))
    truth = np.array([run.data.class_names.index(one) for one in labels])
    assert (found == truth).mean() > 0.9


def test_side_by_side_and_alone_give_the_same_weights():
    data = ds.load(pa.table(dict(zip(("m", "y"), messages(120), strict=True))), target="y")
    network = f"embed_bag {data.encoding.columns[0].indices} 4 {data.encoding.columns[0].size}"
    alone = [ds.train(f"{network}, dense 2", data, epochs=2, seed=seed) for seed in (0, 1)]
    beside = ds.train_side_by_side(f"{network}, dense 2", data, epochs=2, seeds=(0, 1))
    for number, one in enumerate(alone):
        ours, theirs = one.parameters[0]["weights"], beside.parameters_of(number)[0]["weights"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
