"""Downslope's own fits: by the command line's defaults, and through scikit-learn's interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.peers import Fitted, one_hot, timed
from benchmarks.accuracy.split import Split
from benchmarks.accuracy.tables import TABLES


def downslope(file: Path, seed: int) -> Fitted:
    """What `downslope train FILE --target COLUMN` does, with nothing else said."""
    import downslope as ds

    data = ds.load(file, target=TABLES[file.stem].target, split_seed=seed)
    run, seconds = timed(lambda: ds.train(None, data, seed=seed))
    test = run.dataset.test.inputs
    if data.task == "classification":
        return Fitted(np.asarray(run.probabilities(test), np.float64), seconds)
    return Fitted(run.predict(test)[:, 0].astype(np.float64), seconds)


def strong(split: Split, seed: int) -> Fitted:
    """`preset="strong"` on the training and validation part, of which it holds out as many."""
    import pandas

    from downslope.sklearn import NetworkClassifier, NetworkRegressor

    both = Split(
        (pandas.concat(split.inputs[:2]), split.inputs[1], split.inputs[2]),
        (np.concatenate(split.targets[:2]), *split.targets[1:]),
        split.categories,
        split.classes,
    )
    train, test = (np.asarray(one.todense() if hasattr(one, "todense") else one)
                   for one in one_hot(both))  # fmt: skip
    kind = NetworkClassifier if split.classes else NetworkRegressor
    model: Any = kind(preset="strong", random_state=seed, validation_fraction=1 / 8)
    _, seconds = timed(lambda: model.fit(train, both.targets[0]))
    if not split.classes:
        return Fitted(model.predict(test).reshape(-1), seconds)
    probabilities = np.zeros((len(test), split.classes))
    probabilities[:, model.classes_.astype(int)] = model.predict_proba(test)
    return Fitted(probabilities, seconds)
