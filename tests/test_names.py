"""Names that people know from other libraries lead to ours, whatever their case and spelling."""

import pytest

from downslope.data.builtin import BUILT_IN
from downslope.data.load import ELSEWHERE
from downslope.engine import optimizers
from downslope.errors import SettingError
from downslope.names import look_up, plain, suggestion
from downslope.nn import activations, losses, notation

TABLES = {
    "loss": (losses.LOSSES, losses.LOSSES.synonyms),
    "activation": (activations.ACTIVATIONS, activations.ACTIVATIONS.synonyms),
    "optimizer": (optimizers.OPTIMIZERS, optimizers.OPTIMIZERS.synonyms),
    "schedule": (optimizers.SCHEDULES, optimizers.SCHEDULES.synonyms),
    "layer": (notation.LAYERS, notation.SYNONYMS),
    "data set": (BUILT_IN, ELSEWHERE),
}


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        ("loss", "mse", "squared_error"),
        ("loss", "torch.nn.MSELoss", "squared_error"),
        ("loss", "mean_squared_error", "squared_error"),
        ("loss", "mae", "absolute_error"),
        ("loss", "L1Loss", "absolute_error"),
        ("loss", "SmoothL1Loss", "huber"),
        ("loss", "crossentropy", "cross_entropy"),
        ("loss", "Cross-Entropy", "cross_entropy"),
        ("loss", "sparse_categorical_crossentropy", "cross_entropy"),
        ("loss", "log_loss", "cross_entropy"),
        ("loss", "BCEWithLogitsLoss", "binary_cross_entropy"),
        ("loss", "PoissonNLLLoss", "poisson"),
        ("loss", "squared_eror", "squared_error"),
        ("activation", "ReLU", "relu"),
        ("activation", "nn.LeakyReLU", "leaky_relu"),
        ("activation", "swish", "silu"),
        ("activation", "linear", "identity"),
        ("activation", "Logistic", "sigmoid"),
        ("optimizer", "Adam", "adam"),
        ("optimizer", "torch.optim.SGD", "sgd"),
        ("optimizer", "NAG", "nesterov"),
        ("optimizer", "RMSProp", "rmsprop"),
        ("schedule", "CosineAnnealingLR", "cosine"),
        ("schedule", "one_cycle", "one-cycle"),
        ("schedule", "OneCycleLR", "one-cycle"),
        ("layer", "Linear", "dense"),
        ("layer", "Conv2d", "conv"),
        ("layer", "MaxPool2d", "max_pool"),
        ("data set", "make_moons", "moons"),
        ("data set", "Digits", "digits"),
        ("data set", "spambase", "spam"),
    ],
)
def test_what_other_libraries_say_is_understood(kind, name, meant):
    assert suggestion(name, *TABLES[kind]) == f"Did you mean {meant!r}?"


@pytest.mark.parametrize("kind", TABLES)
def test_every_synonym_is_plain_and_leads_somewhere(kind):
    known, synonyms = TABLES[kind]
    assert set(map(plain, synonyms)) == set(synonyms)
    for meant in synonyms.values():
        assert meant in known or meant.endswith((".", '10".'))
    assert not set(map(plain, known)) & set(synonyms)


def test_what_there_is_not_says_what_to_do():
    with pytest.raises(SettingError) as raised:
        losses.resolve("hinge")
    assert str(raised.value) == (
        "There is no loss called 'hinge'. Expected one of squared_error, absolute_error, huber, "
        "cross_entropy, binary_cross_entropy, poisson. Give a function of your own from Python: "
        "loss(prediction, target) -> one value per sample."
    )


def test_a_name_like_none_is_not_guessed():
    with pytest.raises(SettingError, match=r"Choose one of them\.$"):
        look_up("qqqq", {"one": 1, "two": 2}, "number", SettingError)
    assert suggestion("", ["one"]) is None
