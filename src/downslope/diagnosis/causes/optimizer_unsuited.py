"""Plain descent, where steps of their own size for each weight learn far more."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

PLAIN = ("sgd", "momentum", "nesterov")


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the optimizer where little was learnt; whether another helps is to be tried."""
    optimizer = evidence.run.settings.optimizer
    if optimizer.is_own or optimizer.name not in PLAIN or not evidence.is_suspicious:
        return None
    if evidence.run.outcome.reason == "non_finite":
        return None
    rate = evidence.run.settings.learning_rate
    seen = f"The optimizer is {optimizer.name}, with a learning rate of {rate:g}."
    changes = ({"optimizer": "adam", "learning_rate": 0.003},)
    return Symptom(0.25, seen, "", changes)


CAUSE = Cause(
    "optimizer_unsuited",
    "It takes one learning rate for all weights; where gradients differ "
    "much from weight to weight, a step for each weight learns faster.",
    look,
    explains=("too_few_steps", "learning_rate_too_low"),
    source="Kingma and Ba, Adam: a method for stochastic optimization, 2014",
)
