"""Settings that need no asking fit every kind of data."""

import dataclasses

import numpy as np
import optax
import pytest

import downslope as ds
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from downslope.runs import recipe as recipes
from downslope.runs.recipe import Recipe
from downslope.runs.validate import DEFAULT_LOSS, check_fit
from tests.runs import by_hand


def images(shape) -> ds.Dataset:
    data = by_hand.classes_data()
    part = ds.Samples(np.zeros((50, *shape), np.uint8), data.train.targets)
    return dataclasses.replace(data, name="images", train=part, validation=part, test=part)


@pytest.mark.parametrize(
    "data",
    [
        by_hand.classes_data(), by_hand.numbers_data(), images((28, 28, 1)), images((32, 32, 3)),
        *(ds.load(name) for name in ("digits", "circles", "waves", "blobs")),
    ],
    ids=lambda data: f"{data.name}{data.input_shape}",
)  # fmt: skip
def test_the_recipe_fits_its_data(data):
    recipe = recipes.recipe_for(data)
    network = parse(recipe.network.format(outputs=data.output_shape[-1]))
    check_fit(network, data, resolve(DEFAULT_LOSS[data.task]), recipe.augment)
    settings = {
        "optimizer": ds.Optimizer(recipe.optimizer, weight_decay=recipe.weight_decay),
        "schedule": ds.Schedule(recipe.schedule),
    }
    ds.Settings(
        DEFAULT_LOSS[data.task],
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        **settings,
    )


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_is_one_for_a_built_in_set(name):
    from downslope.data import BUILT_IN

    assert name in BUILT_IN


def test_a_folder_of_ones_own_that_is_called_like_a_built_in_set_is_not_that_set():
    data = dataclasses.replace(images((28, 28, 1)), name="digits", source="/photos/digits")
    assert recipes.recipe_for(data) != recipes.RECIPES["digits"]


def test_another_optimizer_gets_a_rate_that_suits_it():
    recipe = Recipe("dense 1", optimizer="adam", learning_rate=0.003)
    rates = [recipe.rate_for(ds.Optimizer(name)) for name in ("adam", "adamw", "sgd", "nesterov")]
    assert rates == [0.003, 0.003, 0.1, 0.05]
    assert Recipe("dense 1", "sgd", 0.2).rate_for(ds.Optimizer("adam")) == 0.001
    own = ds.Optimizer("adam", transformation=optax.adam(0.01))  # which has a rate already
    assert recipe.rate_for(own) == 1
