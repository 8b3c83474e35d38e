"""Steps of real trainings: what is told of them is true to the last digit that is promised."""

import os
from random import Random

import jax
import numpy as np
import pytest

from downslope.insight.steps import trace_step
from tests.insight.drawn_steps import drawn_question, drawn_training

# Trainings, and questions about each: few here; 100 of one question are what is promised, and
# DOWNSLOPE_CASES=100 takes about ten minutes of a core.
CASES = int(os.environ.get("DOWNSLOPE_CASES", "4"))
QUESTIONS = 3 if CASES == 4 else 1


@pytest.fixture(autouse=True)
def _forget_compiled_code():
    yield
    jax.clear_caches()


def assert_same_bits(one, other):
    for mine, yours in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(yours))


@pytest.mark.parametrize("seed", range(CASES))
def test_factors_difference_and_replay_of_a_drawn_training(seed):
    drawn, random = drawn_training(seed), Random(seed)
    for _ in range(QUESTIONS):
        check(drawn, drawn_question(random, drawn.run))


def check(drawn, question):
    run, step = drawn.run, question["step"]
    traced = trace_step(run, **question)
    # the replayed step is the recorded one
    assert_same_bits(run.replay.state(step), drawn.states[step - 1])
    if step > 1:
        assert_same_bits(run.replay.state(step - 1), drawn.states[step - 2])
    # the factors multiply to the gradient, and the measured slope is that, too
    slopes = [np.abs(one).max() for own in traced.way.layers
              for one in jax.tree.leaves(own.gradients)]  # fmt: skip
    scale = max(float(max(slopes)), 1e-6)
    chain, measured = traced.weight.chain, traced.weight.difference
    far = abs(chain.product - chain.gradient) / scale
    apart = abs(measured.value - chain.gradient) / scale
    print(f"factors {far:.1e}, difference {apart:.1e}, corner {measured.is_at_corner}")
    assert far < 1e-5
    if measured.is_at_corner:
        low, high = sorted((measured.left, measured.right))
        assert low - 1e-4 * scale <= chain.gradient <= high + 1e-4 * scale
    else:
        assert apart < 1e-4
    if chain.has_all_paths and chain.start.count == 1:
        total = sum(path.value for path in chain.paths)
        assert total == pytest.approx(chain.gradient, rel=1e-4, abs=1e-5 * scale)
    assert str(traced).count("\n") > 20
