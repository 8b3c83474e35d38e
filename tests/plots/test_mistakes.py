"""The worst mistakes: which they are, and how images and rows of tables are shown."""

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.plots import ClassPredictions, worst_mistakes
from downslope.plots.mistakes import as_images
from downslope.plots.run import figures_of_test

NAMES = ("cat", "dog", "bird")


def predictions(truth, chosen, sure=0.8):
    """Answers whose chosen class has the probability `sure`, one number or one per sample."""
    truth, chosen = np.array(truth), np.array(chosen)
    sure = np.broadcast_to(sure, truth.shape)
    fractions = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    fractions[np.arange(len(truth)), chosen] = sure
    return ClassPredictions(truth, chosen, fractions, NAMES)


def test_the_worst_is_the_one_whose_true_class_seemed_least_likely():
    given = predictions([0, 1, 2, 0], [1, 1, 0, 2], [0.6, 0.9, 0.99, 0.8])
    assert given.worst(5).tolist() == [2, 3, 0]
    assert given.worst(1).tolist() == [2]


def test_the_order_is_that_of_the_cross_entropy(moons_run):
    test = moons_run.with_data().dataset.test
    fractions = moons_run.probabilities(test.inputs)
    given = ClassPredictions(test.targets, moons_run.predict(test.inputs), fractions, ("a", "b"))
    losses = np.asarray(moons_run.loss.per_sample(moons_run.outputs(test.inputs), test.targets))
    worst = given.worst(len(test))
    assert len(worst) == given.wrong.sum() > 0
    assert (np.diff(losses[worst]) <= 1e-6).all()


def test_without_a_mistake_the_least_certain_right_answers_are_shown(texts):
    given = predictions([0, 1], [0, 1], [0.9, 0.6])
    figure = worst_mistakes(np.zeros((2, 16), np.uint8), given, name="pets")
    shown = texts(figure)
    assert "Least certain predictions: pets" in shown
    assert "No mistake among 2 test samples; shown: the least certain 2 predictions." in shown
    assert figure.axes[0].get_title() == "true dog"
    assert figure.axes[0].get_xlabel() == "predicted dog\n60 %"


def test_an_image_is_captioned_with_truth_and_answer(texts):
    given = predictions([0, 1], [2, 1], [0.93, 0.6])
    figure = worst_mistakes(np.arange(32, dtype=np.uint8).reshape(2, 16), given)
    assert figure.axes[0].get_title() == "true cat"
    assert figure.axes[0].get_xlabel() == "predicted bird\n93 %"
    assert figure.axes[0].images[0].get_array().tolist() == np.arange(16).reshape(4, 4).tolist()
    assert "1 mistake among 2 test samples." in texts(figure)


@pytest.mark.parametrize(
    ("shape", "names", "image"),
    [
        ((5, 64), (), (5, 8, 8, 1)),
        ((5, 784), (), (5, 28, 28, 1)),
        ((5, 28, 20, 1), (), (5, 28, 20, 1)),
        ((5, 28, 20), (), (5, 28, 20, 1)),
        ((5, 9, 7, 3), (), (5, 9, 7, 3)),
        ((5, 64), ("a",) * 64, None),
        ((5, 57), (), None),
        ((5, 9), (), None),
        ((5, 9, 7, 2), (), None),
    ],
)
def test_what_counts_as_an_image(shape, names, image):
    found = as_images(np.zeros(shape), names)
    assert (None if found is None else found.shape) == image


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_colour_images_of_bytes_and_of_numbers_are_drawn(dtype):
    images = (np.random.default_rng(0).random((3, 6, 5, 3)) * 255).astype(dtype)
    figure = worst_mistakes(images, predictions([0, 0, 0], [1, 2, 0]))
    figure.draw_without_rendering()
    assert sum(bool(axes.images) for axes in figure.axes) == 2


def test_a_row_of_a_table_is_shown_by_its_most_unusual_inputs(texts):
    inputs = np.array([[1.0, 50.0, 0.0], [1.0, 0.0, 0.0]])
    scaling = ds.Scaling(np.array([1.0, 10.0, 2.0]), np.array([1.0, 10.0, 1.0]))
    given = predictions([0, 1], [1, 1])
    figure = worst_mistakes(
        inputs, given, input_names=("age", "income $", "height"), scaling=scaling
    )
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "true cat, predicted dog (80 %)"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [r"income \$", "height", "age"]
    assert [bar.get_width() for bar in axes.patches] == [4.0, -2.0, 0.0]
    assert {"+4.0  (value 50)", "0.0  (value 1)"} <= set(texts(figure))


def test_a_table_without_names_or_scaling_is_drawn():
    inputs = np.random.default_rng(0).normal(size=(9, 4))
    axes = worst_mistakes(inputs, predictions([0] * 9, [1] * 9)).axes[0]
    labels = {label.get_text() for label in axes.get_yticklabels()}
    assert labels == {"input 1", "input 2", "input 3", "input 4"}


def test_probabilities_that_are_no_numbers_are_drawn():
    given = ClassPredictions(np.array([0]), np.array([1]), np.full((1, 3), np.nan), NAMES)
    worst_mistakes(np.zeros((1, 5)), given).draw_without_rendering()


@pytest.mark.parametrize("count", [1, 7, 30])
def test_no_text_covers_another(overlaps, count):
    draw = np.random.default_rng(count)
    given = predictions(draw.integers(0, 3, count), draw.integers(0, 3, count))
    assert overlaps(worst_mistakes(draw.random((count, 64)), given, name="digits")) == []
    names = tuple(f"a long name of input {number}" for number in range(5))
    table = worst_mistakes(draw.normal(size=(count, 5)), given, input_names=names)
    assert overlaps(table) == []


def test_a_table_is_shown_by_columns_that_have_a_deviation():
    draw = np.random.default_rng(0)
    size, town = draw.normal(50, 10, 60), draw.choice(["Bern", "Rome"], 60)
    table = pa.table({"size": size, "town": town, "is": np.where(size > 50, "big", "small")})
    run = ds.train("piecewise 4, dense 2", ds.load(table, target="is"), epochs=1)
    assert run.data.input_names[0] == "size (rank)"
    figures = dict(figures_of_test(run.with_data()))
    labels = {one.get_text() for axes in figures["mistakes"].axes for one in axes.get_yticklabels()}
    assert "size" in labels
    assert not any("rank" in one for one in labels)
