"""Torch's functions as operations of the intermediate graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dcrnet_export.ir.folding import norm_affine
from dcrnet_export.ir.graph import (
    RELU6,
    Add,
    Affine,
    Array,
    AvgPool,
    Axis,
    Clamp,
    Concat,
    Conv,
    Gate,
    MaxPool,
    Op,
    Padding,
    Reduce,
    Reduction,
    Sigmoid,
)
from dcrnet_export.ir.tracing import Value


class UnsupportedError(Exception):
    """A function, or a use of it, that has no operation; says which and why."""


@dataclass(frozen=True, slots=True)
class Padded:
    """A value with zeros around it, which the convolution that reads it takes in."""

    value: Value
    padding: Padding


@dataclass(frozen=True, slots=True)
class Applied:
    """An operation and what it reads."""

    op: Op
    inputs: tuple[Value, ...]


Meaning = Applied | Padded | Value
"""What a call gives: a new value, a padded one, or one that was there already."""


def meaning_of(function: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Meaning:
    """What a call of a torch function means.

    Args:
        function: its name.
        args: tensors that depend on the input as :class:`Value` or :class:`Padded`.
        kwargs: likewise.

    Raises:
        UnsupportedError: it has no operation.
    """
    try:
        translate = _MEANINGS[function]
    except KeyError:
        raise UnsupportedError(f"{function} has no operation") from None
    if function != "conv2d" and any(isinstance(each, Padded) for each in args):
        raise UnsupportedError(f"{function} reads zero-padding, which convolutions alone do")
    try:
        return translate(*args, **kwargs)
    except TypeError as error:
        raise UnsupportedError(f"{function} is called in an unknown way ({error})") from error


def to_array(tensor: Tensor) -> Array:
    """A parameter as float64."""
    return tensor.detach().cpu().numpy().astype(np.float64)


def _conv2d(
    x: Value | Padded,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Applied:
    kernel = _square(weight.shape[2:], "a kernel")
    _require(_square(dilation, "dilation") == 1, "dilation is not supported")
    source, around = (x.value, x.padding) if isinstance(x, Padded) else (x, (0, 0))
    if padding == "same":
        _require(_square(stride, "a stride") == 1 and kernel % 2 == 1, "'same' padding is uneven")
        padding = kernel // 2
    sides = 0 if padding == "valid" else _square(padding, "padding")
    array = to_array(weight)
    conv = Conv(
        array,
        np.zeros(len(array)) if bias is None else to_array(bias),
        _square(stride, "a stride"),
        (around[0] + sides, around[1] + sides),
        groups=groups,
    )
    return Applied(conv, (source,))


def _linear(x: Value, weight: Tensor, bias: Tensor | None = None) -> Applied:
    """A dense layer is a 1x1 convolution of a vector."""
    _require(_is_vector(x), "a dense layer reads a map")
    return _conv2d(x, weight[:, :, None, None], bias)


def _batch_norm(
    x: Value,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Applied:
    _require(not training and mean is not None, "a batch norm without fixed statistics")
    statistics = to_array(mean), to_array(variance)
    gamma = np.ones(len(mean)) if weight is None else to_array(weight)
    beta = np.zeros(len(mean)) if bias is None else to_array(bias)
    return Applied(norm_affine(*statistics, gamma, beta, eps), (x,))


def _relu(x: Value, inplace: bool = False) -> Applied:
    return _clamp(x, 0.0)


def _relu6(x: Value, inplace: bool = False) -> Applied:
    return _clamp(x, 0.0, RELU6)


def _hardtanh(
    x: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Applied:
    return _clamp(x, min_val, max_val)


def _clamp(x: Value, min: float | None = None, max: float | None = None) -> Applied:
    low, high = (-np.inf if min is None else min), (np.inf if max is None else max)
    channels = x.shape[1]
    return Applied(Clamp(np.full(channels, float(low)), np.full(channels, float(high))), (x,))


def _max_pool2d(
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Applied:
    _require(_square(dilation, "dilation") == 1 and not ceil_mode, "dilated or ceiled pooling")
    kernel = _square(kernel_size, "a window")
    step = _square(stride or kernel, "a stride")
    return Applied(MaxPool(kernel, step, _square(padding, "padding")), (x,))


def _avg_pool2d(
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Applied:
    plain = _square(padding, "padding") == 0 and not ceil_mode and divisor_override is None
    _require(plain, "padded or ceiled averages")
    kernel = _square(kernel_size, "a window")
    return Applied(AvgPool(kernel, _square(stride or kernel, "a stride")), (x,))


def _global_pool(reduction: Reduction) -> Callable[..., Applied]:
    def translate(x: Value, output_size: Any, return_indices: bool = False) -> Applied:
        _require(_square(output_size, "a pool") == 1, "adaptive pools to more than one value")
        return Applied(Reduce(reduction, Axis.SPACE), (x,))

    return translate


def _reduce(reduction: Reduction) -> Callable[..., Applied]:
    def translate(x: Value, dim: Any, keepdim: bool = False) -> Applied:
        axes = {axis % len(x.shape) for axis in (dim if isinstance(dim, tuple) else (dim,))}
        _require(len(x.shape) == 4, f"a {reduction} of a vector")
        if axes == {2, 3}:
            return Applied(Reduce(reduction, Axis.SPACE), (x,))
        _require(axes == {1} and keepdim, f"a {reduction} over dimensions {sorted(axes)}")
        return Applied(Reduce(reduction, Axis.CHANNELS), (x,))

    return translate


def _cat(tensors: Sequence[Value], dim: int = 0) -> Applied:
    _require(all(isinstance(each, Value) for each in tensors), "concatenated constants")
    _require(dim % len(tensors[0].shape) == 1, "a concatenation that is not of channels")
    return Applied(Concat(), tuple(tensors))


def _sigmoid(x: Value) -> Applied:
    return Applied(Sigmoid(), (x,))


def _add(x: Any, y: Any) -> Applied:
    if isinstance(x, Value) and isinstance(y, Value):
        _require(x.shape == y.shape, f"a sum of shapes {x.shape} and {y.shape}")
        return Applied(Add(), (x, y))
    value, constant = _one_value(x, y)
    return Applied(Affine(np.ones(value.shape[1]), _per_channel(constant, value)), (value,))


def _sub(x: Any, y: Any) -> Applied:
    _require(isinstance(x, Value) and not isinstance(y, Value), "a difference of values")
    return Applied(Affine(np.ones(x.shape[1]), -_per_channel(y, x)), (x,))


def _mul(x: Any, y: Any) -> Applied:
    if isinstance(x, Value) and isinstance(y, Value):
        value, gate = sorted((x, y), key=lambda each: -prod(each.shape))
        one_side = len(gate.shape) == 4 and gate.shape[1:] == (1, *value.shape[2:])
        _require(one_side or _is_gate_of(gate, value), "a product that is no gate")
        return Applied(Gate(), (value, gate))
    value, constant = _one_value(x, y)
    return Applied(Affine(_per_channel(constant, value), np.zeros(value.shape[1])), (value,))


def _div(x: Any, y: Any) -> Applied:
    _require(isinstance(x, Value) and not isinstance(y, Value), "a quotient of values")
    return Applied(Affine(1.0 / _per_channel(y, x), np.zeros(x.shape[1])), (x,))


def _pad(x: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    _require(mode == "constant" and not value, "padding that is not 0")
    left, right, above, below = pad
    _require((left, right) == (above, below), "padding that is not the same for both sides")
    return Padded(x, (left, right))


def _dropout(x: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    _require(not training, "dropout in training mode")
    return x


def _same(x: Value, *_args: Any, **_kwargs: Any) -> Value:
    return x


_SHAPING = ("flatten", "view", "reshape", "squeeze", "unsqueeze", "__getitem__")
_MEANINGS: dict[str, Callable[..., Meaning]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": _batch_norm,
    "relu": _relu,
    "relu6": _relu6,
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _global_pool(Reduction.MEAN),
    "adaptive_max_pool2d": _global_pool(Reduction.MAX),
    "mean": _reduce(Reduction.MEAN),
    "amax": _reduce(Reduction.MAX),
    "cat": _cat,
    "sigmoid": _sigmoid,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "pad": _pad,
    "dropout": _dropout,
    **dict.fromkeys(("float", "to", "contiguous", "clone", "detach", *_SHAPING), _same),
}


def check_shape(function: str, given: Value, result: Value) -> None:
    """Refuse a function that moves numbers about, other than a vector's channels.

    Raises:
        UnsupportedError: it does.
    """
    if function in _SHAPING:
        kept = _is_vector(given) and _is_vector(result) and given.shape[1] == result.shape[1]
        _require(kept, f"{function} gives {result.shape} of {given.shape}")


def _is_vector(value: Value) -> bool:
    return len(value.shape) in (2, 4) and prod(value.shape) == value.shape[1]


def _is_gate_of(gate: Value, value: Value) -> bool:
    """Whether it has a number for each channel of a map."""
    return len(gate.shape) == 4 and _is_vector(gate) and gate.shape[1] == value.shape[1]


def _square(size: Any, what: str) -> int:
    sizes = tuple(size) if isinstance(size, tuple | list | torch.Size) else (size,)
    _require(len(set(sizes)) == 1, f"{what} of {sizes} is not square")
    return int(sizes[0])


def _one_value(x: Any, y: Any) -> tuple[Value, Any]:
    return (x, y) if isinstance(x, Value) else (y, x)


def _per_channel(constant: Any, value: Value) -> Array:
    """(C,) of a number, or of a tensor with one or C numbers along the channels."""
    if isinstance(constant, Tensor):
        channels = value.shape[1]
        fits = constant.numel() == 1 or constant.shape[-3:] == (channels, 1, 1)
        _require(fits, f"a constant of shape {tuple(constant.shape)}")
        numbers = to_array(constant).reshape(-1)
        return np.broadcast_to(numbers, channels).copy()
    return np.full(value.shape[1], float(constant))


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise UnsupportedError(otherwise)
