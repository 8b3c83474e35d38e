"""Figure 5: the curve in closed form, and how many starts leave its local minimum."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight import escape
from downslope.insight.escape import HILL, A, B, mean_curve, sample_curve, tilts


def slope_at(w):
    u = w - HILL
    return (u + 3.5) * u * (u - 2) / 9


def test_the_curve_has_its_minima_where_it_is_said():
    assert [slope_at(w) for w in (A, HILL, B)] == [0, 0, 0]
    w = np.linspace(0, 9, 2001)
    np.testing.assert_allclose(np.gradient(mean_curve(w), w)[1:-1], slope_at(w)[1:-1], atol=1e-3)
    w = np.linspace(-30, 40, 70_001)
    assert mean_curve(A) <= mean_curve(w).min() + 1e-6
    assert mean_curve(A) < mean_curve(B) < mean_curve(HILL)
    turns = np.diff(np.sign(np.diff(mean_curve(w))))
    np.testing.assert_allclose(w[1:-1][turns != 0], [A, HILL, B], atol=1e-3)  # and no others


def test_the_mean_of_all_samples_is_the_curve():
    w = np.linspace(-1, 10, 50)
    every = sample_curve(w[:, None], tilts())
    assert len(np.unique(tilts())) == len(tilts())
    np.testing.assert_allclose(every.mean(axis=1), mean_curve(w), rtol=1e-12)
    assert tilts().astype(np.float32).sum() == 0


def test_the_full_batch_descends_the_curve_itself():
    found = escape(starts=20, batch_sizes=["full"], epochs=50).walkers[0]
    w = found.path[0]
    for row in found.path[1:]:
        w = w - 0.3 * slope_at(w)
        np.testing.assert_allclose(row, w, atol=1e-4)


@pytest.mark.campaign
@pytest.mark.slow
def test_figure_5_over_200_starts():
    found = escape()
    full, some, single = found.walkers
    assert ((found.starts > HILL) & (found.starts < 9)).all() and len(found.starts) == 200
    assert (full.ended_in_a, full.ended_in_b, full.reached.sum()) == (0, 200, 0)
    np.testing.assert_allclose(full.ends, B, atol=0.1)
    assert some.reached.sum() >= 190 and some.ended_in_a >= 190 and some.left.sum() <= 10
    assert single.reached.sum() == 200 and single.left.sum() > 190
    assert single.ended_in_a < 50 and single.elsewhere > 100
    assert [one.steps for one in found.walkers] == [32, 512, 131_072]


@pytest.mark.parametrize(("size", "seed"), [(256, 3), (400, 4)])
def test_a_few_hundred_samples_leave_b_and_stay_in_a(size, seed):
    (one,) = escape(batch_sizes=[size], seed=seed).walkers
    assert one.reached.sum() >= 150 and one.ended_in_a >= 150


def test_the_conclusion_says_what_was_counted():
    found = escape(starts=12, epochs=16)
    full, some, single = found.walkers
    assert found.setting == (
        "12 starts in the local minimum B; each batch size sees the 4,096 samples 16 times, at "
        "the learning rate 0.3."
    )
    assert found.summary.startswith("Full batch: all 12 stayed in B. Minibatches of 256: ")
    for one in (full, some, single):
        assert one.ended_in_a + one.ended_in_b + one.elsewhere == 12
    assert f"{single.elsewhere} far from both." in found.summary
    again = escape(starts=12, epochs=16)
    assert again.summary == found.summary
    assert (again.walkers[2].ends == single.ends).all()


def test_messages():
    with pytest.raises(ds.SettingError) as caught:
        escape(starts=0)
    assert str(caught.value) == (
        "There are 0 starts and 3 batch sizes. Expected at least one of both. "
        "200 starts are the default."
    )
    with pytest.raises(ds.SettingError, match="The batch size is 5000, and there are 4096"):
        escape(batch_sizes=[5000])
