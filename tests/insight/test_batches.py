"""The samples that were together in a batch, and a training that keeps their order."""

import dataclasses
import re

import numpy as np
import pytest

import downslope as ds
from downslope.insight.batches import batches
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data(train=50)
NETWORK = parse("dense 3")


def trained(folder=None, **settings):
    wanted = {"epochs": 3, "batch_size": 16, "learning_rate": 0.1, **settings}
    return ds.train(NETWORK, DATA, options=PLAIN, folder=folder, **wanted)


@pytest.fixture(scope="module")
def kept():
    return trained(shuffle=False)


def test_each_epoch_sees_every_sample_once_in_another_order():
    found = batches(trained(), (1, 2, 3))
    assert [sorted(order) for order in found.orders.tolist()] == [list(range(50))] * 3
    assert len({order.tobytes() for order in found.orders}) == 3
    first = np.random.default_rng((0, 0)).permutation(50)
    np.testing.assert_array_equal(found.members(0), first[:16])
    assert found.batches_of_members(1) > 1
    assert "in an order drawn anew in each epoch, in 4 batches of 16." in str(found)


def test_without_shuffling_all_epochs_see_the_order_of_the_data(kept):
    found = batches(kept, (1, 3), batch=4)
    np.testing.assert_array_equal(found.orders, np.tile(np.arange(50), (2, 1)))
    np.testing.assert_array_equal(found.members(0), [48, 49])
    assert "The 2 samples of batch 4 in epoch 1 are together again in epoch 3." in str(found)
    counts = np.bincount(DATA.train.targets[48:50], minlength=3)
    told = ", ".join(f"{DATA.class_names[one]} {n}" for one, n in enumerate(counts) if n)
    assert told in str(found)


def test_the_setting_changes_the_steps_and_not_the_start(kept):
    usual = trained()
    assert usual.settings.shuffle and not kept.settings.shuffle
    begun = [ds.replay(run).state(0).parameters[0]["weights"] for run in (usual, kept)]
    np.testing.assert_array_equal(*begun)
    assert usual.trace.batch_loss[0] != kept.trace.batch_loss[0]
    np.testing.assert_array_equal(usual.trace.batch_loss, trained(shuffle=True).trace.batch_loss)


def test_it_holds_in_a_folder_when_resumed_forked_and_replayed(kept, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        trained("half", shuffle=False, epochs=1)
        resumed = ds.resume("half", data=DATA, epochs=3)
        assert not ds.open_run("half").settings.shuffle
        np.testing.assert_array_equal(resumed.trace.batch_loss, kept.trace.batch_loss)
        assert not ds.replay(resumed).settings_of(9).shuffle
        forked = ds.fork(resumed, 2, "other", shuffle=True)
    assert forked.settings.shuffle
    found = batches(forked, (1,))
    np.testing.assert_array_equal(ds.replay(forked).batch_of(2), np.arange(16, 32))
    assert sorted(found.orders[0]) != list(range(50))  # the order changed in the middle of it


def test_it_can_be_drawn(kept):
    for run in (kept, trained()):
        (figure,) = batches(run).plot().values()
        assert len(figure.axes) == 2
    numbers = ds.train("dense 2", by_hand.numbers_data(), options=PLAIN, epochs=1)
    found = batches(numbers)
    assert found.epochs == (1,)
    (figure,) = found.plot().values()
    assert "mean target" in str(found)


def test_mistakes(kept):
    with pytest.raises(ds.RunError, match=r"The epochs 0, 7 were asked for, and the run has 3"):
        batches(kept, (0, 7))
    with pytest.raises(ds.RunError, match="Batch 5 was asked for, and an epoch has 4"):
        batches(kept, batch=5)
    with pytest.raises(ds.SettingError, match=re.escape("The setting shuffle is 'no'. Expected")):
        dataclasses.replace(kept.settings, shuffle="no")
