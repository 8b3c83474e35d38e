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
    w = np.linspace(-1, 10, 2001)
    np.testing.assert_allclose(np.gradient(mean_curve(w), w)[1:-1], slope_at(w)[1:-1], atol=1e-3)
    assert mean_curve(A) == mean_curve(w).min().round(12) or mean_curve(A) < mean_curve(w).min()
    assert mean_curve(A) < mean_curve(B) < mean_curve(HILL)


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
        w = w - 0.12 * slope_at(w)
        np.testing.assert_allclose(row, w, atol=1e-4)


@pytest.mark.slow
def test_figure_5_over_200_starts():
    found = escape()
    full, some, single = found.walkers
    assert ((found.starts > HILL) & (found.starts < 9)).all() and len(found.starts) == 200
    assert (full.in_a, full.reached.sum()) == (0, 0)
    np.testing.assert_allclose(full.ends, B, atol=1e-3)
    assert some.in_a >= 190 and some.left.sum() <= 10
    assert single.reached.sum() == 200 and single.left.sum() > 150
    assert 100 < single.in_a < some.in_a
    assert [one.steps for one in found.walkers] == [200, 6400, 51200]


def test_the_conclusion_says_what_was_counted():
    found = escape(starts=12, epochs=30)
    _, some, single = found.walkers
    assert found.conclusion.startswith("Of 12 starts beside B: the full batch left all 12 in B; ")
    for one in (some, single):
        assert f"{one.name} " in found.conclusion
    again = escape(starts=12, epochs=30)
    assert again.conclusion == found.conclusion
    assert (again.walkers[2].ends == single.ends).all()


def test_messages():
    with pytest.raises(ds.SettingError) as caught:
        escape(starts=0)
    assert str(caught.value) == (
        "There are 0 starts and 3 batch sizes. Expected at least one of both. "
        "200 starts are the default."
    )
    with pytest.raises(ds.SettingError, match="The batch size is 1000, and there are 256"):
        escape(batch_sizes=[1000])
