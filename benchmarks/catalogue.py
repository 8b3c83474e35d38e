"""The contenders: who they are, what has to be installed, and how each is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal

Role = Literal["ours", "peer", "jax", "ceiling"]

# what turns our own convolution kernel off; everything else stays as it is
WITHOUT_KERNEL = MappingProxyType({"DOWNSLOPE_NATIVE": "0"})
# memory that was freed is kept rather than given back: far fewer page faults for large images
KEPT_MEMORY = MappingProxyType(
    {
        "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
        "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
        "MALLOC_TOP_PAD_": str(64 << 20),
    }
)
ON_JAX = MappingProxyType({"KERAS_BACKEND": "jax"})


@dataclass(frozen=True)
class Contender:
    """One way of doing a work.

    Attributes:
        key: Short name, unique in its rung.
        label: Name for people.
        role: "ours" is measured against each "peer", and apart from those against each "jax",
            a library that has our own engine underneath; a "ceiling" is what the machine can
            do at most, and no competitor.
        package: What has to be installed, as it is imported.
        task: The function that prepares it, as "module.function" inside of `contenders`.
        environment: What its process finds in its environment besides ours.
        in_smallest: Whether it takes part at the smallest size; not where another one runs the
            same code.
    """

    key: str
    label: str
    role: Role
    package: str
    task: str
    environment: Mapping[str, str] = field(default_factory=dict)
    in_smallest: bool = True

    @property
    def module(self) -> str:
        """The module that its process imports."""
        return f"benchmarks.contenders.{self.task.partition('.')[0]}"

    @property
    def function(self) -> str:
        """The function in that module which gets the work and the samples."""
        return self.task.partition(".")[2]

    @property
    def is_installed(self) -> bool:
        """Whether its package can be found, without importing it."""
        return find_spec(self.package) is not None


def ours(task: str, key: str = "downslope", label: str = "Downslope") -> Contender:
    """Downslope, doing `task`."""
    return Contender(key, label, "ours", "downslope", f"ours.{task}")


def torch(task: str, key: str = "torch", label: str = "PyTorch") -> Contender:
    """PyTorch, doing `task`."""
    return Contender(key, label, "peer", "torch", f"pytorch.{task}")


def ours_many(task: str) -> Contender:
    """Downslope, doing `task` for many networks or losses."""
    return Contender("downslope", "Downslope", "ours", "downslope", f"ours_many.{task}")


def many(task: str, key: str = "torch", label: str = "PyTorch") -> Contender:
    """PyTorch, doing `task` for many networks or losses."""
    return Contender(key, label, "peer", "torch", f"pytorch_many.{task}")


def sklearn(task: str) -> Contender:
    """scikit-learn, doing `task`."""
    return Contender("sklearn", "scikit-learn", "peer", "sklearn", f"sklearn_mlp.{task}")


def keras(task: str) -> Contender:
    """Keras on JAX, doing `task`."""
    return Contender("keras", "Keras on JAX", "jax", "keras", f"keras_jax.{task}", ON_JAX)


def flax(task: str) -> Contender:
    """Flax and Optax, doing `task`."""
    return Contender("flax", "Flax NNX + Optax", "jax", "flax", f"flax_nnx.{task}")


def compiled() -> Contender:
    """PyTorch with its compiler, which takes many seconds to start."""
    return torch("train_compiled", "torch-compile", "PyTorch torch.compile")


def dense_trainers(*in_smallest: str) -> tuple[Contender, ...]:
    """Everybody who trains a network of dense layers; at the smallest size those keys only."""
    return _only(
        in_smallest,
        ours("train"),
        torch("train"),
        compiled(),
        sklearn("train"),
        keras("train"),
        flax("train"),
    )


def image_trainers(*in_smallest: str) -> tuple[Contender, ...]:
    """Everybody who trains a convolutional network; at the smallest size those keys only."""
    native = ours("train", label="Downslope, native")
    last = torch("train_channels_last", "torch-last", "PyTorch channels last")
    kept = f"{last.label}, memory kept"
    return _only(
        in_smallest,
        native,
        replace(native, key="pure", label="Downslope, pure JAX", environment=WITHOUT_KERNEL),
        torch("train"),
        last,
        replace(last, key="torch-last-kept", label=kept, environment=KEPT_MEMORY),
        compiled(),
        keras("train"),
        flax("train"),
    )


def ensembles() -> tuple[Contender, ...]:
    """Members trained as one network, and as many single trainings."""
    single = "as many single trainings"
    return (
        ours("train_members"),
        Contender("each", single, "peer", "downslope", "ours.train_each"),
    )


def _only(in_smallest: Sequence[str], *contenders: Contender) -> tuple[Contender, ...]:
    return tuple(replace(one, in_smallest=one.key in in_smallest) for one in contenders)


def ceilings() -> tuple[Contender, ...]:
    """The machine's best rate of float32 matrix products, by three libraries."""
    return tuple(
        Contender(
            f"matmul-{name}", f"matrix product, {label}", "ceiling", name, f"matmul.by_{name}"
        )
        for name, label in (("numpy", "NumPy"), ("torch", "PyTorch"), ("jax", "JAX"))
    )


def recorders(in_smallest: bool = False) -> tuple[Contender, ...]:
    """The default recording against none."""
    silent = Contender("silent", "no recording", "peer", "downslope", "ours.train")
    default = ours("train_recording", "recording", "default recording")
    return tuple(replace(one, in_smallest=in_smallest) for one in (default, silent))


def keepers() -> tuple[Contender, ...]:
    """A state that is stored while training against a run that is saved behind it."""
    saved = Contender("saved", "saved at the end", "peer", "downslope", "ours.train_saved")
    return ours("train_stored", "stored", "default checkpoints"), saved


def shell_trainers() -> tuple[Contender, ...]:
    """Whole processes."""
    again = ours("again", "again", "Downslope, again")
    without = ours("again_without_pictures", "bare", "Downslope, again, no pictures")
    contenders = (
        ours("first", "first", "Downslope, first time"),
        again,
        replace(without, in_smallest=False),
        replace(sklearn("sklearn"), label="scikit-learn script"),
        replace(torch("torch"), label="PyTorch script"),
    )
    return tuple(replace(one, task=f"shell.{one.function}") for one in contenders)
