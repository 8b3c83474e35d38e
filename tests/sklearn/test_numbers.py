"""Estimators on numbers far from 0, and how much of them is compiled anew."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from downslope.engine.compilation import programs
from downslope.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.peers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = X @ [1.0, 2.0, 0.0, -1.0]


@pytest.mark.parametrize(("unit", "offset"), [(20.0, 1.7e9), (1e-21, 0.0), (1e18, 0.0)])
def test_neither_unit_nor_offset_changes_what_is_learnt(unit, offset):
    model = NetworkRegressor((), max_iter=150, random_state=0, learning_rate_init=0.05)
    near = model.fit(X, Y).predict(X)
    far = model.fit(X * unit + offset, Y * unit + offset).predict(X * unit + offset)
    np.testing.assert_allclose((far - offset) / unit, near, atol=0.02)
    assert model.score(X * unit + offset, Y * unit + offset) > 0.99


def test_another_alpha_or_a_row_more_compiles_nothing_anew():
    labels = (Y > 0).astype(int)
    settings = {"hidden_layer_sizes": (4,), "random_state": 0, "n_iter_no_change": np.inf}
    NetworkClassifier(**settings, alpha=1.0, max_iter=4).fit(X[:113], labels[:113])
    before = programs.cache_info().misses
    for rows, alpha, epochs in ((114, 0.1, 3), (115, 1e-3, 4), (118, 1e-5, 3)):
        model = NetworkClassifier(**settings, alpha=alpha, max_iter=epochs)
        model.fit(X[:rows], labels[:rows])
    assert programs.cache_info().misses == before


def test_a_class_of_one_sample_is_trained_on_when_some_are_held_out():
    labels = (Y > 0).astype(int)
    labels[7] = 2
    model = NetworkClassifier((4,), max_iter=3, early_stopping=True, random_state=0)
    with pytest.warns(UserWarning, match="still falling"):
        model.fit(X, labels)
    assert (model.run_.dataset.train.targets == 2).sum() == 1
