"""Texts through scikit-learn's interface: lists, arrays, and frames with columns of texts."""

import numpy as np
import pytest

from tests.runs.test_texts import messages

sklearn = pytest.importorskip("sklearn")
pytestmark = pytest.mark.peers


@pytest.mark.parametrize("settings", [{"preset": "strong"}, {"learning_rate_init": 0.02}])
def test_messages_are_learnt_and_answered(settings):
    pandas = pytest.importorskip("pandas")
    from downslope.sklearn import NetworkClassifier

    texts, labels = messages(200)
    asked, truth = messages(60, seed=3)
    model = NetworkClassifier(random_state=0, **settings).fit(texts, labels)
    assert model.score(asked, truth) > 0.95
    given = [asked, np.array(asked, object), pandas.Series(asked)]
    one, *others = (model.predict_proba(each) for each in given)
    for other in others:
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="fitted to texts"):
        model.predict([[1.0]])
    with pytest.raises(AttributeError, match="other layers"):
        _ = model.coefs_


@pytest.mark.filterwarnings("ignore:All 1 epochs were used")
def test_a_frame_with_texts_and_numbers():
    pandas = pytest.importorskip("pandas")
    from downslope.sklearn import NetworkClassifier

    texts, labels = messages(200)
    frame = pandas.DataFrame({"m": texts, "x": np.arange(200.0) % 7})
    model = NetworkClassifier(random_state=0, preset="strong").fit(frame, labels)
    assert model.score(frame, labels) > 0.95
    assert [one.name for one in model.encoding_.columns] == ["x", "m"]
    with pytest.raises(ValueError, match="fitted to numbers"):
        NetworkClassifier(max_iter=1).fit([[0.0], [1.0]], [0, 1]).predict(["free"])
