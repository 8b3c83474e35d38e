"""`preset="strong"`: what the command line does for a table, through scikit-learn's interface."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytestmark = pytest.mark.peers

from downslope.nn.members import members_of  # noqa: E402 - after it is known to be there
from downslope.sklearn import NetworkClassifier, NetworkRegressor  # noqa: E402 - likewise


def test_it_trains_members_on_ranks_and_predicts_from_raw_inputs():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(120, 3))
    targets = 3 * inputs[:, 0] + np.abs(inputs[:, 1])
    model = NetworkRegressor(preset="strong", random_state=0).fit(inputs, targets)
    assert members_of(model.run_.network) == 4
    assert model.run_.data.input_names[:3] == ("x0 (rank)", "x1 (rank)", "x2 (rank)")
    assert model.score(inputs, targets) > 0.9
    numbers, deviations = model.predict(inputs, return_std=True)
    assert numbers.shape == deviations.shape == (120,)
    np.testing.assert_array_equal(numbers, model.predict(inputs))
    far = model.predict(10 * inputs, return_std=True)[1]
    assert far.mean() > deviations.mean() > 0


def test_what_it_decides_about_is_refused_beside_it():
    with pytest.raises(ValueError, match="decides about hidden_layer_sizes: leave it out"):
        NetworkClassifier(50, preset="strong").fit(np.ones((30, 2)), np.arange(30) % 2)
