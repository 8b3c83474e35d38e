"""Each point of a learning curve is a training of its own, over the same number of steps."""

from importlib import import_module

import numpy as np
import pytest

import downslope as ds
from downslope.insight.learning_curve import LearningCurve, learning_curve, sizes_of
from downslope.insight.significance import Difference
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

subject = import_module("downslope.insight.learning_curve")  # the function has the same name
DATA = by_hand.classes_data(train=70)
NETWORK = parse("dense 3")


@pytest.fixture(scope="module")
def run():
    return ds.train(
        NETWORK, DATA, options=PLAIN, batch_size=20, epochs=9, learning_rate=0.2, seed=5
    )


def test_points_are_trainings_of_their_own(run):
    told = []
    found = learning_curve(run, seeds=2, on_progress=lambda done, total: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1000
    assert found.sizes.tolist() == [17, 35, 70]
    assert (found.steps, found.epochs.tolist()) == (36, [36, 18, 9])  # 1, 2 and 4 steps each
    assert run.test_evaluations == 0
    for seed in (0, 1):
        alone = ds.train(
            NETWORK,
            by_hand.classes_data(train=70),
            options=PLAIN,
            batch_size=20,
            epochs=9,
            learning_rate=0.2,
            seed=seed,
        )
        loss = alone.measure(DATA.validation)["loss"]
        # all samples in their own order: the same training
        assert found.validation_loss[-1, seed] == pytest.approx(loss, rel=1e-4)
        assert found.train_loss[-1, seed] == pytest.approx(
            alone.measure(DATA.train)["loss"], rel=1e-4
        )
    assert len(set(found.validation_loss[0])) == 2


def test_sizes_double_up_to_all():
    assert sizes_of(1258) == [78, 157, 314, 629, 1258]
    assert sizes_of(33) == [16, 33]
    with pytest.raises(ds.DataError) as raised:
        sizes_of(31)
    assert str(raised.value) == (
        "There are 31 training samples. Expected at least 32 for a learning curve. Add samples."
    )


def test_too_few_seeds_are_told(run):
    with pytest.raises(ds.SettingError) as raised:
        learning_curve(run, seeds=1)
    assert str(raised.value) == (
        "The number of seeds is 1. Expected a whole number of at least 2. Try 3."
    )


def said(last: Difference) -> str:
    two = np.ones((2, 2))
    sizes = np.array([500, 1000])
    return LearningCurve(
        "points", "classification", "cross_entropy", sizes, sizes, 1600, two, two, last
    ).summary


def test_in_words():
    tail = " Each size was trained for about 1,600 steps, whatever its epochs."
    start = "From 500 to 1,000 training samples the validation loss "
    assert said(Difference(-0.3, -0.4, -0.2)) == (
        f"{start}fell by 0.3 (95 % interval 0.2 to 0.4): more samples are likely to help.{tail}"
    )
    assert said(Difference(-0.1, -0.4, 0.2)) == (
        f"{start}changed by -0.1 (95 % interval -0.4 to 0.2), which chance can explain: no "
        f"sign that more samples would help.{tail}"
    )
    assert (
        said(Difference(0.3, 0.2, 0.4)) == f"{start}rose by 0.3 (95 % interval 0.2 to 0.4).{tail}"
    )


def test_ctrl_c_keeps_the_sizes_that_were_finished(run, monkeypatch):
    done = []

    def ended(run, size, seed, tell):
        done.append(size)
        if len(done) == limit:
            raise KeyboardInterrupt
        return subject._Ended(1, 1.0, np.arange(60.0) + seed)

    monkeypatch.setattr(subject, "_trained", ended)
    limit = 6
    found = learning_curve(run, seeds=2)
    assert found.sizes.tolist() == [17, 35]
    assert found.is_interrupted
    done, limit = [], 3
    with pytest.raises(KeyboardInterrupt):
        learning_curve(run, seeds=2)
