"""What Downslope is compared with, each at its defaults: a fit of a split, and its predictions."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy.split import Split

SHOWN = MappingProxyType(
    {
        "downslope": "`downslope train`",
        "strong": '`preset="strong"`',
        "linear": "linear",
        "mlp": "scikit-learn MLP",
        "lightgbm": "LightGBM",
        "catboost": "CatBoost",
        "realmlp": "RealMLP-TD",
    }
)


class Fitted(NamedTuple):
    """What a fit gives.

    Attributes:
        predictions: For the test part: numbers (N,), or the probability of each class (N, classes).
        seconds: Processor seconds of the fit alone.
    """

    predictions: np.ndarray
    seconds: float


def processor_seconds() -> float:
    """What this process and those that it started have used so far, of all cores."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    """What a fit returns, and its processor seconds."""
    before = processor_seconds()
    made = fit()
    return made, processor_seconds() - before


def lightgbm(split: Split, seed: int) -> Fitted:
    """LightGBM at its defaults; columns of texts are its own categories."""
    import lightgbm as library

    frames = [_with_categories(split, part) for part in (0, 2)]
    kind = library.LGBMClassifier if split.classes else library.LGBMRegressor
    model = kind(random_state=seed, verbose=-1, n_jobs=1)
    _, seconds = timed(lambda: model.fit(frames[0], split.targets[0]))
    return Fitted(_predicted(model, frames[1], split), seconds)


def catboost(split: Split, seed: int) -> Fitted:
    """CatBoost at its defaults; columns of texts are its own categories."""
    import catboost as library

    kind = library.CatBoostClassifier if split.classes else library.CatBoostRegressor
    own = {"random_seed": seed, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    model = kind(cat_features=list(split.categories), **own)
    _, seconds = timed(lambda: model.fit(split.inputs[0], split.targets[0]))
    return Fitted(_predicted(model, split.inputs[2], split), seconds)


def mlp(split: Split, seed: int) -> Fitted:
    """Scikit-learn's network at its defaults; numbers are scaled, texts are one-hot."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    train, test = one_hot(split)
    if split.classes:
        model, targets = MLPClassifier(random_state=seed), split.targets[0]
        mean, std = 0.0, 1.0
    else:
        model, targets = MLPRegressor(random_state=seed), split.targets[0]
        mean, std = targets.mean(), targets.std()
        targets = (targets - mean) / std
    _, seconds = timed(lambda: model.fit(train, targets))
    return Fitted(_predicted(model, test, split) * std + mean, seconds)


def linear(split: Split, seed: int) -> Fitted:
    """Ridge or logistic regression at their defaults; numbers are scaled, texts are one-hot."""
    from sklearn.linear_model import LogisticRegression, Ridge

    train, test = one_hot(split)
    model = LogisticRegression(max_iter=1000) if split.classes else Ridge()
    _, seconds = timed(lambda: model.fit(train, split.targets[0]))
    return Fitted(_predicted(model, test, split), seconds)


def realmlp(split: Split, seed: int) -> Fitted:
    """RealMLP-TD of pytabkit; the validation part chooses its epoch, as it does ours."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if split.classes else RealMLP_TD_Regressor
    medians = split.inputs[0].median(numeric_only=True)  # it takes no gaps
    inputs = [part.fillna(medians) for part in split.inputs]
    model = kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)
    categories = list(split.categories)
    _, seconds = timed(
        lambda: model.fit(
            inputs[0],
            split.targets[0],
            inputs[1],
            split.targets[1],
            cat_col_names=categories,
        )
    )
    return Fitted(_predicted(model, inputs[2], split), seconds)


PEERS: Mapping[str, Callable[[Split, int], Fitted]] = MappingProxyType(
    {
        "linear": linear,
        "mlp": mlp,
        "lightgbm": lightgbm,
        "catboost": catboost,
        "realmlp": realmlp,
    }
)


def _with_categories(split: Split, part: int) -> Any:
    import pandas

    frame = split.inputs[part].copy()
    for name in split.categories:
        known = sorted(set(split.inputs[0][name]))
        frame[name] = pandas.Categorical(frame[name], categories=known)
    return frame.rename(columns={name: f"x{at}" for at, name in enumerate(frame.columns)})


def one_hot(split: Split) -> tuple[Any, Any]:
    """Training and test inputs with scaled numbers, medians for gaps, and one-hot texts."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in split.inputs[0] if name not in split.categories]
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    made = make_column_transformer(
        (scaled, numbers), (OneHotEncoder(handle_unknown="ignore"), list(split.categories))
    )
    return made.fit_transform(split.inputs[0]), made.transform(split.inputs[2])


def _predicted(model: Any, inputs: Any, split: Split) -> np.ndarray:
    """Predictions; classes that a training part lacks get the probability 0."""
    if not split.classes:
        return np.asarray(model.predict(inputs), np.float64).reshape(-1)
    found = np.asarray(model.predict_proba(inputs), np.float64)
    probabilities = np.zeros((len(found), split.classes))
    probabilities[:, np.asarray(model.classes_, int)] = found
    return probabilities
