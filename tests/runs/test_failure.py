"""How each thing that was not finite reads, word for word, and what is advised."""

import msgspec
import pytest

from downslope.runs.failure import Failure

FILL = "Fill in what is missing, or leave the sample out."
RATE = "Try a tenth of the learning rate, and look for huge values in the data."
SAID = [
    (
        Failure("input", "nan", 32, 1, 45, (2,), "age"),
        "input 'age' of training sample 45 was nan",
        FILL,
    ),
    (
        Failure("input", "inf", 32, 1, 45, (2,)),
        "input 2 of training sample 45 was inf",
        FILL,
    ),
    (
        Failure("input", "nan", 32, 1, 45, (3, 5, 0)),
        "input [3, 5, 0] of training sample 45 was nan",
        FILL,
    ),
    (
        Failure("input", "nan", 32, 1, 45, cause="augment"),
        "the input of training sample 45 became nan when its image was changed",
        "Look at what augment makes of that sample.",
    ),
    (
        Failure("input", "-inf", 32, 1, 45, (2,), "age", cause="scaling", given="-3.3e+38"),
        "input 'age' of training sample 45, -3.3e+38, became -inf when it was scaled",
        "Correct that value, or leave the sample out: float32 holds at most 3.4e+38.",
    ),
    (Failure("target", "nan", 32, 1, 45), "the target of training sample 45 was nan", FILL),
    (Failure("target", "nan", 32, 1, 45, (1,)), "target 1 of training sample 45 was nan", FILL),
    (
        Failure("weight", "inf", 32, 1, 45),
        "the weight of training sample 45 was inf",
        "Give that sample another weight.",
    ),
    (
        Failure("sum", "inf", 32, 8, 45, layer="2 Dense"),
        "a pre-activation of layer 2 (Dense) was inf for training sample 45 and 7 others of the "
        "batch",
        RATE,
    ),
    (
        Failure("activation", "nan", 32, 2, 45, layer="1 Root", function="Root"),
        "an activation of layer 1 (Root) was nan for training sample 45 and 1 other of the batch",
        "Look at Root: its value must be finite there.",
    ),
    (
        Failure("loss", "inf", 32, 1, 45, outputs="0.31", truth="0.5", function="ratio"),
        "the loss of training sample 45 was inf (output 0.31; target 0.5)",
        "Look at ratio: its value must be finite there.",
    ),
    (
        Failure("loss", "inf", 32, 3, 45, outputs="1, 2", truth="'b'"),
        "the loss of training sample 45 was inf (outputs 1, 2; target 'b'), and that of 2 others "
        "of the batch",
        RATE,
    ),
    (Failure("loss", "inf", 32), "the mean loss was inf, each sample's being finite", RATE),
    (
        Failure("gradient", "nan", 32, 1, 45, cause="loss", layer="3 Dense", array="weights",
                outputs="0.31", truth="0.5", function="root"),
        "the gradient of the weights of layer 3 (Dense) was nan, from the slope of the loss of "
        "training sample 45 (output 0.31; target 0.5)",
        "Look at root: its slope must be finite wherever its value is.",
    ),
    (
        Failure("gradient", "nan", 32, 2, 45, cause="2 Root", layer="1 Dense", array="biases",
                function="Root"),
        "the gradient of the biases of layer 1 (Dense) was nan, from the gradient at "
        "the pre-activations of layer 2 (Root) for training sample 45 and 1 other of the batch",
        "Look at Root: its slope must be finite wherever its value is.",
    ),
    (
        Failure("gradient", "inf", 32, layer="1 Dense", array="weights"),
        "the gradient of the weights of layer 1 (Dense) was inf, though the gradient at its "
        "pre-activations is finite",
        RATE,
    ),
    (
        Failure("direction", "inf", 32, layer="1 Dense", array="weights"),
        "what the optimizer made of the gradient of the weights of layer 1 (Dense) was inf",
        "Try a tenth of the learning rate.",
    ),
    (
        Failure("change", "-inf", 32, layer="2 Conv2D", array="biases"),
        "the step would have made the biases of layer 2 (Conv2D) -inf",
        "Try a tenth of the learning rate.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("failure", "message", "advice"), SAID, ids=[one[1] for one in SAID])
def test_what_is_said(failure, message, advice):
    assert failure.message == message
    assert failure.advice == advice


@pytest.mark.parametrize("failure", [one[0] for one in SAID], ids=[one[1] for one in SAID])
def test_it_is_kept_with_the_run(failure):
    assert msgspec.json.decode(msgspec.json.encode(failure), type=Failure) == failure
