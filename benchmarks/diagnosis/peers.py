"""What peers say of a run, by rules that are restated.

UMLAUT's and AutoTrainer's thresholds are those of their published code; DeepLocalize's rules, and
UMLAUT's on dropout and missing activations, were written without it at hand. Each gives the
messages that it would print, in its order; a message stands for the causes that it can mean, all of
which count as named by it. Rules that need what is no part of a run here (types
of arrays, a softmax that is missing before a loss of probabilities) are left out, as are those of
Cockpit (Schneider et al., 2021): it draws gauges without thresholds, for a person to read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import downslope as ds
from downslope.diagnosis.evidence import Evidence
from downslope.nn.dense import Dropout

Message = tuple[str, ...]
RATES = ("learning_rate_too_low", "learning_rate_too_high")
PATIENCE = 10  # epochs, as the examples of Keras's documentation have it (its default is 0)


def keras(run: ds.Run) -> list[Message]:
    """Its callbacks TerminateOnNaN, EarlyStopping and ReduceLROnPlateau.

    Those end or slow a training and name no cause; what each is for stands for one.
    """
    said: list[Message] = []
    losses = run.trace.validation_loss
    if run.outcome.reason == "non_finite":
        said.append(("learning_rate_too_high", "not_finite_data"))
    if len(losses) > PATIENCE and losses[:-PATIENCE].min() <= losses[-PATIENCE:].min():
        said += [("learning_rate_too_high",), ("overfitting",)]
    return said


def umlaut(run: ds.Run) -> list[Message]:
    """Schoop, Huang and Hartmann, UMLAUT, CHI 2021; bounds as in its published code.

    Inputs outside of -1 to 1; a loss that is not a number; a rate above 0.01 or below 1e-7; hidden
    layers without an activation; dropout above 0.5; an epoch in which the validation loss rose
    and the training loss did not; a validation accuracy above 95 %.
    """
    evidence = Evidence(run)
    said: list[Message] = []
    inputs = np.asarray(evidence.probe[0])
    if inputs.min() < -1 or inputs.max() > 1:
        said.append(("inputs_not_scaled",))
    if run.outcome.reason == "non_finite":
        said.append(("learning_rate_too_high",))
    rate = run.settings.learning_rate
    if rate > 0.01:
        said.append(("learning_rate_too_high",))
    if rate < 1e-7:
        said.append(("learning_rate_too_low",))
    if any(one.activation.name == "identity" for one in evidence.hidden):
        said.append(("no_hidden_activation",))
    if any(isinstance(one, Dropout) and one.rate > 0.5 for one in run.network.layers):
        said.append(("dropout_too_strong",))
    train, validation = (np.diff(one) for one in (run.trace.train_loss, run.trace.validation_loss))
    if ((validation > 0) & (train <= 0)).any():
        said.append(("overfitting",))
    accuracy = run.trace.epochs.get("validation_accuracy")
    if accuracy is not None and len(accuracy) and accuracy.max() > 0.95:
        said.append(("leak",))
    return said


def autotrainer(run: ds.Run) -> list[Message]:
    """Zhang et al., AutoTrainer, ICSE 2021; thresholds as in its published code.

    Numbers that are not finite explode. Otherwise an accuracy that stays below 0.7 or never rises
    by 0.01 is called dying relus (70 % of all gradients are 0), exploding (the first layer's
    gradient is 70 times the last's), vanishing (below a thousandth of it, and below 1e-4), or
    slow convergence; else one that swings by 0.03 in a fifth of the epochs is oscillating.
    """
    evidence = Evidence(run)
    if run.outcome.reason == "non_finite":
        return [("exploding_gradients", "learning_rate_too_high")]
    accuracies = [run.trace.epochs.get(f"{part}_accuracy") for part in ("train", "validation")]
    known = [one for one in accuracies if one is not None and len(one)]
    if not known:
        return []
    is_low = any(one.max() < 0.7 for one in known)
    is_slow = all(max(np.diff(one), default=0) < 0.01 for one in known)
    layers = evidence.layers
    if is_low or is_slow:
        times = layers[0].gradient / max(layers[-1].gradient, 1e-30)
        dead = [one.dead for one in layers if np.isfinite(one.dead)]
        if dead and np.mean(dead) >= 0.7:
            return [("dead_relus",)]
        if times > 70:
            return [("exploding_gradients", "learning_rate_too_high")]
        if times < 1e-3 and layers[0].gradient < 1e-4:
            return [("vanishing_gradients",)]
        return [(*RATES, "start_wrongly_scaled")] if is_slow else []
    own = known[0]
    inner = own[1:-1]
    high = inner[(inner >= own[:-2]) & (inner >= own[2:])]
    low = inner[(inner <= own[:-2]) & (inner <= own[2:])]
    count = min(len(high), len(low))
    if (high[:count] - low[:count] >= 0.03).sum() >= 0.2 * len(own):
        return [("learning_rate_too_high", "batch_too_small")]
    return []


def deeplocalize(run: ds.Run) -> list[Message]:
    """Wardat, Le and Rajan, DeepLocalize, ICSE 2021.

    The first of: a layer whose activations are not finite or all 0; a loss that is not finite; a
    gradient that is not finite or 0; a loss that did not fall over the training. It names the
    layer or the loss, and stands for what can be wrong there.
    """
    evidence = Evidence(run)
    failure = run.outcome.failure
    if run.outcome.reason == "non_finite":
        if failure is not None and failure.what in ("sum", "activation"):
            return [("inputs_not_scaled", "exploding_gradients", "learning_rate_too_high")]
        if failure is not None and failure.what == "loss":
            return [("wrong_loss", "wrong_last_activation", "targets_not_scaled")]
        return [("exploding_gradients", "learning_rate_too_high")]
    for number, one in enumerate(evidence.layers):
        if one.dead == 1:
            is_last = number == len(evidence.layers) - 1
            return [("wrong_last_activation",) if is_last else ("dead_relus", "constant_start")]
    if any(one.gradient == 0 for one in evidence.layers):
        return [("vanishing_gradients", "saturated_activations", "wrong_last_activation")]
    losses = run.trace.train_loss
    if len(losses) > 1 and losses[-1] >= losses[0]:
        return [(*RATES, "wrong_loss")]
    return []


PEERS: dict[str, Callable[[ds.Run], list[Message]]] = {
    "Keras's callbacks": keras,
    "UMLAUT": umlaut,
    "AutoTrainer": autotrainer,
    "DeepLocalize": deeplocalize,
}
