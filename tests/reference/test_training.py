"""A whole training beside the same loop written in PyTorch."""

import numpy as np
import pytest

import downslope as ds
from downslope.engine.batches import BatchPlan
from tests.plain import PLAIN

EPOCHS, BATCH, RATE = 2, 32, 0.1


@pytest.mark.peers
def test_digits_are_learnt_step_for_step_as_in_pytorch(digits):
    torch = pytest.importorskip("torch")
    from tests.reference import torch_twin

    network = ds.Network([ds.Dense(32, "relu"), ds.Dense(10)])
    run = ds.train(
        network,
        digits,
        options=PLAIN,
        optimizer="sgd",
        learning_rate=RATE,
        batch_size=BATCH,
        epochs=EPOCHS,
    )

    inputs = torch_twin.tensor(digits.scaling.apply(digits.train.inputs))
    labels = torch_twin.tensor(digits.train.targets)
    twins = torch_twin.tensors(network.init(digits.input_shape, seed=0))
    optimizer = torch.optim.SGD([leaf for own in twins for leaf in own.values()], lr=RATE)
    plan = BatchPlan(len(digits.train), BATCH, EPOCHS, seed=0)
    losses = []
    for batch in plan.batches(0, plan.steps):
        chosen = torch.from_numpy(batch[batch >= 0].astype(np.int64))
        optimizer.zero_grad()
        outputs = torch_twin.forward(network, twins, inputs[chosen])
        loss = torch.nn.functional.cross_entropy(outputs, labels[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert run.outcome.step == len(losses) == 80
    np.testing.assert_allclose(run.trace.batch_loss, losses, rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(run.parameters, twins, strict=True):
        for name in ours:
            np.testing.assert_allclose(ours[name], theirs[name].detach(), atol=1e-4)
