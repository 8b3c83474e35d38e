"""Our backpropagation on randomly drawn networks, against JAX's gradients and PyTorch's.

In float64, so that no rounding hides an error: what is promised is 1e-5.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings

import downslope as ds
from downslope.engine.compilation import QUICKLY_COMPILED
from downslope.nn.activations import ACTIVATIONS
from downslope.nn.layer import map_by_kind
from downslope.nn.losses import LOSSES, resolve
from downslope.nn.notation import LAYERS
from tests.reference import drawing

SHAPES = {"flat": drawing.FLAT_SHAPES, "image": drawing.IMAGE_SHAPES}
DRAWN = {"flat": 140, "image": 60}  # 200 in all; images take longer to compile
FEW = {"flat": 14, "image": 12}  # on every machine; all of them where PyTorch is beside
WITH_PYTORCH = {"flat": 50, "image": 20}  # at least; those without dropout
REPETITIONS = 1.05  # Hypothesis draws the same network again now and then
TOLERANCE = 1e-9
FIRST_FAILURE = (Phase.explicit, Phase.generate)  # networks this small need no shrinking


@pytest.fixture(autouse=True)
def _forget_compiled_code():
    """Hundreds of small programs each hold memory maps, of which a process has only so many."""
    yield
    jax.clear_caches()


def largest_error(ours, reference) -> float:
    """The largest difference in any array, relative to the largest value of the reference there.

    What cancels out, such as the slope of a bias before a batch normalisation, is rounding alone:
    it is relative to a small part of the largest value of all.
    """
    floor = 1e-4 * max(np.abs(one).max() for one in jax.tree.leaves(reference))

    def relative_error(mine, other) -> float:
        mine, other = np.asarray(mine), np.asarray(other)
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
        return np.abs(mine - other).max() / max(np.abs(other).max(), floor, 1e-6)

    return max(jax.tree.leaves(jax.tree.map(relative_error, ours, reference)))


def all_layers(layers):
    """Each layer, also those inside of others."""
    for layer in layers:
        yield layer
        for chain in (getattr(layer, "layers", ()), *getattr(layer, "branches", ())):
            yield from all_layers(chain)


def by_jax(case, parameters, inputs, targets, weights, key):
    """Loss and gradients as JAX derives them from the whole of the forward pass."""

    def mean_loss(parameters):
        outputs = case.network.forward(parameters, inputs, key)
        return resolve(case.loss).mean(outputs, targets, weights)

    loss, gradients = jax.value_and_grad(mean_loss)(parameters)
    return loss, map_by_kind(lambda one: one, jnp.zeros_like, gradients)


def deltas_by_jax(case, parameters, inputs, targets, weights, key):
    """The slopes of the loss at shifts that are added to each layer's weighted sums."""
    network = case.network

    def mean_loss(shifts):
        signals = inputs
        for index, layer in enumerate(network.layers):
            own = network.layer_key(key, index)
            sums = layer.weighted_sum(parameters[index], signals, own)
            signals = layer.activate(sums + shifts[index])
        return resolve(case.loss).mean(signals, targets, weights)

    shifts = [jnp.zeros_like(one.pre_activations) for one in network.signals(parameters, inputs)]
    return jax.grad(mean_loss)(shifts)


def by_pytorch(case, parameters, inputs, targets, weights):
    """Loss and gradients as PyTorch finds them with layers and losses of its own."""
    from tests.reference import torch_twin

    twins = torch_twin.tensors(parameters)
    outputs = torch_twin.forward(case.network, twins, torch_twin.tensor(inputs))
    values = torch_twin.per_sample(case.loss, outputs, torch_twin.tensor(targets))
    counts = values.new_ones(len(values)) if weights is None else torch_twin.tensor(weights)
    value = (counts * values).sum() / counts.sum()
    if value.requires_grad:  # not where no layer has parameters
        value.backward()
    return value.detach().numpy(), torch_twin.gradients(twins)


def compare_with_jax(ours, others):
    of_network, deltas = others
    assert largest_error((ours.loss, ours.gradients), of_network) < TOLERANCE
    if deltas is not None:
        assert largest_error(list(ours.deltas), deltas) < TOLERANCE


@pytest.mark.parametrize("kind", ["flat", "image"])
def test_loss_gradients_and_deltas_equal_those_of_jax(kind):
    drawn = compare_drawn(kind, FEW[kind], lambda *_: None)
    assert len(drawn) >= FEW[kind]


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["flat", "image"])
def test_those_of_200_networks_equal_those_of_jax_and_pytorch(kind):
    pytest.importorskip("torch")
    with_pytorch = 0

    def compare(case, ours, given):
        nonlocal with_pytorch
        if case.network.is_random:
            return
        reference = by_pytorch(case, *jax.tree.map(np.asarray, given))
        assert largest_error((ours.loss, ours.gradients), reference) < TOLERANCE
        with_pytorch += 1

    drawn = compare_drawn(kind, DRAWN[kind], compare)
    assert len(drawn) >= DRAWN[kind]
    check_variety(kind, drawn)
    assert with_pytorch >= WITH_PYTORCH[kind]


def compare_drawn(kind, count, compare):
    """Draw networks; compare their backpropagation in float64 with JAX's, and as is asked."""
    seen = {}

    @settings(max_examples=round(REPETITIONS * count), phases=FIRST_FAILURE)
    @given(drawing.cases(SHAPES[kind]))
    def check(case):
        if (case.network, case.seed) in seen:
            return
        seen[case.network, case.seed] = case

        def both(given, key):
            parameters, inputs, targets, weights = given
            ours = ds.backpropagate(
                case.network, parameters, inputs, targets,
                loss=case.loss, weights=weights, key=key,
            )  # fmt: skip
            of_network = by_jax(case, *given, key)
            deltas = deltas_by_jax(case, *given, key) if len(seen) % 5 == 0 else None
            return ours, (of_network, deltas)

        if kind == "image":  # with shapes that no other has: operation by operation takes longer
            both = jax.jit(both, compiler_options=dict([QUICKLY_COMPILED]))
        with jax.enable_x64(True):
            given = (case.parameters(np.float64), *case.arrays(np.float64))
            ours, others = jax.tree.map(np.asarray, both(given, jax.random.key(0)))
            assert ours.loss.dtype == np.float64
            compare_with_jax(ours, others)
            compare(case, ours, given)

    check()
    return tuple(seen.values())


def check_variety(kind, cases):
    """Everything that can be drawn was drawn."""
    drawn = [layer for case in cases for layer in all_layers(case.network.layers)]
    assert {case.weights is None for case in cases} == {True, False}
    kinds = drawing.COMPOSITE + (drawing.FLAT if kind == "flat" else drawing.IMAGE)
    assert {type(layer) for layer in drawn} >= set(kinds)
    if kind == "flat":
        assert {case.loss for case in cases} == {*LOSSES, drawing.cubic_error}
        assert {getattr(layer, "activation", None) for layer in drawn} >= set(ACTIVATIONS)


def test_every_layer_can_be_drawn():
    drawn = {*drawing.FLAT, *drawing.IMAGE, *drawing.COMPOSITE}
    assert drawn | drawing.IN_THEIR_OWN_TESTS == set(LAYERS.values())


@settings(max_examples=8, phases=FIRST_FAILURE)
@given(drawing.cases(drawing.FLAT_SHAPES))
def test_in_float32_only_rounding_is_between_ours_and_those_of_jax(case):
    """Relative to the largest slope of all: standardizing cancels most of some, not its noise."""
    given = (case.parameters(np.float32), *case.arrays(np.float32))
    parameters, inputs, targets, weights = given
    ours = ds.backpropagate(
        case.network, parameters, inputs, targets, loss=case.loss, weights=weights
    )
    loss, gradients = by_jax(case, *given, None)
    assert ours.loss.dtype == np.float32
    assert ours.loss == pytest.approx(float(loss), rel=1e-6)
    largest = max([np.abs(leaf).max() for leaf in jax.tree.leaves(gradients)], default=0)
    for mine, reference in zip(
        jax.tree.leaves(ours.gradients), jax.tree.leaves(gradients), strict=True
    ):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-6 * largest)
