"""The order of samples: everyone once an epoch, decided by (seed, epoch) alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from downslope.engine.batches import BatchPlan, epoch_order

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(0, 1000), st.integers(1, 300), st.data())
def test_every_sample_is_seen_once_in_each_epoch(seed, epoch, samples, data):
    batch_size = data.draw(st.integers(1, samples))
    plan = BatchPlan(samples, batch_size, 1, seed)
    batches = plan.epoch_batches(epoch)
    assert batches.shape == (plan.steps_per_epoch, batch_size)
    assert sorted(batches[batches >= 0]) == list(range(samples))
    free = batches.ravel() < 0
    assert plan.has_short_batch == free.any()
    assert not free[:samples].any()  # only the end of the last batch is free


def test_the_order_is_a_pure_function_of_seed_and_epoch():
    np.testing.assert_array_equal(epoch_order(3, 5, 100), epoch_order(3, 5, 100))


def test_the_order_differs_from_epoch_to_epoch():
    orders = {epoch_order(0, epoch, 50).tobytes() for epoch in range(200)}
    assert len(orders) == 200


@given(SEEDS, SEEDS)
def test_another_seed_gives_another_order_in_every_epoch(one, other):
    for epoch in range(20):
        same = np.array_equal(epoch_order(one, epoch, 60), epoch_order(other, epoch, 60))
        assert same == (one == other)


def test_the_grouping_is_drawn_anew_with_the_order():
    plan = BatchPlan(samples=12, batch_size=4, epochs=2, seed=0)
    groups = [{frozenset(batch) for batch in plan.epoch_batches(epoch)} for epoch in (0, 1)]
    assert groups[0] != groups[1]


@given(st.integers(1, 40), st.data())
def test_any_range_of_steps_is_cut_from_the_same_sequence(samples, data):
    plan = BatchPlan(samples, data.draw(st.integers(1, samples)), epochs=4, seed=1)
    start = data.draw(st.integers(0, plan.steps - 1))
    stop = data.draw(st.integers(start + 1, plan.steps))
    whole = np.concatenate([plan.epoch_batches(epoch) for epoch in range(4)])
    assert len(whole) == plan.steps
    np.testing.assert_array_equal(plan.batches(start, stop), whole[start:stop])
