"""A chunk ends with the last finite weights, as if each step had looked at them."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.engine import loop
from downslope.engine.chunks import run_finite_chunk
from downslope.engine.compilation import compiled
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from downslope.runs.preparation import Preparation
from tests.runs import by_hand

STEPS = 40
TOO_FAR = np.inf  # no weight survives this rate


@pytest.fixture(scope="module", params=["sgd", "adam"])
def prepared(request) -> Preparation:
    settings = ds.Settings(
        loss="squared_error",
        optimizer=ds.Optimizer(request.param),
        learning_rate=0.01,
        schedule=ds.Schedule("constant"),
        batch_size=16,
        epochs=STEPS,
        seed=0,
        class_weights=(),
        augment=None,
        record=ds.Record(every=1),
        stop=ds.Stop(),
    )
    return Preparation(parse("dense 2"), by_hand.numbers_data(), resolve("squared_error"), settings)


def chunk_of(prepared: Preparation, program=None):
    """The compiled chunk and what it is called with, at the given rates."""
    state, key = prepared.start()
    program = prepared.program if program is None else program
    material = prepared.material(key)
    batches = prepared.plan.batches(0, STEPS).astype(np.int32)
    rates = np.full(STEPS, 0.01, np.float32)
    if program.members is not None:
        state = jax.tree.map(lambda leaf: np.stack([leaf] * 3), state)
        rates = np.stack([rates] * 3, axis=1)
    chunk = compiled(loop.run_chunk, program, state, material, batches, rates, np.int32(0))
    return chunk, state, material, batches, rates


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize("bad", [0, 1, 2, 7, 21, STEPS - 1])
def test_the_step_that_overflows_is_not_taken_wherever_it_is(prepared, bad):
    chunk, state, material, batches, rates = chunk_of(prepared)
    rates[bad] = TOO_FAR
    before, _ = chunk(state, material, batches, rates, np.int32(bad))
    after, rows = run_finite_chunk(chunk, state, material, batches, rates, STEPS)
    assert (int(after.step), int(after.ending)) == (bad, loop.NON_FINITE)
    assert_same(after.parameters, before.parameters)
    assert_same(after.optimizer_state, before.optimizer_state)
    assert np.isfinite(np.asarray(rows.batch_loss)[: bad + 1]).all()


def test_a_chunk_whose_weights_stay_finite_is_run_once(prepared):
    chunk, state, material, batches, rates = chunk_of(prepared)
    calls = []

    def counted(*arguments):
        calls.append(int(arguments[-1]))
        return chunk(*arguments)

    after, _ = run_finite_chunk(counted, state, material, batches, rates, STEPS)
    assert calls == [STEPS]
    assert (int(after.step), int(after.ending)) == (STEPS, loop.RUNNING)


def test_an_overflow_just_before_the_loss_shows_it_is_found_in_a_few_runs(prepared):
    chunk, state, material, batches, rates = chunk_of(prepared)
    rates[33] = TOO_FAR
    calls = []

    def counted(*arguments):
        calls.append(int(arguments[-1]))
        return chunk(*arguments)

    run_finite_chunk(counted, state, material, batches, rates, STEPS)
    assert calls == [STEPS, 33, 33, 34]  # the loss was not a number after 34 steps


def test_members_that_overflow_stay_behind_and_the_others_learn_what_they_would_alone(prepared):
    program = dataclasses.replace(
        prepared.program, members=loop.Members(own_batches=False, own_keys=False)
    )
    chunk, state, material, batches, rates = chunk_of(prepared, program)
    healthy, all_rows = chunk(state, material, batches, rates, np.int32(STEPS))
    rates[5, 0] = rates[30, 2] = TOO_FAR
    after, rows = run_finite_chunk(chunk, state, material, batches, rates, STEPS)
    assert after.step.tolist() == [5, STEPS, 30]
    assert after.ending.tolist() == [loop.NON_FINITE, loop.RUNNING, loop.NON_FINITE]
    for leaf, whole in zip(
        jax.tree.leaves(after.parameters), jax.tree.leaves(healthy.parameters), strict=True
    ):
        assert np.isfinite(leaf).all()
        np.testing.assert_array_equal(leaf[1], whole[1])
    for member, done in enumerate([5, STEPS, 30]):
        losses = np.asarray(rows.batch_loss)[:, member]
        np.testing.assert_array_equal(losses[:done], all_rows.batch_loss[:done, member])
        assert np.isfinite(losses[: done + 1]).all()  # the step that failed has its loss
        assert np.isnan(losses[done + 1 :]).all()
        np.testing.assert_array_equal(
            rows.validation[:done, member], all_rows.validation[:done, member]
        )
