"""Networks drawn at random answer alike here and in every format that runs by itself."""

import os

import numpy as np
import pytest

from downslope.exporting.export import export
from tests.exporting.drawn import as_asked, as_fed, distance, drawn_run, load_source

pytestmark = pytest.mark.filterwarnings(  # values that no training had, and long texts
    "ignore:The column", "ignore:Of each text"
)
FEW, MANY = range(24), range(300)
TOLERANCE = 1e-5  # of the largest number that comes out
# One network of 300 differs by 1.5e-5 where the native kernel computes: there nearly equal float32
# numbers are subtracted, by a normalisation of signals that hardly differ.
LOOSER = {"keras": 2e-5}
KINDS = ["numpy", *(pytest.param(one, marks=pytest.mark.peers) for one in ("torch", "keras"))]


def predictions_of(run, inputs):
    """The names of the classes, or None; and the numbers."""
    if run.data.task != "classification":
        return None, run.predict(as_asked(inputs))
    names = [run.data.class_names[index] for index in run.predict(as_asked(inputs))]
    return names, run.probabilities(as_asked(inputs))


def by_onnx(run, inputs, folder):
    """What onnxruntime and onnx's own evaluator give, by the outputs' names."""
    onnxruntime = pytest.importorskip("onnxruntime")
    reference = pytest.importorskip("onnx.reference")
    (path,) = export(run, folder / "drawn.onnx", to="onnx", overwrite=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    fed = as_fed(run, inputs)
    names = [one.name for one in session.get_outputs()]
    yield dict(zip(names, session.run(None, fed), strict=True))
    with np.errstate(invalid="ignore"):  # waves of dates that are missing
        yield dict(zip(names, reference.ReferenceEvaluator(str(path)).run(None, fed), strict=True))


def check_onnx(seed, folder):
    run, inputs = drawn_run(seed)
    names, numbers = predictions_of(run, inputs)
    for made in by_onnx(run, inputs, folder):
        if names is not None:
            assert list(made["prediction"]) == names
        got = made["prediction" if names is None else "probabilities"]
        assert distance(got, numbers) <= TOLERANCE


def check_source(kind, seed, folder):
    run, inputs = drawn_run(seed)
    names, numbers = predictions_of(run, inputs)
    tolerance = LOOSER.get(kind, TOLERANCE)
    made = load_source(export(run, folder / "drawn.py", to=kind, overwrite=True)[0])
    if names is not None:
        assert made.predict(inputs) == names
        assert distance(made.probabilities(inputs), numbers) <= tolerance
    else:
        assert distance(made.predict(inputs), numbers) <= tolerance
    ours = run.outputs(as_asked(inputs))
    ours = np.exp(ours) if run.loss.name == "poisson" else ours
    assert distance(made.outputs(inputs), ours) <= tolerance


def need(kind, monkeypatch):
    """The library, told to work with PyTorch's engine where there is a choice."""
    if kind != "numpy":
        pytest.importorskip("torch")
    if kind == "keras":
        monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")  # compiles nothing
        pytest.importorskip("keras")


@pytest.mark.peers
@pytest.mark.parametrize("seed", FEW)
def test_onnx_answers_alike(seed, tmp_path):
    check_onnx(seed, tmp_path)


@pytest.mark.parametrize("seed", FEW)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # of the libraries, about odd but valid networks
def test_a_python_file_answers_alike(kind, seed, tmp_path, monkeypatch):
    need(kind, monkeypatch)
    check_source(kind, seed, tmp_path)


@pytest.mark.peers
@pytest.mark.slow
def test_300_drawn_networks_answer_alike_in_onnx(tmp_path):
    for seed in MANY:
        check_onnx(seed, tmp_path)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_many_drawn_networks_answer_alike_in_python(kind, tmp_path, monkeypatch):
    need(kind, monkeypatch)
    for seed in MANY[24::6] if kind == "numpy" else MANY:  # every machine tries those of NumPy
        check_source(kind, seed, tmp_path)


def test_the_drawn_ones_have_everything():
    from downslope.exporting.model import _all
    from downslope.nn.activations import ACTIVATIONS
    from downslope.nn.notation import LAYERS

    runs = [drawn_run(seed)[0] for seed in MANY]
    layers = [layer for run in runs for layer in _all(run.network.layers)]
    assert {type(layer) for layer in layers} == set(LAYERS.values())
    assert {getattr(layer, "activation", "identity") for layer in layers} == set(ACTIVATIONS)
    assert {run.data.task for run in runs} == {"classification", "regression", "counting"}
    codes = [code for run in runs if run.data.encoding for code in run.data.encoding.columns]
    assert {code.kind for code in codes} == {"number", "yes/no", "category", "date", "text"}


COUNTING = [seed for seed in range(30) if drawn_run(seed)[0].data.task == "counting"]


@pytest.mark.peers
@pytest.mark.parametrize("seed", COUNTING)
@pytest.mark.filterwarnings("ignore")
def test_photos_may_have_another_size_than_those_of_the_training(seed, tmp_path, monkeypatch):
    need("keras", monkeypatch)
    run, _ = drawn_run(seed)
    photos = np.random.default_rng(seed).integers(0, 256, (1, 24, 40, 3), dtype=np.uint8)
    ours = run.predict(photos)
    for made in by_onnx(run, photos, tmp_path):
        assert distance(made["prediction"], ours) <= TOLERANCE
    for kind in ("numpy", "torch", "keras"):
        made = load_source(export(run, tmp_path / "drawn.py", to=kind, overwrite=True)[0])
        assert distance(made.predict(photos), ours) <= LOOSER.get(kind, TOLERANCE)
