"""The classifier beside MLPClassifier, and what it can do beyond it."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
    make_multilabel_classification,
)
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import downslope as ds
from downslope.sklearn import NetworkClassifier

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

X, Y = make_classification(
    240, 6, n_informative=4, n_classes=3, class_sep=1.5, flip_y=0, random_state=0
)
X = X.astype(np.float32)
FAST = {"hidden_layer_sizes": 16, "learning_rate_init": 0.01, "max_iter": 60, "random_state": 0}


@pytest.fixture(scope="module")
def fitted() -> NetworkClassifier:
    return NetworkClassifier(**FAST).fit(X, Y)


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_wine])
def test_it_is_as_right_as_mlpclassifier(load):
    own, theirs = [], []
    for seed in range(3):
        parts = train_test_split(*load(return_X_y=True), random_state=seed, test_size=0.4)
        inputs, others, classes, truth = parts
        for scores, kind in ((own, NetworkClassifier), (theirs, MLPClassifier)):
            model = make_pipeline(StandardScaler(), kind(random_state=seed))
            scores.append(model.fit(inputs, classes).score(others, truth))
    assert np.mean(own) > np.mean(theirs) - 0.03  # wine: 72 samples, three times


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("sizes", [(), (5, 4)])
def test_the_weights_are_for_inputs_as_they_came(classes, sizes):
    inputs = 7 + 3 * X.astype(np.float64)
    model = NetworkClassifier(sizes, "logistic", max_iter=5).fit(inputs, Y % classes)
    assert [len(one) for one in model.coefs_] == [6, *sizes]
    assert model.n_layers_ == len(sizes) + 2
    assert model.n_outputs_ == (1 if classes == 2 else 3)
    signals = inputs
    for index, (weights, biases) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        sums = signals @ weights + biases
        signals = 1 / (1 + np.exp(-sums))
        assert weights.shape[1] == len(biases) == [*sizes, model.n_outputs_][index]
    if classes == 2:
        expected = np.hstack([1 - signals, signals])
    else:
        powers = np.exp(sums)
        expected = powers / powers.sum(axis=1, keepdims=True)
    assert model.out_activation_ == {2: "logistic", 3: "softmax"}[classes]
    np.testing.assert_allclose(model.predict_proba(inputs), expected, atol=1e-5)
    np.testing.assert_array_equal(model.predict(inputs), expected.argmax(axis=1))


def test_one_answer_is_the_same_as_among_many(fitted):
    alone = np.concatenate([fitted.predict_proba(row[None]) for row in X[:20]])
    np.testing.assert_allclose(alone, fitted.predict_proba(X[:20]), rtol=1e-12)


def descend(weights, biases, rate, steps, counts):
    """Softmax regression by gradient descent on a weighted mean, in float64."""
    inputs, truth = X.astype(np.float64), np.eye(3)[Y]
    losses = []
    for _ in range(steps):
        powers = np.exp(inputs @ weights + biases)
        fractions = powers / powers.sum(axis=1, keepdims=True)
        losses.append(np.average(-np.log(fractions[np.arange(len(Y)), Y]), weights=counts))
        delta = (fractions - truth) * (counts / counts.sum())[:, None]
        weights = weights - rate * inputs.T @ delta
        biases = biases - rate * delta.sum(axis=0)
    return weights, biases, losses


@pytest.mark.parametrize("by", ["sample", "class", "balanced"])
def test_weights_of_samples_and_classes_are_those_of_a_weighted_mean(by):
    counts = np.random.default_rng(0).uniform(0.1, 4, len(Y))
    given = {"sample_weight": counts} if by == "sample" else {}
    own = {"class": {0: 1.0, 1: 5.0, 2: 0.5}, "balanced": "balanced"}.get(by)
    if by == "class":
        counts = np.array([1.0, 5.0, 0.5])[Y]
    elif by == "balanced":
        counts = (len(Y) / (3 * np.bincount(Y)))[Y]
    settings = {
        "hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0, "standardize": False,
        "batch_size": len(Y), "random_state": 3, "class_weight": own, "n_iter_no_change": np.inf,
    }  # fmt: skip
    start = NetworkClassifier(**settings, learning_rate_init=1e-30, max_iter=1).fit(X, Y)
    model = NetworkClassifier(**settings, learning_rate_init=0.1, max_iter=12).fit(X, Y, **given)
    weights, biases, losses = descend(start.coefs_[0], start.intercepts_[0], 0.1, 12, counts)
    np.testing.assert_allclose(model.coefs_[0], weights, atol=1e-5)
    np.testing.assert_allclose(model.intercepts_[0], biases, atol=1e-5)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-4)
    assert model.n_iter_ == 12
    assert model.t_ == 12 * len(Y)


def test_alpha_is_that_of_scikit_learn():
    settings = {"hidden_layer_sizes": (), "alpha": 30.0, "max_iter": 3000, "random_state": 0}
    scaled = StandardScaler().fit_transform(X)
    own = NetworkClassifier(**settings, learning_rate_init=0.01, batch_size=240, tol=1e-7)
    theirs = MLPClassifier(**{**settings, "hidden_layer_sizes": [1]}, solver="lbfgs")
    del theirs  # it has no network without a hidden layer: the minimum is found by hand
    from scipy.optimize import minimize

    def value(packed):
        weights, biases = packed[:18].reshape(6, 3), packed[18:]
        sums = scaled @ weights + biases
        logs = sums - np.log(np.exp(sums).sum(axis=1, keepdims=True))
        pull = 30.0 / 2 * (packed**2).sum() / len(Y)
        return -logs[np.arange(len(Y)), Y].mean() + pull

    best = minimize(value, np.zeros(21), tol=1e-10).x
    found = own.fit(scaled, Y)
    np.testing.assert_allclose(found.coefs_[0], best[:18].reshape(6, 3), atol=2e-3)


def test_the_parameters_that_both_have_are_called_alike_and_have_the_same_defaults():
    own, theirs = NetworkClassifier().get_params(), MLPClassifier().get_params()
    shared = own.keys() & theirs.keys()
    assert {name: own[name] for name in shared} == {name: theirs[name] for name in shared}
    assert theirs.keys() - own.keys() == {
        "beta_1", "beta_2", "epsilon", "max_fun", "power_t", "shuffle"
    }  # fmt: skip


def test_attributes_are_those_of_mlpclassifier(fitted):
    theirs = MLPClassifier(8, max_iter=2).fit(X, Y)
    shown = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
    assert {name for name in shown if not hasattr(fitted, name)} == set()


def test_a_grid_search_over_a_pipeline_in_two_processes():
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(**FAST))
    grid = {
        "networkclassifier__alpha": [1e-4, 1000.0],
        "networkclassifier__learning_rate_init": [1e-7, 0.01],
    }
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, Y)
    assert search.best_params_ == {
        "networkclassifier__alpha": 1e-4,
        "networkclassifier__learning_rate_init": 0.01,
    }
    assert search.score(X, Y) > 0.9


def test_cross_validation():
    assert cross_val_score(NetworkClassifier(**FAST), X, Y, cv=3).mean() > 0.75


def test_a_copy_on_disk_answers_the_same_and_holds_no_training_data(fitted):
    text = pickle.dumps(fitted)
    copy = pickle.loads(text)
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(copy.loss_curve_, fitted.loss_curve_)
    assert X[0].tobytes() not in text
    assert copy.run_.dataset is None
    assert fitted.run_.dataset is not None


def test_a_clone_is_not_trained(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError, match="This NetworkClassifier instance is not fitted yet"):
        copy.predict(X)


def test_sparse_inputs_are_the_same_as_dense_ones(fitted):
    other = NetworkClassifier(**FAST).fit(sparse.csr_array(X), Y)
    np.testing.assert_array_equal(other.predict_proba(sparse.csc_array(X)), fitted.predict_proba(X))


def test_names_of_classes_and_inputs():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    names = np.array(["no", "so", "yes"])[Y]
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(**FAST))
    model = pipeline.set_output(transform="pandas").fit(frame, names)[-1]
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert model.run_.data.input_names == tuple("abcdef")
    assert model.run_.data.class_names == ("no", "so", "yes")
    assert set(pipeline.predict(frame)) == {"no", "so", "yes"}


def test_labels_of_which_any_number_may_hold():
    inputs, labels = make_multilabel_classification(300, n_classes=4, random_state=0)
    model = NetworkClassifier(**FAST).fit(inputs[:200], labels[:200])
    theirs = MLPClassifier(16, learning_rate_init=0.01, max_iter=60, random_state=0)
    theirs.fit(StandardScaler().fit_transform(inputs[:200]), labels[:200])
    assert model.predict(inputs).shape == labels.shape
    assert model.out_activation_ == theirs.out_activation_ == "logistic"
    assert model.loss_curve_[-1] < theirs.loss_curve_[-1]  # theirs is a sum over the labels
    other = StandardScaler().fit(inputs[:200]).transform(inputs[200:])
    right = (model.predict(inputs[200:]) == labels[200:]).mean()
    assert right > (theirs.predict(other) == labels[200:]).mean() - 0.05  # of 400 labels
    np.testing.assert_array_equal(model.predict(inputs), model.predict_proba(inputs) > 0.5)


def test_own_validation_data_decides_when_to_end():
    rng = np.random.default_rng(0)
    noise = rng.permutation(Y)
    model = NetworkClassifier(**{**FAST, "max_iter": 500}, early_stopping=True, n_iter_no_change=5)
    model.fit(X[:120], noise[:120], validation_data=(X[120:], noise[120:]))
    assert model.run_.outcome.reason == "no_improvement"
    assert len(model.validation_scores_) == model.n_iter_ < 500
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    kept = model.run_.outcome.kept_step // 1 - 1  # one step in an epoch
    assert model.score(X[120:], noise[120:]) == pytest.approx(model.validation_scores_[kept])


def test_samples_held_out_are_not_trained_on():
    model = NetworkClassifier(**FAST, early_stopping=True, validation_fraction=0.25).fit(X, Y)
    assert model.run_.data.samples == {"train": 180, "validation": 60, "test": 0}
    assert np.bincount(model.run_.dataset.validation.targets).tolist() == [20, 20, 20]


def test_validation_data_alone_is_only_looked_at():
    model = NetworkClassifier(**FAST).fit(X, Y, validation_data=(X[:50], Y[:50]))
    assert model.n_iter_ == 60
    assert len(model.validation_scores_) == 60
    assert model.validation_scores_[-1] == pytest.approx(model.score(X[:50], Y[:50]))


def test_training_goes_on_with_a_warm_start():
    settings = {**FAST, "batch_size": 240, "n_iter_no_change": np.inf}
    whole = NetworkClassifier(**{**settings, "max_iter": 10}).fit(X, Y)
    model = NetworkClassifier(**{**settings, "max_iter": 5}, warm_start=True).fit(X, Y)
    assert model.n_iter_ == 5
    model.fit(X, Y)
    assert model.n_iter_ == 5
    assert model.t_ == whole.t_ == 10 * 240
    np.testing.assert_allclose(model.loss_curve_, whole.loss_curve_, rtol=1e-3)
    np.testing.assert_allclose(model.predict_proba(X), whole.predict_proba(X), atol=1e-3)


def test_epoch_by_epoch_is_one_training():
    settings = {**FAST, "batch_size": 240, "n_iter_no_change": np.inf}
    whole = NetworkClassifier(**{**settings, "max_iter": 4}).fit(X, Y)
    model = NetworkClassifier(**settings)
    for _ in range(4):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_allclose(model.predict_proba(X), whole.predict_proba(X), atol=1e-3)
    assert model.n_iter_ == 1
    assert len(model.loss_curve_) == 4


def test_a_part_may_lack_classes():
    model = NetworkClassifier(**FAST)
    for _ in range(30):
        for kind in (0, 1, 2):
            rows = kind != Y
            model.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    assert model.score(X, Y) > 0.7


def test_the_order_of_samples_is_another_when_training_goes_on():
    model = NetworkClassifier(**FAST, batch_size=8).partial_fit(X, Y, classes=[0, 1, 2])
    first = model.run_.settings.seed
    assert first == 0
    assert model.partial_fit(X, Y).run_.settings.seed != first


def test_an_activation_and_a_dropout_for_each_layer():
    model = NetworkClassifier((5, 4), ["tanh", "logistic"], dropout=[0.0, 0.3], max_iter=1)
    network = model.fit(X, Y).run_.network
    assert network.layers == (
        ds.Dense(5, "tanh", "glorot_uniform"),
        ds.Dense(4, "sigmoid", "glorot_uniform"),
        ds.Dropout(0.3),
        ds.Dense(3),
    )  # fmt: skip


def focal(logits, classes):
    """Lin et al., Focal loss for dense object detection, 2017, with gamma = 2."""
    import jax
    import jax.numpy as jnp

    logs = jax.nn.log_softmax(logits)[jnp.arange(len(classes)), classes]
    return -((1 - jnp.exp(logs)) ** 2) * logs


def test_a_loss_of_ones_own():
    model = NetworkClassifier(**FAST, loss=focal).fit(X, Y)
    assert model.run_.settings.loss == "focal"
    assert model.score(X, Y) > 0.85
    chances = model.predict_proba(X)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    fractions = chances[np.arange(len(Y)), Y]
    mean = (-((1 - fractions) ** 2) * np.log(fractions)).mean()
    assert model.run_.measure(ds.Samples(X, Y.astype(np.int32)))["loss"] == pytest.approx(mean)
    two = NetworkClassifier(**FAST, loss=focal).fit(X, Y > 0)
    assert two.decision_function(X).shape == (240,)
    assert two.n_outputs_ == 2


@pytest.mark.parametrize(
    ("settings", "optimizer"),
    [
        ({"solver": "sgd"}, ("nesterov", 0.9)),
        ({"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5}, ("momentum", 0.5)),
        ({"solver": "sgd", "momentum": 0}, ("sgd", None)),
        ({"solver": "rmsprop"}, ("rmsprop", None)),
        ({"solver": ds.Optimizer("adam", clip_norm=1.0)}, ("adam", None)),
    ],
    ids=["nesterov", "momentum", "sgd", "rmsprop", "own"],
)
def test_solvers(settings, optimizer):
    model = NetworkClassifier(max_iter=1, **settings).fit(X, Y)
    used = model.run_.settings.optimizer
    assert (used.name, used.momentum) == optimizer


def test_adamw_takes_alpha_as_its_weight_decay():
    used = NetworkClassifier(max_iter=1, solver="adamw", alpha=0.01).fit(X, Y).run_.settings
    assert used.optimizer.weight_decay == 0.01


def test_the_run_opens_all_other_doors(fitted, tmp_path):
    fitted.run_.save(tmp_path / "run")
    opened = ds.open_run(tmp_path / "run")
    np.testing.assert_allclose(opened.probabilities(X), fitted.predict_proba(X), atol=1e-6)
    assert opened.data.source == "arrays in memory"


def test_what_it_tells_while_it_learns(capsys):
    NetworkClassifier(**{**FAST, "max_iter": 3}, verbose=True).fit(X, Y)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("epoch 3 of 3, 0.")
    assert " s, training loss " in last
    assert ", validation loss " in last


@pytest.mark.filterwarnings("error")
def test_a_training_that_did_not_settle_warns():
    from sklearn.exceptions import ConvergenceWarning

    with pytest.warns(ConvergenceWarning) as caught:
        NetworkClassifier(max_iter=2).fit(X, Y)
    assert str(caught[0].message) == (
        "All 2 epochs were used, and the training loss was still falling by more than tol=0.0001 "
        "within n_iter_no_change=10 epochs. Raise max_iter or learning_rate_init."
    )
    with pytest.warns(ConvergenceWarning, match="the weights before that step were kept"):
        NetworkClassifier(max_iter=2, solver="sgd", learning_rate_init=3e38).fit(X, Y)
    with pytest.warns(UserWarning, match="batch_size=500") as caught:
        NetworkClassifier(max_iter=2, batch_size=500, n_iter_no_change=np.inf).fit(X, Y)
    assert str(caught[0].message) == (
        "batch_size=500 is larger than the number of training samples, 240, which are used instead."
    )


WRONG = [
    (
        {"solver": "lbfgs"}, {},
        r"The 'solver' parameter of NetworkClassifier must be a str among .* Got 'lbfgs' instead.",
    ),
    ({"learning_rate_init": "fast"}, {}, "Got 'fast' instead."),
    ({"learning_rate": "adaptive"}, {}, "Got 'adaptive' instead."),
    ({"hidden_layer_sizes": (5, 0)}, {}, r"hidden_layer_sizes must be > 0, got \[5, 0\]."),
    (
        {"activation": ["relu", "tanh"]}, {},
        "activation has 2 values, and there are 1 hidden layers. Give one value for all layers, or "
        "one for each.",
    ),
    ({"activation": ["relo"]}, {}, "There is no activation called 'relo'. .* Did you mean 'relu'?"),
    ({}, {"validation_data": X}, r"validation_data must be \(X, y\) or \(X, y, sample_weight\)"),
    ({}, {"validation_data": (X, Y + 1)}, "`y` has classes not in `self.classes_`."),
    ({}, {"validation_data": (X[:, :2], Y)}, "X has 2 features, but NetworkClassifier is"),
    ({}, {"sample_weight": -np.ones(len(Y))}, "Negative values in data passed to `sample_weight`"),
    ({"early_stopping": True, "validation_fraction": 0.001}, {}, "test_size = 1 should be greater"),
    ({"class_weight": {7: 1.0}}, {}, "The classes, .* are not in class_weight"),
    (
        {"loss": lambda logits, classes: logits}, {},
        r"The loss lambda gives values of shape \(2, 3\) for 2 samples. Expected one value per",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "given", "message"), WRONG, ids=range(len(WRONG)))
def test_mistakes_are_told_as_scikit_learn_does(settings, given, message):
    with pytest.raises(ValueError, match=message):
        NetworkClassifier(**settings).fit(X, Y, **given)


def test_mistakes_that_depend_on_the_targets():
    labels = np.stack([Y == 0, Y > 0], axis=1)
    with pytest.raises(ValueError, match=r"any number of these labels may\. Use loss='binary"):
        NetworkClassifier(loss="cross_entropy").fit(X, labels)
    with pytest.raises(ValueError, match="class_weight is for classes of which one holds"):
        NetworkClassifier(class_weight="balanced").fit(X, labels)
    with pytest.raises(ValueError, match="y has several columns of classes"):
        NetworkClassifier().fit(X, np.stack([Y, Y], axis=1))
    with pytest.raises(ValueError, match="The loss is binary_cross_entropy, and samples has 3"):
        NetworkClassifier(loss="binary_cross_entropy").fit(X, Y)
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial"):
        NetworkClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        NetworkClassifier(early_stopping=True).partial_fit(X, Y, classes=[0, 1, 2])


def test_another_network_cannot_go_on():
    model = NetworkClassifier(4, max_iter=1, warm_start=True).fit(X, Y)
    with pytest.raises(
        ValueError, match="the run to go on from had 'dense 4 relu glorot_uniform, dense 3'"
    ):
        model.set_params(hidden_layer_sizes=5).fit(X, Y)


@pytest.mark.slow
def test_a_learning_rate_is_found_once_and_used_again():
    settings = {**FAST, "learning_rate_init": "auto", "max_iter": 4, "warm_start": True}
    model = NetworkClassifier(**settings).fit(X, Y)
    rate = model.run_.settings.learning_rate
    fixed = NetworkClassifier(**{**settings, "learning_rate_init": rate}).fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], fixed.coefs_[0])
    assert model.fit(X, Y).run_.settings.learning_rate == rate
    with pytest.raises(ValueError, match="learning_rate_init"):
        NetworkClassifier(learning_rate_init="fast").fit(X, Y)
