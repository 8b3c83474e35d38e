"""The inputs tell nothing of the targets: labels are shuffled, or noise."""

from __future__ import annotations

import math

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

FEW = 20  # samples of a class, on average
SURE = 3.0  # standard errors by which simple methods are right more often than by chance


def _is_learnable(evidence: Evidence) -> bool:
    """Whether simple methods predict samples that they were not fitted to."""
    votes = evidence.votes
    if votes is None:
        return evidence.simple_score > 0.05 or evidence.simple_score_within > 0.03
    usual = votes.usual_wrong
    error = math.sqrt(usual * (1 - usual) / len(votes.wrong))
    return usual - float(votes.wrong.mean()) > SURE * error


def look(evidence: Evidence) -> Symptom | None:
    """Looks whether anything at all predicts other samples better than a constant."""
    if not evidence.is_no_better or evidence.simple_score != evidence.simple_score:
        return None
    if evidence.run.outcome.reason == "non_finite" or _is_learnable(evidence):
        return None
    if (evidence.dataset.train.targets == evidence.dataset.train.targets[0]).all():
        return None  # of one target there is nothing to tell: others are missing
    fits = evidence.train_score
    seen = (
        "On samples that were not fitted neither the network nor a linear fit nor kernel ridge "
        "regression nor the nearest neighbours predict better than a constant"
        + (
            f", though the network fits {fits:.0%} of its training samples' excess."
            if fits > 0.3
            else "."
        )
    )
    classes = len(evidence.dataset.class_names)
    if classes and len(evidence.dataset.train) < FEW * classes:
        each = len(evidence.dataset.train) / classes
        seen += f" Each of the {classes:,} classes has about {each:.0f} training samples."
    return Symptom(0.7 if fits > 0.3 else 0.55, seen, "targets")


CAUSE = Cause(
    "nothing_to_learn",
    "Perhaps the targets are noise, shuffled, or shifted against the inputs: check by eye for some "
    "samples that target and input belong together. Or there are too few samples to see what holds "
    "for all.",
    look,
    explains=("overfits", "overfitting", "too_few_steps", "constant_predictions", "too_small"),
    source="Zhang et al., Understanding deep learning requires rethinking generalization, 2017",
)
