"""Convolution with what follows it, and the one place that chooses how it is computed.

There are two paths to the same numbers. The native one is a small kernel of ours that is compiled
when Downslope is installed (`convolution_native.py`); it takes 32-bit floats on the processor. The
other is written in JAX alone (`convolution_pure.py`), serves every type and device, and is always
there.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax import lax

from downslope.nn.ops import convolution_native, convolution_pure, native_calls
from downslope.nn.ops.convolution_native import Form
from downslope.nn.ops.convolution_pure import Pads
from downslope.nn.ops.pooling import LARGEST_INDEXED, max_pool


def convolve(
    inputs: jax.Array,
    kernel: jax.Array,
    biases: jax.Array | None = None,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: Literal["same", "valid"] = "same",
    pool: int = 1,
    rectify: bool = False,
    groups: int = 1,
) -> jax.Array:
    """Convolve pictures with a kernel (as a correlation: the kernel is not flipped).

    Args:
        inputs: Pictures, (N, H, W, C).
        kernel: Weights, (kh, kw, C, K), of the same dtype as the inputs.
        biases: What is added to each output channel, (K,); None for nothing.
        stride: Step between neighbouring outputs, in both directions.
        dilation: Distance between neighbouring kernel taps, in both directions.
        padding: "same" surrounds the picture with zeros such that H' = ceil(H / stride), the
            odd zero going below and to the right; "valid" adds none.
        pool: Take the maximum of each window of `pool` x `pool` outputs; 1 for all outputs.
        rectify: Replace what is less than 0 in the end by 0.
        groups: Into how many parts channels and outputs are divided; the kernel is then
            (kh, kw, C / groups, K).

    Returns:
        The outputs, (N, H' // pool, W' // pool, K).
    """
    if groups > 1:
        sums = _in_groups(inputs, kernel, stride, dilation, padding, groups)
        return _finished(sums, biases, pool, rectify)
    form = _form(inputs, kernel, stride, dilation, padding, pool, rectify)
    inputs, kernel, form = _without_unseen(inputs, kernel, form)
    if native_calls.covers(inputs, kernel, biases):
        return convolution_native.convolve(inputs, kernel, biases, form)
    sums = convolution_pure.convolve(inputs, kernel, stride, dilation, form.pads)
    return _finished(sums, biases, pool, rectify)


def _finished(sums: jax.Array, biases: jax.Array | None, pool: int, rectify: bool) -> jax.Array:
    """What follows the convolution itself."""
    # The maximum of the sums is where the maximum of the outputs is: adding the same number and
    # cutting below 0 keep the order, and there is less to do behind the maximum.
    if pool > 1:
        sums = max_pool(sums, pool)
    if biases is not None:
        sums = sums + biases
    return jax.nn.relu(sums) if rectify else sums


def _in_groups(
    inputs: jax.Array,
    kernel: jax.Array,
    stride: int,
    dilation: int,
    padding: Literal["same", "valid"],
    groups: int,
) -> jax.Array:
    """The sums of each part of the channels by itself, side by side.

    XLA's own convolution in groups, and its gradients, are scalar loops on the processor.
    """
    channels, outputs = inputs.shape[3] // groups, kernel.shape[3] // groups
    if channels > 1:
        parts = [
            convolve(
                inputs[..., part * channels : (part + 1) * channels],
                kernel[..., part * outputs : (part + 1) * outputs],
                stride=stride,
                dilation=dilation,
                padding=padding,
            )
            for part in range(groups)
        ]
        return jnp.concatenate(parts, axis=3)
    inputs = jnp.repeat(inputs, outputs, axis=3) if outputs > 1 else inputs
    spans = [(size - 1) * dilation + 1 for size in kernel.shape[:2]]
    sides = inputs.shape[1:3]
    pads = [(0, 0), (0, 0)]
    if padding == "same":
        pads = [_same(n, s, stride) for n, s in zip(sides, spans, strict=True)]
    inputs = jnp.pad(inputs, ((0, 0), *pads, (0, 0)))
    high, wide = (
        (side - span) // stride * stride + 1
        for side, span in zip(inputs.shape[1:3], spans, strict=True)
    )
    sums = jnp.zeros((), inputs.dtype)
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            top, left = row * dilation, column * dilation
            seen = inputs[:, top : top + high : stride, left : left + wide : stride]
            sums = sums + seen * kernel[row, column, 0]
    return sums


def _form(
    inputs: jax.Array,
    kernel: jax.Array,
    stride: int,
    dilation: int,
    padding: str,
    pool: int,
    rectify: bool,
) -> Form:
    if inputs.ndim != 4 or kernel.ndim != 4:
        raise ValueError(
            f"inputs and kernel need four axes each, got {inputs.shape}, {kernel.shape}"
        )
    if inputs.shape[3] != kernel.shape[2]:
        raise ValueError(f"inputs have {inputs.shape[3]} channels, kernel {kernel.shape[2]}")
    if stride < 1 or dilation < 1:
        raise ValueError("stride and dilation must be at least 1")
    spans = [(size - 1) * dilation + 1 for size in kernel.shape[:2]]
    if padding == "same":
        above, left = (_same(n, s, stride) for n, s in zip(inputs.shape[1:3], spans, strict=True))
        pads: Pads = (above, left)
    elif padding == "valid":
        pads = ((0, 0), (0, 0))
        if spans[0] > inputs.shape[1] or spans[1] > inputs.shape[2]:
            raise ValueError(f"kernel spans {spans}, more than the inputs {inputs.shape[1:3]}")
    else:
        raise ValueError(f'padding must be "same" or "valid", not {padding!r}')
    form = Form(stride, dilation, pads, pool, rectify)
    if not 1 <= pool <= min(*form.sums(inputs.shape, kernel.shape), LARGEST_INDEXED):
        raise ValueError(f"windows of {pool} do not fit the outputs")
    return form


def _without_unseen(
    inputs: jax.Array, kernel: jax.Array, form: Form
) -> tuple[jax.Array, jax.Array, Form]:
    """The same convolution without the kernel's edges that only ever meet zeros.

    So the room that it needs is bounded by the picture, however far the taps are apart.
    """
    sums = form.sums(inputs.shape, kernel.shape)
    seen = [
        _seen(side, taps, before, (count - 1) * form.stride, form.dilation)
        for side, taps, (before, _), count in zip(
            inputs.shape[1:3], kernel.shape[:2], form.pads, sums, strict=True
        )
    ]
    if [taps for taps, _ in seen] == [range(taps) for taps in kernel.shape[:2]]:
        return inputs, kernel, form
    (rows, high), (columns, wide) = seen
    zero = jnp.zeros((), inputs.dtype)
    picture = lax.pad(inputs, zero, ((0, 0, 0), (*high, 0), (*wide, 0), (0, 0, 0)))
    kernel = kernel[rows.start : rows.stop, columns.start : columns.stop]
    stride = min(form.stride, max(inputs.shape[1:3]))  # what is longer gives one sum as well
    dilation = form.dilation if max(kernel.shape[:2]) > 1 else 1
    return picture, kernel, Form(stride, dilation, ((0, 0), (0, 0)), form.pool, form.rectify)


def _seen(
    side: int, taps: int, before: int, last: int, dilation: int
) -> tuple[range, tuple[int, int]]:
    """The taps of one axis that meet the picture, and the zeros around it that they meet beside.

    Args:
        side: Length of the picture.
        taps: Length of the kernel.
        before: Zeros before the picture.
        last: How far the last sum lies behind the first.
        dilation: Distance between taps.
    """
    first = min(max(-(-(before - last) // dilation), 0), taps - 1)
    end = max(min(-(-(side + before) // dilation), taps), first + 1)
    # the first of them begins here in the picture, and the last ends there
    begin, stop = first * dilation - before, (end - 1) * dilation - before + last
    if stop < 0 or begin >= side:  # it meets zeros alone, wherever they are
        begin, stop = -last - 1, -1
    return range(first, end), (-begin, stop + 1 - side)


def _same(length: int, span: int, stride: int) -> tuple[int, int]:
    total = max((-(-length // stride) - 1) * stride + span - length, 0)
    return total // 2, total - total // 2
