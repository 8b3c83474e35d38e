"""How well each class or label is recognised: precision, recall, F1 and AUC, as in scikit-learn.

Accuracy hides a rare class: where 5 % of the samples are "yes", always "no" has 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

from downslope.engine.metrics import plain_rows

BINS = 15  # of the calibration error
RARE = 0.5  # a class is rare below this fraction of an even part of the training samples


@dataclass(frozen=True, eq=False)
class ClassMetrics:
    """Metrics of each class on some samples, or of each label, of which any number may hold.

    Attributes:
        names: The classes, or the labels.
        support: How many of the samples are of each class, (classes,).
        predicted: For how many each class is predicted.
        precision: Of the samples for which a class is predicted, the fraction that is of it; 0
            where there is none.
        recall: Of the samples of a class, the fraction for which it is predicted; nan where there
            is none.
        f1: 2 precision recall / (precision + recall); 0 where nothing of a class is recognised.
        auc: The area under the ROC curve of a class against the rest: how probable it is that a
            sample of the class gets a higher probability of it than another sample; nan where
            there are no samples of it, or no others.
        accuracy: Labels alone: the fraction of samples for which each is predicted rightly.
        baseline_accuracy: Labels alone: that of always predicting what was more frequent in
            training.
        calibration_error: Classes alone: the expected calibration error; see `calibration_error`.
    """

    names: tuple[str, ...]
    support: Int[np.ndarray, " classes"]
    predicted: Int[np.ndarray, " classes"]
    precision: Float[np.ndarray, " classes"]
    recall: Float[np.ndarray, " classes"]
    f1: Float[np.ndarray, " classes"]
    auc: Float[np.ndarray, " classes"]
    accuracy: Float[np.ndarray, " labels"] | None = None
    baseline_accuracy: Float[np.ndarray, " labels"] | None = None
    calibration_error: float | None = None

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall over the classes that have samples."""
        return float(np.nanmean(self.recall))

    @property
    def macro_f1(self) -> float:
        """The mean F1 over the classes that have samples or are predicted."""
        return float(self.f1[(self.support > 0) | (self.predicted > 0)].mean())

    @property
    def mean_auc(self) -> float | None:
        """The mean AUC over the classes; None where no class has one."""
        known = self.auc[np.isfinite(self.auc)]
        return float(known.mean()) if len(known) else None

    def plain(self) -> Any:
        """The metrics as JSON has them; what is not defined is nan, or null in JSON.

        Of labels a dictionary for each; of classes those below `per_class`, and their means.
        """
        names = ("accuracy", "baseline_accuracy", "precision", "recall", "f1", "auc")
        columns = {"samples": self.support, **{name: getattr(self, name) for name in names}}
        if self.accuracy is not None:
            return plain_rows("target", self.names, columns)
        return {
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            "auc": self.mean_auc,
            "calibration_error": self.calibration_error,
            "per_class": plain_rows("class", self.names, columns),
        }


def class_metrics(
    names: Sequence[str],
    probabilities: Float[np.ndarray, "n classes"],
    truth: Int[np.ndarray, " n"],
) -> ClassMetrics:
    """Compare predicted probabilities with the true classes.

    Args:
        names: The classes.
        probabilities: Of each class for each sample; the largest is the predicted class, of equal
            ones the first.
        truth: The true class of each sample.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
        >>> found = class_metrics(("no", "yes"), probabilities, np.array([0, 1]))
        >>> found.recall.tolist(), found.balanced_accuracy, found.mean_auc
        ([1.0, 0.0], 0.5, 1.0)

    Source: Fawcett, An introduction to ROC analysis, 2006; AUC by ranks as Mann and Whitney, 1947.
    """
    chosen = probabilities.argmax(axis=1)
    found = _of_counts(
        names,
        support=np.bincount(truth, minlength=len(names)),
        predicted=np.bincount(chosen, minlength=len(names)),
        hits=np.bincount(truth[chosen == truth], minlength=len(names)),
        auc=_aucs(probabilities, truth),
    )
    return replace(found, calibration_error=calibration_error(probabilities, truth))


def calibration_error(
    probabilities: Float[np.ndarray, "n classes"], truth: Int[np.ndarray, " n"]
) -> float | None:
    """The expected calibration error: how far probabilities are from how often they come true.

        ECE = sum_b (n_b / n) |accuracy_b - confidence_b|

    over `BINS` bins b of equal width, into which the samples fall by the probability of their
    predicted class, the confidence.

    Source: Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, 2015.

    Args:
        probabilities: Of each class for each sample.
        truth: The true class of each sample.

    Returns:
        None where there are no samples, or a probability is not finite.

    Example:
        >>> calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]))
        0.4
    """
    if not len(truth) or not np.isfinite(probabilities).all():
        return None
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - is_right)
    return float(np.abs(gaps).sum() / len(truth))


def label_metrics(
    names: Sequence[str],
    probabilities: Float[np.ndarray, "n labels"],
    predicted: Bool[np.ndarray, "n labels"],
    holds: Bool[np.ndarray, "n labels"],
    usual: Bool[np.ndarray, " labels"],
) -> ClassMetrics:
    """Compare predicted labels with those that hold, each label by itself.

    Args:
        names: The labels.
        probabilities: Of each label for each sample.
        predicted: Which labels are predicted for each sample.
        holds: Which labels hold for each sample.
        usual: Whether each label holds for most training samples: the baseline.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
        >>> holds = np.array([[True, False], [False, True]])
        >>> usual, predicted = np.array([True, False]), probabilities > 0.5
        >>> found = label_metrics(("ill", "old"), probabilities, predicted, holds, usual)
        >>> found.accuracy.tolist(), found.recall.tolist(), found.auc.tolist()
        ([0.5, 0.5], [1.0, 0.0], [1.0, 1.0])
    """
    found = _of_counts(
        names,
        support=holds.sum(axis=0),
        predicted=predicted.sum(axis=0),
        hits=(predicted & holds).sum(axis=0),
        auc=np.array([_auc(one, own) for one, own in zip(probabilities.T, holds.T, strict=True)]),
    )
    accuracy, always = (predicted == holds).mean(axis=0), (holds == usual).mean(axis=0)
    return replace(found, accuracy=accuracy, baseline_accuracy=always)


def _of_counts(
    names: Sequence[str],
    support: np.ndarray,
    predicted: np.ndarray,
    hits: np.ndarray,
    auc: np.ndarray,
) -> ClassMetrics:
    with np.errstate(invalid="ignore"):
        recall = hits / support
    return ClassMetrics(
        names=tuple(names),
        support=support,
        predicted=predicted,
        precision=hits / np.maximum(predicted, 1),
        recall=recall,
        f1=2.0 * hits / np.maximum(support + predicted, 1),
        auc=auc,
    )


def _aucs(probabilities: Float[np.ndarray, "n classes"], truth: np.ndarray) -> np.ndarray:
    """The AUC of each class; of two classes both have that of the second."""
    if probabilities.shape[1] == 2:  # the rounding of 1 - p would break ties
        return np.full(2, _auc(probabilities[:, 1], truth == 1))
    return np.array([_auc(one, truth == index) for index, one in enumerate(probabilities.T)])


def _auc(scores: Float[np.ndarray, " n"], is_of_class: np.ndarray) -> float:
    """The area under the ROC curve, from the ranks of the scores; ties count half."""
    inside = int(is_of_class.sum())
    outside = len(scores) - inside
    if not inside or not outside or not np.isfinite(scores).all():
        return float("nan")
    above = rankdata(scores)[is_of_class].sum() - inside * (inside + 1) / 2
    return float(above / (inside * outside))


def rarest(fractions: Float[np.ndarray, " classes"]) -> int | None:
    """The rarest class, where it is rare enough that accuracy hides it; else None.

    Args:
        fractions: Of each class among the training samples.
    """
    index = int(np.argmin(fractions))
    return index if fractions[index] * len(fractions) < RARE else None
