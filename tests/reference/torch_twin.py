"""The same network, run by PyTorch: an independent opinion on every layer, activation and loss."""

from __future__ import annotations

import numpy as np
import pytest

import downslope as ds
from downslope.nn.layer import Layer
from downslope.nn.normalization import EPSILON

torch = pytest.importorskip("torch")
F = torch.nn.functional

torch.set_num_threads(1)  # the tests run side by side

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "softmax": lambda z: torch.softmax(z, -1),
}


def tensor(array, gradient: bool = False) -> torch.Tensor:
    """An array as a tensor; classes become int64, as PyTorch wants them."""
    made = torch.from_numpy(np.array(array))
    return made.long() if made.dtype == torch.int32 else made.requires_grad_(gradient)


def tensors(tree):
    """Nested parameters as tensors that gather gradients."""
    if isinstance(tree, dict):
        return {name: tensors(value) for name, value in tree.items()}
    return [tensors(one) for one in tree] if isinstance(tree, tuple) else tensor(tree, True)


def gradients(tree):
    """What backpropagation left at those tensors, in the same nesting."""
    if isinstance(tree, dict):
        return {name: gradients(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return tuple(gradients(one) for one in tree)
    return np.zeros(tuple(tree.shape)) if tree.grad is None else tree.grad.numpy()


def forward(network: ds.Network, parameters: list, signals: torch.Tensor) -> torch.Tensor:
    """The network's answer without dropout; images are (N, height, width, channels)."""
    for layer, own in zip(network.layers, parameters, strict=True):
        signals = _layer(layer, own, signals)
    return signals


def _chain(layers, parameters: dict, x: torch.Tensor) -> torch.Tensor:
    for number, layer in enumerate(layers, start=1):
        x = _layer(layer, parameters[str(number)], x)
    return x


def _layer(layer: Layer, own: dict, x: torch.Tensor) -> torch.Tensor:
    match layer:
        case ds.Dense():
            return ACTIVATIONS[layer.activation](F.linear(x, own["weights"].T, own["biases"]))
        case ds.Conv2D():
            return ACTIVATIONS[layer.activation](_convolve(layer, own, x))
        case ds.MaxPool2D():
            return _channels_last(F.max_pool2d(_channels_first(x), layer.size))
        case ds.AveragePool2D():
            return _channels_last(F.avg_pool2d(_channels_first(x), layer.size))
        case ds.GlobalAveragePool2D():
            return F.adaptive_avg_pool2d(_channels_first(x), 1).flatten(1)
        case ds.GlobalMaxPool2D():
            return F.adaptive_max_pool2d(_channels_first(x), 1).flatten(1)
        case ds.Activate():
            return ACTIVATIONS[layer.activation](x)
        case ds.Upsample2D():
            return _channels_last(F.interpolate(_channels_first(x), scale_factor=layer.factor))
        case ds.Flatten():
            return x.flatten(1)
        case ds.Dropout():
            return F.dropout(x, layer.rate, training=False)
        case ds.Embedding():
            indices = x[:, -1].round().clip(0, layer.values - 1).long()
            return torch.cat([F.embedding(indices, own["weights"]), x[:, :-1]], 1)
        case ds.EmbeddingBag():
            indices = x[:, -layer.size :].round().clip(0, layer.values - 1).long()
            mean = F.embedding_bag(indices, own["weights"], mode="mean", padding_idx=0)
            return torch.cat([mean, x[:, : -layer.size]], 1)
        case ds.LayerNorm():
            return F.layer_norm(x, x.shape[-1:], own["scale"], own["offset"], EPSILON)
        case ds.Standardize():
            return F.layer_norm(x, x.shape[1:], eps=EPSILON)
        case ds.GroupNorm():
            moved = x.movedim(-1, 1).contiguous()  # else its backward pass may crash
            normal = F.group_norm(moved, layer.groups, own["scale"], own["offset"], EPSILON)
            return normal.movedim(1, -1)
        case ds.BatchNorm():
            moved = x.movedim(-1, 1).contiguous()
            learned = own["scale"], own["offset"]
            normal = F.batch_norm(moved, None, None, *learned, training=True, eps=EPSILON)
            return normal.movedim(1, -1)
        case ds.Residual():
            return x + _chain(layer.layers, own, x)
        case ds.Parallel():
            branches = enumerate(layer.branches, start=1)
            return torch.cat([_chain(one, own[str(index)], x) for index, one in branches], -1)
    raise AssertionError(f"no twin for {layer}")


def _channels_first(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def _convolve(layer: ds.Conv2D, own: dict, x: torch.Tensor) -> torch.Tensor:
    x = _channels_first(x)
    if layer.padding == "same":
        pads = []
        for side in (x.shape[3], x.shape[2]):  # PyTorch names the last axis first
            reach = (layer.size - 1) * layer.dilation + 1
            total = max((-(-side // layer.stride) - 1) * layer.stride + reach - side, 0)
            pads += [total // 2, total - total // 2]
        x = F.pad(x, pads)
    kernel = own["weights"].permute(3, 2, 0, 1)
    steps = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    return _channels_last(F.conv2d(x, kernel, own["biases"], **steps))


def per_sample(loss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """PyTorch's own loss, one value per sample; of the user's own loss what it means here."""
    if callable(loss):
        return ((outputs - targets).abs() ** 3).flatten(1).sum(1)
    if loss == "cross_entropy":
        return F.cross_entropy(outputs, targets, reduction="none")
    if loss in ("binary_cross_entropy", "poisson", "squared_error", "absolute_error", "huber"):
        function = {
            "binary_cross_entropy": F.binary_cross_entropy_with_logits,
            "poisson": F.poisson_nll_loss,  # from the log rate, without log(t!)
            "squared_error": F.mse_loss,
            "absolute_error": F.l1_loss,
            "huber": F.huber_loss,
        }[loss]
        return function(outputs, targets, reduction="none").flatten(1).mean(1)
    raise AssertionError(f"no twin for {loss}")
