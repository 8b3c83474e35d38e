"""Several networks trained as one: an ensemble whose members share a data set and a program.

The first dense layer of the members is one dense layer, as all of them see the same inputs; behind
it each member has units of its own, which see its own alone. In training each member has its own
loss; the network predicts the mean of their predictions.

Source: Hansen and Salamon, Neural network ensembles, 1990.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.errors import NetworkError, quoted
from downslope.nn.activations import Activation, Function, activation
from downslope.nn.dense import Dense, Dropout, add_activation, keep_plain, positive
from downslope.nn.forms import Spot, TorchModule, torch_activation
from downslope.nn.initializers import Function as Draw
from downslope.nn.initializers import Initializer, initializer
from downslope.nn.layer import Layer, Misfit, Parameters, Shape, is_ours, layer_kind
from downslope.nn.losses import Loss
from downslope.nn.network import Network

_GROUPED = '''\
class GroupedLinear(nn.Module):
    """A linear layer for each group of inputs."""

    def __init__(self, groups, features, units):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(groups, features, units))
        self.bias = nn.Parameter(torch.empty(groups, units))

    def forward(self, x):
        groups, features, _ = self.weight.shape
        sums = torch.einsum("ngf,gfu->ngu", x.reshape(-1, groups, features), self.weight)
        return (sums + self.bias).flatten(1)'''


@dataclass(frozen=True)
class GroupedDense(Layer):
    """Fully connected within groups: the units of a group see the inputs of their group alone.

        y_g = a(x_g W_g + b_g),  x_g of shape (N, features / groups), W_g (features / groups, units)

    Attributes:
        groups: Number of groups; the inputs are divided evenly among them.
        units: Number of neurons of each group.
        activation: As of `Dense`.
        initializer: As of `Dense`.

    Raises:
        NetworkError: A number is no positive whole number, or a name is unknown.

    Example:
        >>> layer = ds.GroupedDense(groups=4, units=32, activation="relu")
        >>> layer.output_shape((256,))  # each group sees 64 inputs
        (128,)
    """

    groups: int
    units: int
    activation: str | Function | Activation = "identity"
    initializer: str | Draw | Initializer = "auto"
    word: ClassVar[str] = "grouped"

    def __post_init__(self) -> None:
        positive("groups", self.groups, "GroupedDense")
        positive("units", self.units, "GroupedDense")
        keep_plain(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (groups * units,)."""
        if len(input_shape) != 1 or input_shape[0] % self.groups:
            raise Misfit(
                f"a flat list of numbers, as many for each of {self.groups} groups",
                f"Give the layer before it a multiple of {self.groups} units.",
            )
        return (self.groups * self.units,)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Weights (groups, features / groups, units), biases (groups, units) zero."""
        features = input_shape[0] // self.groups
        draw = initializer(self.initializer, self.activation).draw
        keys = jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(self.groups))
        weights = jax.vmap(lambda own: draw(own, (features, self.units), features, self.units))(
            keys
        )
        return {"weights": weights, "biases": jnp.zeros((self.groups, self.units), weights.dtype)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n units"]:
        """The pre-activations x_g W_g + b_g of all groups, one after another."""
        grouped = inputs.reshape(len(inputs), self.groups, -1)
        pre_activations = (
            jnp.einsum("ngf,gfu->ngu", grouped, parameters["weights"]) + parameters["biases"]
        )
        return pre_activations.reshape(len(inputs), -1)

    def activate(self, pre_activations: Float[Array, "n units"]) -> Float[Array, "n units"]:
        """Apply the activation to each pre-activation."""
        return activation(self.activation)(pre_activations)

    def to_numpy(self, spot: Spot) -> list[str]:
        """A product for each group."""
        weights = spot.array("weights")
        grouped = f"x.reshape(len(x), {self.groups}, -1), {weights}"
        z = f'(np.einsum("ngf,gfu->ngu", {grouped}) + {spot.array("biases")}).reshape(len(x), -1)'
        return spot.numpy_activated(self.activation, z)

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A module with the product of each group."""
        own = spot.parameters
        features = own["weights"].shape[1]
        text = f"GroupedLinear({self.groups}, {features}, {self.units})"
        weights = {"weight": own["weights"], "bias": own["biases"]}
        linear = TorchModule(text, weights, definition=_GROUPED)
        return [linear, *torch_activation(self.activation)]

    keras_names: ClassVar[Mapping[str, str]] = {"weights": "kernel", "biases": "bias"}

    def to_keras(self, spot: Spot) -> list[str]:
        """An einsum layer between two changes of shape."""
        features = spot.parameters["weights"].shape[1]
        return [
            f"x = layers.Reshape(({self.groups}, {features}))(x)",
            *spot.keras_activated(
                self.activation,
                f'EinsumDense("ngf,gfu->ngu", ({self.groups}, {self.units}), bias_axes="gu"',
            ),
            "x = layers.Flatten()(x)",
        ]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A matrix product for each group at once."""
        own, groups = spot.parameters, self.groups
        shape = graph.constant(np.array([-1, groups, 1, own["weights"].shape[1]]), "groups")
        weights = graph.constant(own["weights"], f"{spot.number}.weights")
        pre_activations = graph.node("MatMul", graph.node("Reshape", x, shape), weights)
        biases = graph.constant(own["biases"][:, None], f"{spot.number}.biases")
        flat = graph.constant(np.array([-1, groups * self.units]), "units")
        z = graph.node("Reshape", graph.node("Add", pre_activations, biases), flat)
        return add_activation(self.activation, graph, z)


def _mean(outputs: Float[Array, "n members out"]) -> Float[Array, "n out"]:
    return outputs.mean(axis=1)


def _log_mean(logs: Float[Array, "n members out"]) -> Float[Array, "n out"]:
    """The logarithm of the mean of what has these logarithms."""
    return jax.nn.logsumexp(logs, axis=1) - jnp.log(logs.shape[1])


def _mean_classes(logits: Float[Array, "n members out"]) -> Float[Array, "n out"]:
    return _log_mean(jax.nn.log_softmax(logits, axis=-1))


def _mean_labels(logits: Float[Array, "n members out"]) -> Float[Array, "n out"]:
    return _log_mean(jax.nn.log_sigmoid(logits)) - _log_mean(jax.nn.log_sigmoid(-logits))


MEANS = MappingProxyType(
    {"numbers": _mean, "classes": _mean_classes, "labels": _mean_labels, "rates": _log_mean}
)
OF_LOSSES = MappingProxyType(
    {"cross_entropy": "classes", "binary_cross_entropy": "labels", "poisson": "rates"}
)


@dataclass(frozen=True)
class Members(Layer):
    """The mean of the predictions of several members, as the outputs of one network.

        y = (y_1 + ... + y_M) / M, and of classes z = log((softmax z_1 + ... + softmax z_M) / M)

    It is the last layer. In training it passes on the outputs of all members, and what is lowered
    is the sum of their losses, so each learns as if it were alone; the loss that is recorded is
    their mean.

    Source: Hansen and Salamon, Neural network ensembles, 1990.

    Attributes:
        members: Number of members; the inputs are their outputs, one member after another.
        of: What the outputs are: "numbers"; "classes" or "labels", whose outputs are logits;
            "rates", whose outputs are logarithms.

    Raises:
        NetworkError: `members` is no positive whole number, or `of` is unknown.

    Example:
        >>> network = ds.parse_network("dense 32 relu, grouped 2 1, members 2")
        >>> network.shapes((3,))
        ((32,), (2,), (1,))
    """

    members: int
    of: str = "numbers"
    word: ClassVar[str] = "members"

    def __post_init__(self) -> None:
        positive("members", self.members, "Members")
        if self.of not in MEANS:
            raise NetworkError(
                f"Members was given of={quoted(self.of)}.",
                f"what the outputs are: {', '.join(MEANS)}",
                'Write e.g. "members 4 classes".',
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        """(members * outputs,) to (outputs,)."""
        if len(input_shape) != 1 or input_shape[0] % self.members:
            raise Misfit(
                f"the outputs of {self.members} members, as many of each",
                f"Put grouped {self.members} OUTPUTS before it.",
            )
        return (input_shape[0] // self.members,)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n all"], key: Array | None = None
    ) -> Float[Array, "n outputs"]:
        """The outputs that stand for the mean prediction."""
        return MEANS[self.of](self.apart(inputs))

    def apart(self, inputs: Float[Array, "n all"]) -> Float[Array, "n members outputs"]:
        """The outputs of each member."""
        return inputs.reshape(len(inputs), self.members, -1)

    def to_numpy(self, spot: Spot) -> list[str]:
        """A mean over the members."""
        return [f"x = mean_{self.of}(x.reshape(len(x), {self.members}, -1))"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A module that takes the mean over the members."""
        return [TorchModule(f'Members({self.members}, "{self.of}")', definition=_TORCH_MEMBERS)]

    def to_keras(self, spot: Spot) -> list[str]:
        """The mean over the members."""
        outputs = spot.shape[0] // self.members
        ops = "keras.ops"
        means = {
            "numbers": f"x = {ops}.mean(x, axis=1)",
            "classes": f"x = {ops}.log({ops}.mean({ops}.softmax(x, axis=-1), axis=1))",
            "labels": f"x = {ops}.mean({ops}.sigmoid(x), axis=1)",
            "rates": f"x = {ops}.log({ops}.mean({ops}.exp(x), axis=1))",
        }
        lines = [f"x = layers.Reshape(({self.members}, {outputs}))(x)", means[self.of]]
        return [*lines, f"x = {ops}.log(x / (1 - x))"] if self.of == "labels" else lines

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """The mean over the members; of logarithms by way of ReduceLogSumExp."""
        axis = graph.constant(np.array([1]), "members axis")
        shape = graph.constant(np.array([-1, self.members, spot.shape[0] // self.members]), "apart")
        x = graph.node("Reshape", x, shape)

        def log_mean(logs: str) -> str:
            total = graph.node("ReduceLogSumExp", logs, axis, keepdims=0)
            return graph.node("Sub", total, graph.scalar(float(np.log(self.members))))

        if self.of == "numbers":
            return graph.node("ReduceMean", x, axis, keepdims=0)
        if self.of == "classes":
            return log_mean(graph.node("LogSoftmax", x, axis=-1))
        if self.of == "rates":
            return log_mean(x)
        yes, no = (
            graph.node("Neg", graph.node("Softplus", one)) for one in (graph.node("Neg", x), x)
        )
        return graph.node("Sub", log_mean(yes), log_mean(no))


_TORCH_MEMBERS = '''\
class Members(nn.Module):
    """The mean prediction of several members, as one network's outputs."""

    def __init__(self, members, of):
        super().__init__()
        self.members, self.of = members, of

    def forward(self, x):
        x = x.reshape(len(x), self.members, -1)
        if self.of == "numbers":
            return x.mean(1)
        if self.of == "labels":
            yes, no = nn.functional.logsigmoid(x), nn.functional.logsigmoid(-x)
            return torch.logsumexp(yes, 1) - torch.logsumexp(no, 1)
        logs = nn.functional.log_softmax(x, -1) if self.of == "classes" else x
        return torch.logsumexp(logs, 1) - torch.log(torch.tensor(float(self.members)))'''


@dataclass(frozen=True)
class Apart(Layer):
    """Stands where `Members` is while they learn: passes on the outputs of each."""

    word: ClassVar[str] = "passed"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n all"], key: Array | None = None
    ) -> Float[Array, "n all"]:
        """The inputs."""
        return inputs


def averaging(layer: Layer, loss: Loss) -> Layer:
    """A layer; the mean of members as the outputs that a loss takes need it."""
    if not isinstance(layer, Members):
        return layer
    return replace(layer, of=OF_LOSSES.get(loss.name, "numbers"))


def together(network: Network, outputs: Any) -> Any:
    """The outputs of a network from those of `while_learning(network)`."""
    last = network.layers[-1]
    return last.weighted_sum({}, outputs) if isinstance(last, Members) else outputs


def members_of(network: Network) -> int:
    """How many members a network has; 1 for any other network."""
    last = network.layers[-1]
    return last.members if isinstance(last, Members) else 1


@lru_cache(maxsize=64)
def while_learning(network: Network) -> Network:
    """The network as it learns: of members, the outputs of each."""
    if members_of(network) == 1:
        return network
    return Network([*network.layers[:-1], Apart()])


@lru_cache(maxsize=64)
def loss_while_learning(network: Network, loss: Loss) -> Loss:
    """The loss of `while_learning(network)`: the sum of the members' losses.

    Its slope at a member's weights is that of the member's own loss. What is told of it is divided
    by `members_of(network)`.
    """
    members = members_of(network)
    return loss if members == 1 else replace(loss, per_sample=partial(_per_sample, loss, members))


def _per_sample(
    loss: Loss, members: int, outputs: Float[Array, "n all"], targets: Array
) -> Float[Array, " n"]:
    apart = outputs.reshape(len(outputs), members, -1)
    each = jax.vmap(loss.per_sample, in_axes=(1, None), out_axes=1)(apart, targets)
    return each.sum(axis=1)


def with_members(network: Network, members: int, loss: Loss) -> Network:
    """A network of several members, each of which is the given one with weights of its own.

    Args:
        network: Dense layers and dropout, behind layers that all members share.
        members: How many.
        loss: The loss, which says what the outputs are.

    Raises:
        NetworkError: It has other layers behind its first dense layer.
    """
    if members == 1:
        return network
    layers: list[Layer] = []
    is_divided = False
    for layer in network.layers:
        if type(layer) is Dense:
            units, more = layer.units, (layer.activation, layer.initializer)
            layers.append(
                GroupedDense(members, units, *more) if is_divided else Dense(members * units, *more)
            )
            is_divided = True
        elif not is_divided or isinstance(layer, Dropout):
            layers.append(layer)
        else:
            raise NetworkError(
                f"{members} members were asked for, and behind its first dense layer the network "
                f"has the layer {layer_kind(layer)}.",
                "dense layers and dropout",
                "Ask for 1 member, or leave the layer out.",
            )
    if not is_divided or not is_ours(network.layers[-1]):
        raise NetworkError(
            f"{members} members were asked for, and the network has no dense layer.",
            "dense layers and dropout",
            "Ask for 1 member.",
        )
    return Network([*layers, averaging(Members(members), loss)])
