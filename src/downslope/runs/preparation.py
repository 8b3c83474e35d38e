"""What a training needs before its first step: checked settings, a plan, arrays on the device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from downslope.data.dataset import Dataset, Samples
from downslope.data.scaling import Scaling
from downslope.engine import loop
from downslope.engine.batches import LONGEST_TRAINING, BatchPlan
from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.engine.evaluation import (
    MOST_SIGNALS,
    Evaluator,
    Part,
    evaluation_batches,
    on_device,
)
from downslope.engine.metrics import OF_OUTPUTS
from downslope.engine.optimizers import carried_over
from downslope.engine.scales import Units, target_scaling
from downslope.engine.settings import Settings
from downslope.errors import Faults, SettingError
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.notation import own_parts
from downslope.runs.run import Run
from downslope.runs.run_folder import Origin

RECORDING_SHARE = 0.05  # of the time of the steps
WIDEST_EVALUATION = 256  # samples at a time: wider is hardly faster,
MOST_EVALUATED = 1 << 17  # and so many numbers of their inputs, so that signals stay in the caches


def sample_weights(
    samples: Samples, class_weights: tuple[float, ...], classes: int
) -> np.ndarray | None:
    """How much each sample counts: its own weight times its class's; None for all the same.

    Args:
        samples: The samples.
        class_weights: One per class; empty for all the same.
        classes: How many classes there are.

    Raises:
        SettingError: There is not one positive weight per class.
    """
    if not class_weights:
        return samples.weights
    are_weights = all(0 <= weight < math.inf for weight in class_weights)
    if len(class_weights) != classes or not are_weights or not any(class_weights):
        raise SettingError(
            f"The class weights are {class_weights}.",
            f"{classes} numbers of at least 0, one per class",
            "Leave them out to weigh all classes alike.",
        )
    each = np.asarray(class_weights, np.float64)
    is_shared = samples.targets.ndim > 1  # among several classes
    weights = samples.targets @ each if is_shared else each[samples.targets]
    return weights if samples.weights is None else weights * samples.weights


@dataclass(frozen=True, eq=False)
class Preparation:
    """All that a training needs, made when it is first asked for.

    Attributes:
        network: What learns.
        dataset: What it learns from.
        loss: The loss.
        settings: All other settings.
        earlier: The run that is gone on from; None to start from weights drawn anew.
        weights: The weights that are begun with, of all layers or of the first ones; those of
            `earlier` if left out. Where they are of all its layers, its optimizer state and its
            scaling of answers are taken over as well.
        scaled_as: The run whose scaling of predictions holds; None to learn it from the data.
        notes: What there is to know of how the data is seen, a sentence each.
    """

    network: Network
    dataset: Dataset
    loss: Loss
    settings: Settings
    earlier: Run | None = None
    scaled_as: Run | None = None
    weights: NetworkParameters | None = None
    notes: tuple[str, ...] = ()

    def check(self) -> None:
        """Check that the settings suit the data, before anything is compiled or written.

        Raises:
            SettingError: The batch is larger than the data, there are too many steps, or there
                is not one weight per class.
        """
        faults = Faults()
        for check in (self._check_batches, self._check_smoothing, self._check_own_optimizer,
                      self._check_freeze, self._check_weights):  # fmt: skip
            with faults.check():
                check()
        faults.tell()

    def _check_batches(self) -> None:
        assert self.plan.steps > 0
        if self.network.mixes_batch and self.plan.batch_size == 1:
            layers = enumerate(self.network.layers)
            mixing = next(index for index, layer in layers if layer.mixes_batch)
            raise SettingError(
                f"A batch has one sample, and layer {self.network.layer_name(mixing)} learns from "
                "how the samples of a batch differ.",
                "at least two samples per batch",
                "Choose a larger batch, or use group_norm or layer_norm.",
            )

    def _check_smoothing(self) -> None:
        if self.settings.label_smoothing and self.dataset.task not in OF_OUTPUTS:
            raise SettingError(
                f"Label smoothing was asked for, and {self.dataset.name} has no classes.",
                "targets that are classes or labels",
                "Leave it out.",
            )

    def _check_own_optimizer(self) -> None:
        if self.settings.optimizer.is_own:
            origin = self._origin
            shapes = jax.eval_shape(partial(origin.network.init, origin.input_shape))
            self.settings.optimizer.check_own(shapes)

    def _check_freeze(self) -> None:
        if self.settings.freeze > len(self.network.layers):
            raise SettingError(
                f"{self.settings.freeze} layers were to be frozen, of a network of "
                f"{len(self.network.layers)}.",
                "at most as many as it has",
                "freeze=True freezes all but the last layer with weights.",
            )

    def _check_weights(self) -> None:
        classes = len(self.dataset.class_names)
        sample_weights(self.dataset.train, self.settings.class_weights, classes)

    @cached_property
    def plan(self) -> BatchPlan:
        """Which samples each step sees.

        Raises:
            SettingError: There are more steps than can be planned.
        """
        samples, settings = len(self.dataset.train), self.settings
        size = settings.samples_per_step(samples)
        plan = BatchPlan(
            *(samples, size, settings.epochs, settings.seed, settings.shuffle),
            is_filled=_are_ours(self.network),
            is_whole=self.network.mixes_batch,
        )
        if plan.steps > LONGEST_TRAINING:
            raise SettingError(
                f"{settings.epochs:,} epochs of {plan.steps_per_epoch:,} steps are "
                f"{plan.steps:,} steps.",
                f"at most {LONGEST_TRAINING:,}",
                "Choose fewer epochs, or a larger batch; a run can be gone on from.",
            )
        return plan

    @cached_property
    def rates(self) -> np.ndarray:
        """The learning rate of each step, (steps,)."""
        return self.settings.schedule.rates(self.settings.learning_rate, self.plan.steps)

    @cached_property
    def target_scaling(self) -> Scaling | None:
        """How outputs become numbers in the targets' units; weights mean nothing without it."""
        known = self.scaled_as if self.weights is not None else self.earlier or self.scaled_as
        if known is not None:
            return known.target_scaling
        return target_scaling(self.dataset, self.loss)

    @cached_property
    def units(self) -> Units:
        """Between the units of the data and those of the engine."""
        return Units(self.dataset.scaling, self.target_scaling)

    @cached_property
    def program(self) -> loop.Program:
        """What is compiled."""
        settings = self.settings
        return loop.Program(
            evaluator=Evaluator(self.network, self.loss, self.dataset.task, settings.mirrors),
            optimizer=settings.optimizer.form,
            augment=settings.augment,
            has_short_batch=self.plan.has_short_batch,
            has_target=settings.stop.target_loss is not None,
            has_patience=settings.stop.patience is not None,
            keeps_best=settings.stop.keeps_best,
            smoothed=len(self.dataset.class_names) if self._spreads else 0,
            frozen=settings.freeze,
        )

    @property
    def _spreads(self) -> bool:
        """Whether a target becomes fractions of several classes."""
        augment = self.settings.augment
        mixes = augment is not None and augment.mixup > 0 and self.dataset.task in OF_OUTPUTS
        return mixes or self.settings.label_smoothing > 0

    @cached_property
    def numbers(self) -> loop.Numbers:
        """What the program is given besides samples."""
        plan, stop, unit = self.plan, self.settings.stop, self.units.of_loss(self.loss)
        target = -math.inf if stop.target_loss is None else stop.target_loss / unit
        return loop.Numbers(
            optimizer=self.settings.optimizer.numbers,
            steps_per_epoch=np.int32(plan.steps_per_epoch),
            measured_every=np.int32(self._measured_every()),
            steps=np.int32(plan.steps),
            target_loss=np.float32(target),
            tolerance=np.float32(stop.tolerance / unit),
            patience=np.int32(stop.patience or 0),
            smoothing=np.float32(self.settings.label_smoothing),
            toward=self._frequencies if self._spreads else None,
        )

    @property
    def _frequencies(self) -> np.ndarray | None:
        """What smoothed targets are drawn toward, as the loss takes it.

        How frequent each class or label is in the training part, where each is seen once more, so
        that none is impossible. None where all are alike.
        """
        if self.settings.smooth_toward == "uniform":
            return None
        train, classes = self.dataset.train, len(self.dataset.class_names)
        is_alone = self.loss.built_in == "binary_cross_entropy"  # each output by itself
        if train.targets.ndim > 1:  # labels, or fractions of classes
            counts = train.targets.sum(axis=0)
        else:
            counts = np.bincount(train.targets, minlength=classes)[1 if is_alone else 0 :]
        others = 2 if is_alone else classes
        return ((counts + 1) / (len(train) + others)).astype(np.float32)

    @property
    def _most_measured(self) -> int:
        """Samples of each part that are measured.

        As many of the training as of the validation part, so that neither costs much; where
        there are few epochs, not more than the last measurement alone may cost.
        """
        most = min(self.settings.record.samples, len(self.dataset.validation))
        if self.settings.record.every is None and not self.settings.stop.watches:
            most = min(most, int(self._affordable_samples * self.settings.epochs))
        return max(1, most)

    @property
    def _affordable_samples(self) -> float:
        """Samples of each part that may be measured for every epoch of training.

        A forward pass costs up to half of a step; a photo of which a part is cut out costs less
        than a whole one.
        """
        augment = self.settings.augment
        is_counting = self.dataset.task == "counting"
        crop = augment.crop if augment is not None and is_counting else 1.0
        passes = 2 if self.settings.mirrors else 1
        return RECORDING_SHARE * self.plan.samples * crop**2 / passes

    def _measured_every(self) -> int:
        """Epochs between two measurements: as asked for, or so that they cost only their share.

        Where they decide when to end, they are worth their time.
        """
        every, stop = self.settings.record.every, self.settings.stop
        if every is not None:
            return min(every, stop.patience or every)
        if stop.watches:
            return 1
        return max(1, math.ceil(self._most_measured / self._affordable_samples))

    @property
    def origin(self) -> Origin | None:
        """Where the first weights come from; None where they are drawn from the seed."""
        if self.earlier is not None:
            return self.earlier.as_origin
        return None if self.weights is None else Origin("", "", 0)

    @property
    def _origin(self) -> loop.Origin:
        return loop.Origin(
            network=self.network,
            input_shape=self.dataset.input_shape,
            optimizer=self.program.optimizer,
            keeps_best=self.program.keeps_best,
        )

    @property
    def shapes(self) -> loop.State:
        """The shapes and types of a state, without the numbers."""
        begin = partial(loop.begin, self._origin)
        return jax.eval_shape(begin, np.uint32(self.settings.seed)).state

    @property
    def state_note(self) -> str:
        """A sentence where a run is gone on from and the optimizer starts with a fresh state."""
        if self.earlier is None or self.weights is not None:
            return ""
        if self.earlier.outcome.kept_step < self.earlier.outcome.step:
            return ""
        return self._carried_over(self.earlier, self.shapes.optimizer_state)[1]

    def _carried_over(self, earlier: Run, fresh: Any) -> tuple[Any, str]:
        before, now = earlier.settings.optimizer, self.settings.optimizer
        return carried_over(earlier.optimizer_state, before, now, fresh)

    def start(self) -> loop.Start:
        """The state before the first step, and the key of chance."""
        seed = np.uint32(self.settings.seed)
        drawn = compiled(loop.begin, self._origin, seed, options=(QUICKLY_COMPILED,))(seed)
        if self.earlier is None and self.weights is None:
            return drawn
        state, weights = drawn.state, self.weights
        if weights is None:  # a whole run is gone on from, with what its optimizer remembers
            assert self.earlier is not None
            weights = self.earlier.parameters
            optimizer_state, _ = self._carried_over(self.earlier, state.optimizer_state)
            state = state._replace(optimizer_state=optimizer_state)
        parameters = (*weights, *state.parameters[len(weights) :])
        best = None if state.best is None else parameters
        return drawn._replace(state=state._replace(parameters=parameters, best=best))

    def material(self, key: Array) -> loop.Material:
        """The samples and the scaling where the loop can reach them, with the key of chance."""

        def part(samples: Samples) -> Part:
            weights = sample_weights(
                samples, self.settings.class_weights, len(self.dataset.class_names)
            )
            size = math.prod(self.dataset.input_shape)
            widest = max(self.network.signal_sizes(self.dataset.input_shape))
            width = min(WIDEST_EVALUATION, MOST_EVALUATED // size, MOST_SIGNALS // widest)
            width = max(self.plan.width, width)
            batches = evaluation_batches(len(samples), width, self._most_measured)
            if weights is not None and samples is self.dataset.train:
                finite = weights[np.isfinite(weights)]  # another is named at its step
                mean = finite.mean(dtype=np.float64) if finite.any() else 1.0
                weights = weights / mean
            return on_device(samples, weights, batches, self.units)

        return loop.Material(
            train=part(self.dataset.train),
            validation=part(self.dataset.validation),
            scales=self.units.scales(self.dataset.train.inputs),
            key=key,
            numbers=self.numbers,
        )


def _are_ours(network: Network) -> bool:
    """Whether all layers are known to let no sample see another one of its batch."""
    return not any(own_parts(network)[kind] for kind in ("layers", "activations"))
