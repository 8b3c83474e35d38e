"""Train options: the recipe fills in what is not given, and one value goes every way."""

import numpy as np
import pytest

import downslope as ds
from downslope.engine.settings import Settings
from tests.runs import by_hand

DATA = by_hand.classes_data()


def test_settings_read_names():
    settings = Settings("huber", optimizer="adam", schedule="cosine", augment="flip")
    assert settings.optimizer == ds.Optimizer("adam")
    assert settings.schedule == ds.Schedule("cosine")
    assert settings.augment == ds.Augment(flip=True)
    assert Settings("huber", augment="none").augment is None
    assert settings.learning_rate == 0.001
    assert Settings("huber").learning_rate == 0.1


def test_what_is_given_is_checked_before_there_is_data():
    for wrong, said in (
        ({"network": "dence 3"}, "dence"),
        ({"optimizer": "sdg"}, "Did you mean 'sgd'?"),
        ({"loss": "hubert"}, "Did you mean 'huber'?"),
        ({"epochs": 0}, "at least 1"),
        ({"augment": "flop"}, "flip, shift, crop, cutout"),
        ({"epoch": 3}, "There is no setting called 'epoch'."),
    ):
        with pytest.raises(ds.DownslopeError, match=said.replace("?", r"\?")):
            ds.TrainOptions().replace(**wrong)


def test_complete_options_lead_to_the_same_settings_again():
    for options in (
        ds.TrainOptions(),
        ds.TrainOptions(network="dense 5 tanh, dense 3", optimizer="sgd", epochs=3, seed=9),
        ds.TrainOptions(augment="none", stop=ds.Stop(patience=3), class_weights=[1, 2, 3]),
    ):
        full = options.complete(DATA)
        assert all(value is not None for value in vars(full).values())
        assert full.complete(DATA) == full
        assert full.plan(DATA).settings == options.plan(DATA).settings
        assert full.plan(DATA).network == options.plan(DATA).network


def test_each_optimizer_has_its_own_rate():
    digits = ds.load("digits")
    rates = {
        name: ds.TrainOptions(optimizer=name).complete(digits).learning_rate
        for name in ("sgd", "momentum", "adam", "adamw", "rmsprop")
    }
    assert rates == {"sgd": 0.1, "momentum": 0.05, "adam": 0.003, "adamw": 0.003, "rmsprop": 0.003}
    assert ds.TrainOptions(optimizer=ds.Optimizer("sgd")).complete(digits).learning_rate == 0.1


def test_options_and_arguments_are_the_same():
    options = ds.TrainOptions(network="dense 4 tanh, dense 3", epochs=2, learning_rate=0.02)
    one = ds.train(None, DATA, options=options)
    other = ds.train("dense 4 tanh, dense 3", DATA, epochs=2, learning_rate=0.02)
    np.testing.assert_array_equal(one.predict(DATA.test.inputs), other.predict(DATA.test.inputs))
    assert one.settings == other.settings
    assert ds.train(None, DATA, options=options, epochs=1).settings.epochs == 1
