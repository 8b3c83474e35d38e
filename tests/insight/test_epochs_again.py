"""Weights of earlier epochs come by again as they were."""

import dataclasses

import pytest

import downslope as ds
from downslope.insight.epochs_again import parameters_behind, some_epochs
from downslope.network.notation import parse
from tests.learning import by_hand

NETWORK = parse("dropout 0.2, dense 3")
DATA = by_hand.classes_data()


def test_they_are_those_of_a_shorter_training():
    run = ds.train(NETWORK, DATA, batch_size=16, epochs=5, seed=3)
    told = []
    found = list(parameters_behind(run, [2, 5], lambda done, total: told.append((done, total))))
    shorter = ds.train(NETWORK, DATA, batch_size=16, epochs=2, seed=3)
    by_hand.assert_same_parameters(found[0], shorter.parameters)
    by_hand.assert_same_parameters(found[1], run.parameters)
    assert told[-1] == (20, 20)


def test_a_run_that_went_on_from_another_is_refused():
    first = ds.train(NETWORK, DATA, batch_size=16, epochs=2)
    run = ds.train(NETWORK, DATA, batch_size=16, epochs=2, start=first)
    with pytest.raises(ds.RunError) as raised:
        list(parameters_behind(run, [2]))
    assert str(raised.value) == (
        "Trained once more, the run has another loss at step 1. Expected the recorded one. It went "
        "on from another run, or was trained by another version: train it anew."
    )


@pytest.mark.parametrize(("finished", "most"), [(1, 40), (5, 40), (300, 40), (41, 8)])
def test_some_epochs(finished, most):
    run = ds.train(parse("dense 3"), DATA, batch_size="full", epochs=1)
    outcome = dataclasses.replace(run.outcome, step=finished)
    chosen = some_epochs(dataclasses.replace(run, outcome=outcome), most)
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (1, finished)
    assert len(chosen) <= most
    assert finished > most or chosen == list(range(1, finished + 1))
