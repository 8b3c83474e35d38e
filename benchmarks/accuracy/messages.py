"""A filter for messages beside TF-IDF and logistic regression, on the same splits.

`python -m benchmarks.accuracy messages FILE` reads a table with the columns message and label.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.peers import timed
from benchmarks.accuracy.scores import scores

RESULTS = Path(__file__).parents[1] / "results" / "messages.json"
STRENGTHS = (1, 10, 100, 1000)  # C of logistic regression: the best on the validation part
SEEDS = (0, 1, 2)


def run_messages(file: Path) -> None:
    """Fit all contenders on each split, and keep the figures."""
    import downslope as ds

    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for seed in SEEDS:
        data: Any = ds.load(file, target="label", split_seed=seed, column_types={"message": "text"})
        for name, fit in (("downslope", _downslope), ("words", _linear), ("both", _linear)):
            key = f"{seed}/{name}"
            predicted, seconds = fit(data, seed, name)
            found[key] = {**scores(predicted, data.test.targets), "seconds": seconds}
            RESULTS.write_text(json.dumps(dict(sorted(found.items())), indent=0) + "\n")
            print(key, found[key], flush=True)
    print(table(found))


def _downslope(data: Any, seed: int, name: str) -> tuple[np.ndarray, float]:
    """What `downslope train FILE --target label` does."""
    import downslope as ds

    run, seconds = timed(lambda: ds.train(None, data, seed=seed))
    return np.asarray(run.probabilities(data.test.inputs), np.float64), seconds


def _linear(data: Any, seed: int, name: str) -> tuple[np.ndarray, float]:
    """TF-IDF of words and pairs, or of parts of words as well, and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union

    texts = np.array([one or "" for one in data.rows.table.column("message").to_pylist()], object)
    parts = data.rows.parts
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    parts_of = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    made = words if name == "words" else make_union(words, parts_of)

    def fit() -> np.ndarray:
        train = made.fit_transform(texts[parts.train])
        validation, test = (made.transform(texts[one]) for one in (parts.validation, parts.test))
        best, predicted = np.inf, np.zeros(0)
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1000).fit(train, data.train.targets)
            own = scores(model.predict_proba(validation), data.validation.targets)["log_loss"]
            if own < best:
                best, predicted = own, model.predict_proba(test)
        return predicted

    return timed(fit)


def table(found: dict[str, dict[str, float]]) -> str:
    """The means over the seeds, as Markdown."""
    shown = {
        "downslope": "`downslope train`",
        "words": "TF-IDF of words and pairs, logistic regression",
        "both": "the same with parts of words",
    }
    lines = ["| | error | log loss | processor seconds |", "|---|---|---|---|"]
    for name, called in shown.items():
        own = [found[f"{seed}/{name}"] for seed in SEEDS if f"{seed}/{name}" in found]
        error, loss, seconds = (
            np.mean([one[what] for one in own]) for what in ("error", "log_loss", "seconds")
        )
        half = np.mean([one["interval"] for one in own]) / np.sqrt(len(own))
        lines.append(
            f"| {called} | {100 * error:.2f} % ± {100 * half:.2f} | {loss:.4f} | {seconds:.1f} |"
        )
    return "\n".join(lines)
