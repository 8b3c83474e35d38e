"""How each ending reads, word for word."""

import math

from downslope.runs import outcome
from downslope.runs.failure import Failure


def test_all_epochs():
    assert str(outcome.all_epochs(20, 800, True)) == (
        "Trained for 20 epochs. The validation loss was still falling: more epochs may help."
    )
    assert str(outcome.all_epochs(1, 40, None)) == (
        "Trained for 1 epoch. So few epochs do not tell where the loss is going: try more."
    )
    assert str(outcome.all_epochs(9, 40, False)).endswith(
        "The validation loss had stopped falling: more epochs alone will hardly help."
    )


def test_target():
    ended = outcome.target_reached(0.0987, 0.1, 3, 120)
    assert (ended.reason, ended.step, ended.kept_step) == ("target", 120, 120)
    assert ended.message == ("The validation loss reached 0.0987 (target: 0.1) in epoch 3.")


def test_no_improvement():
    ended = outcome.no_improvement(5, outcome.Best(0.25, 7, 280), 480)
    assert (ended.reason, ended.step, ended.kept_step) == ("no_improvement", 480, 280)
    assert ended.message == (
        "The validation loss had not fallen for 5 epochs; the weights of epoch 7, where it was "
        "0.25, were restored."
    )


def test_the_best_weights_come_back_at_any_end():
    best = outcome.Best(0.25, 7, 280)
    came_back = "the weights of epoch 7, where the validation loss was lowest (0.25), were restored"
    endings = [
        outcome.all_epochs(20, 800, None, best),
        outcome.target_reached(0.3, 0.31, 9, 360, best),
        outcome.non_finite(math.nan, 9, 361, best=best),
        outcome.interrupted(9, 361, best=best),
    ]
    for ended in endings:
        assert ended.kept_step == 280 < ended.step
        assert ended.message.endswith(f"; {came_back}.")
    last = outcome.Best(0.25, 20, 800)
    assert outcome.all_epochs(20, 800, None, last).message == "Trained for 20 epochs."


def test_a_validation_loss_that_was_never_finite_is_said():
    ended = outcome.no_improvement(5, None, 40)
    assert ended.kept_step == ended.step == 40
    assert str(ended) == (
        "In 5 epochs the validation loss was never a finite number; the last weights were kept. "
        "Look for huge or missing values in the validation samples, and at the loss."
    )
    assert outcome.all_epochs(3, 40, False, is_finite=False).message == (
        "Trained for 3 epochs; the validation loss was never a finite number."
    )


def test_non_finite_names_the_step():
    assert str(outcome.non_finite(math.nan, 2, 41)) == (
        "At step 42 (epoch 2) the loss was nan; the weights before that step were kept. "
        "Try a tenth of the learning rate, and look for missing or huge values in the data."
    )
    assert (
        "a gradient or a changed weight was not finite (the loss was 1.5)"
        in outcome.non_finite(1.5, 2, 41).message
    )


def test_non_finite_names_what_was_found():
    failure = Failure("input", "nan", 32, 1, 45, (2,), "age")
    ended = outcome.non_finite(math.nan, 2, 41, failure)
    assert ended.failure == failure
    assert str(ended) == (
        "At step 42 (epoch 2) input 'age' of training sample 45 was nan; the weights before that "
        "step were kept. Fill in what is missing, or leave the sample out."
    )


def test_interrupted():
    assert str(outcome.interrupted(3, 90)) == (
        "Stopped on request at step 90 (epoch 3); what was learnt is kept. "
        "Train again without stopping to see all epochs."
    )
