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


def bars(angles, targets, class_names=()) -> ds.Dataset:
    """Coloured images (N, 16, 16, 3) of a bar that leans by an angle, -1 to 1, in noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-1:1:16j, -1:1:16j]
    seen = np.abs(columns - angles[:, None, None] * rows) < 0.2
    images = seen[..., None] * 150 + rng.integers(0, 100, (len(angles), 16, 16, 3))
    part = ds.Samples(images.astype(np.uint8), targets)
    task = "classification" if class_names else "regression"
    scaling = ds.Scaling.learn(part.inputs, "channel")
    return ds.Dataset("bars", task, part, part, part, scaling, class_names=class_names)


def test_images_are_mirrored_where_mirror_images_have_the_same_target():
    angles = np.random.default_rng(1).uniform(-1, 1, 300)
    is_right, is_steep = ((one > 0).astype(int) for one in (angles, np.abs(angles) - 0.5))
    for data, flip in (
        (bars(angles, is_steep, ("flat", "steep")), True),
        (bars(angles, is_right, ("left", "right")), False),
        (bars(angles, np.abs(angles)), True),
        (bars(angles, angles), False),  # as of a steering wheel
    ):
        augment = recipes.recipe_for(data).augment
        assert augment is not None
        assert (augment.flip, augment.average) == (flip, flip)
        assert augment.shift > 0


def test_efforts_differ_in_work_and_are_refused_where_there_is_one():
    data = images((32, 32, 3))
    many = ds.Samples(np.zeros((20_000, 32, 32, 3), np.uint8), np.arange(20_000) % 3)
    large = dataclasses.replace(data, train=many)
    work, seconds = {}, {}
    for effort in ("quick", "normal", "long"):
        recipe = recipes.recipe_for(large, effort)
        network, seen = parse(recipe.network.format(outputs=3)), 20_000 * recipe.epochs
        work[effort] = 6 * network.multiplications((32, 32, 3)) * seen
        seconds[effort] = recipes.expected_seconds(network, (32, 32, 3), seen, 2, True)
    assert [work["quick"] / work["normal"], work["long"] / work["normal"]] == pytest.approx(
        [1 / 4, 8], rel=0.1
    )
    assert 540 < seconds["long"] < 720  # ten minutes of two cores were measured
    small = ds.TrainOptions(effort="long").complete(data)  # too few for a larger network
    assert small.network == ds.TrainOptions().complete(data).network
    with pytest.raises(ds.SettingError, match="The effort is long, and digits is no set of images"):
        ds.TrainOptions(effort="long").complete(ds.load("digits"))
    with pytest.raises(ds.SettingError, match="quick, normal or long"):
        ds.TrainOptions().replace(effort="lang")


def test_the_doubt_of_few_rows_is_that_of_the_recipe_s_own_network():
    data = by_hand.classes_data(train=40)
    few = ds.TrainOptions().complete(data)
    rows = len(data.train)
    assert few.label_smoothing == pytest.approx(32 / (32 + rows))
    assert few.smooth_toward == "frequencies"
    for given in ({"network": "dense 4 relu, dense 2"}, {"label_smoothing": 0.1}):
        own = ds.TrainOptions(**given).complete(data)
        assert own.smooth_toward == "uniform"
        assert own.label_smoothing == given.get("label_smoothing", 0.0)


def test_fractions_of_classes_are_smoothed_toward_fractions_that_add_up_to_1():
    data = by_hand.classes_data(train=40)
    soft = np.eye(3, dtype=np.float32)[data.train.targets]
    whole = dataclasses.replace(data, train=dataclasses.replace(data.train, targets=soft))
    options = ds.TrainOptions("dense 3", label_smoothing=0.3, smooth_toward="frequencies")
    each = [options.plan(one).numbers.toward for one in (data, whole)]
    np.testing.assert_allclose(each[0], each[1], rtol=1e-6)
    assert each[0].sum() == pytest.approx(1)
