"""The torch module as an intermediate graph, everything foldable folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from torch import Tensor, nn

from dcrnet_edge.models.attention import CBAM, ChannelMLP, SqueezeExcitation
from dcrnet_edge.models.dcrnet import DCRNet, ResidualBlock
from dcrnet_edge.models.densenet import DenseBlock, DenseLayer, Transition
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export.ir.folding import (
    affine_of,
    clamp_norm,
    conv_of,
    fold_before,
    fold_behind,
    fold_input_scale,
    to_array,
)
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Axis,
    Clamp,
    Concat,
    Conv,
    Gate,
    Graph,
    Input,
    MaxPool,
    Node,
    Op,
    Reduce,
    Reduction,
    Sigmoid,
    Softmax,
)
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME

_LONG_PREFIX = "backbone.features."
"""Left out of the values' names: a file repeats each name some ten times."""


def rewrite(
    network: FaceNetwork, size_px: int, ranges: Mapping[str, Tensor] | None = None
) -> Graph:
    """The network's function at one size, exact but for float rounding.

    Args:
        network: in eval mode.
        size_px: side of the input.
        ranges: what :func:`dcrnet_edge.models.activation_ranges.activation_ranges` saw at that
            size; the graph's ranges are derived from it. Without it the graph has none.
    """
    assert isinstance(network, DCRNet)
    build = _Builder(ranges or {})
    value = build.add(INPUT_NAME, Input(size_px), limits=_code_range())
    value = _backbone(build, network, value)
    for name, stage in network.stages.named_children():
        value = _stage(build, f"stages.{name}", stage, value)
    value = build.add("pooled", Reduce(Reduction.MEAN, Axis.SPACE), value)
    dense = [(name, m) for name, m in network.head.named_children() if isinstance(m, nn.Linear)]
    for i, (name, module) in enumerate(dense, start=1):
        value = build.conv(f"head.{name}", conv_of(module), value, relu=i < len(dense))
    build.add(OUTPUT_NAME, Softmax(), value)
    return build.graph()


def _backbone(build: _Builder, network: DCRNet, value: str) -> str:
    """DenseNet121; BN behind a convolution is folded, BN before one becomes a clamp."""
    path = _LONG_PREFIX.rstrip(".")
    for name, module in network.backbone.features.named_children():
        here = f"{path}.{name}"
        match module:
            case nn.Conv2d():
                conv = fold_input_scale(conv_of(module), network.config.input_scale)
                norm = affine_of(cast(nn.BatchNorm2d, network.backbone.features.norm0))
                value = build.conv(here, conv, value, norm=norm, relu=True)
            case nn.MaxPool2d():
                value = _max_pool(build, here, module, value)
            case DenseBlock():
                for layer_name, layer in module.named_children():
                    layer = cast(DenseLayer, layer)
                    value = _dense_layer(build, f"{here}.{layer_name}", layer, value)
            case Transition():
                value = _transition(build, here, module, value)
            case nn.BatchNorm2d() if name == "norm5":
                norm = affine_of(module)
                value = build.add(here, Affine(norm.scale, norm.shift, relu=True), value)
    return value


def _dense_layer(build: _Builder, path: str, layer: DenseLayer, features: str) -> str:
    """norm1 and its ReLU become a clamp, norm2 goes into conv1; the result joins the features."""
    clamped = clamp_norm(affine_of(layer.norm1))
    value = build.add(f"{path}.norm1", clamped.clamp, features)
    conv1 = fold_before(clamped.affine, conv_of(layer.conv1))
    value = build.conv(f"{path}.conv1", conv1, value, norm=affine_of(layer.norm2), relu=True)
    value = build.conv(f"{path}.conv2", conv_of(layer.conv2), value)
    return build.add(f"{path}.concat", Concat(), features, value)


def _transition(build: _Builder, path: str, module: Transition, features: str) -> str:
    """Pooling moves before the 1x1 convolution: ``mean(W x + w) = W mean(x) + w``.

    A quarter of the multiplications is left. The affine map that the clamp leaves commutes in
    the same way.
    """
    clamped = clamp_norm(affine_of(module.norm))
    value = build.add(f"{path}.norm", clamped.clamp, features)
    value = build.add(f"{path}.pool", AvgPool(), value)
    conv = fold_before(clamped.affine, conv_of(module.conv))
    return build.conv(f"{path}.conv", conv, value, observed=path)


def _stage(build: _Builder, path: str, stage: nn.Module, value: str) -> str:
    match stage:
        case CBAM():
            return _cbam(build, path, stage, value)
        case SqueezeExcitation():
            return _squeeze(build, path, stage, value)
        case nn.Identity():
            return value
        case nn.Sequential() if isinstance(stage[0], ResidualBlock):
            for name, block in stage.named_children():
                value = _residual(build, f"{path}.{name}", cast(ResidualBlock, block), value)
            return value
        case nn.Sequential():
            norm = affine_of(cast(nn.BatchNorm2d, stage.norm))
            conv = conv_of(cast(nn.Conv2d, stage.conv))
            value = build.conv(f"{path}.conv", conv, value, norm=norm, relu=True)
            if hasattr(stage, "pool"):
                value = _max_pool(build, f"{path}.pool", cast(nn.MaxPool2d, stage.pool), value)
            return value
        case _:
            raise NotImplementedError(f"{path} is a {type(stage).__name__}")


def _max_pool(build: _Builder, path: str, pool: nn.MaxPool2d, value: str) -> str:
    op = MaxPool(*(cast(int, each) for each in (pool.kernel_size, pool.stride, pool.padding)))
    return build.add(path, op, value, limits=build.observed(path))


def _residual(build: _Builder, path: str, block: ResidualBlock, skip: str) -> str:
    value = skip
    layers = list(block.body.named_children())
    for (name, conv), (_, norm) in zip(layers[0::3], layers[1::3], strict=True):
        value = build.conv(
            f"{path}.body.{name}",
            conv_of(cast(nn.Conv2d, conv)),
            value,
            norm=affine_of(cast(nn.BatchNorm2d, norm)),
            relu=norm is not layers[-1][1],
        )
    return build.add(path, Add(), value, skip, limits=build.observed(path))


def _cbam(build: _Builder, path: str, module: CBAM, value: str) -> str:
    """Channel and spatial attention; the MLP's second layer runs once: see :func:`_mlp`."""
    pooled = [
        build.add(f"{path}.{kind}", Reduce(kind, Axis.SPACE), value)
        for kind in (Reduction.MEAN, Reduction.MAX)
    ]
    gate = build.add(f"{path}.gate", Sigmoid(), _mlp(build, f"{path}.mlp", module.mlp, pooled))
    value = build.add(f"{path}.gated", Gate(), value, gate)
    maps = [
        build.add(f"{path}.{kind}_map", Reduce(kind, Axis.CHANNELS), value)
        for kind in (Reduction.MEAN, Reduction.MAX)
    ]
    both = build.add(f"{path}.maps", Concat(), *maps)
    gate = build.conv(f"{path}.spatial", conv_of(module.spatial), both)
    gate = build.add(f"{path}.spatial_gate", Sigmoid(), gate)
    return build.add(path, Gate(), value, gate, limits=build.observed(path))


def _squeeze(build: _Builder, path: str, module: SqueezeExcitation, value: str) -> str:
    pooled = build.add(f"{path}.mean", Reduce(Reduction.MEAN, Axis.SPACE), value)
    gate = build.add(f"{path}.gate", Sigmoid(), _mlp(build, f"{path}.mlp", module.mlp, [pooled]))
    return build.add(path, Gate(), value, gate, limits=build.observed(path))


def _mlp(build: _Builder, path: str, mlp: ChannelMLP, inputs: Sequence[str]) -> str:
    """The sum of the shared MLP over one or two inputs.

    ``(V h + v) + (V k + v) = V (h + k) + 2 v``: the second layer runs on the hidden sum.
    """
    first = conv_of(cast(nn.Linear, mlp[0]))
    second = conv_of(cast(nn.Linear, mlp[2]))
    hidden = [build.conv(f"{name}.hidden", first, name, relu=True) for name in inputs]
    value = hidden[0]
    if len(hidden) > 1:
        value = build.add(f"{path}.sum", Add(), *hidden)
    return build.conv(f"{path}.2", Conv(second.weight, len(inputs) * second.bias), value)


class _Builder:
    """Collects nodes and derives the range of each value that follows from the observed ones."""

    def __init__(self, observed: Mapping[str, Tensor]) -> None:
        self._observed = observed
        self._nodes: list[Node] = []
        self._ranges: dict[str, Array] = {}

    def observed(self, path: str) -> Array | None:
        """The (2, C) range that calibration saw at a torch module's output."""
        limits = self._observed.get(path)
        return None if limits is None else to_array(limits)

    def add(self, name: str, op: Op, *inputs: str, limits: Array | None = None) -> str:
        """Append a node; its range is ``limits``, else what follows from its inputs'."""
        name = name.removeprefix(_LONG_PREFIX)
        self._nodes.append(Node(name, op, inputs))
        known = [self._ranges[value] for value in inputs if value in self._ranges]
        if limits is None and known and len(known) == len(inputs):
            limits = _follow(op, known)
        if limits is not None:
            self._ranges[name] = limits
        return name

    def conv(
        self,
        path: str,
        conv: Conv,
        value: str,
        *,
        norm: Affine | None = None,
        relu: bool = False,
        observed: str | None = None,
    ) -> str:
        """Append a convolution with the BN and the ReLU that stand behind it.

        The range is the one observed at ``observed`` (default: at ``path``) through both.
        Without a range at its input it keeps none: that part of the graph stays float.
        """
        limits = self.observed(observed or path) if value in self._ranges else None
        if norm is not None:
            conv = fold_behind(conv, norm)
            limits = None if limits is None else _map_range(norm, limits)
        if relu and limits is not None:
            limits = np.maximum(limits, 0.0)
        op = Conv(conv.weight, conv.bias, conv.stride, conv.padding, relu)
        return self.add(path, op, value, limits=limits)

    def graph(self) -> Graph:
        """What was collected; the ranges are dropped unless calibration gave any."""
        return Graph(tuple(self._nodes), self._ranges if self._observed else {})


def _follow(op: Op, inputs: list[Array]) -> Array | None:
    """The (2, C) range behind an operation that maps or moves channels one by one."""
    match op:
        case Clamp():
            return np.clip(inputs[0], op.low, op.high)
        case Affine():
            limits = _map_range(op, inputs[0])
            return np.maximum(limits, 0.0) if op.relu else limits
        case Concat():
            return np.concatenate(inputs, axis=1)
        case AvgPool():
            return inputs[0]
        case _:
            return None


def _map_range(affine: Affine, limits: Array) -> Array:
    """A (2, C) range through ``a x + b``; a negative ``a`` swaps its ends."""
    return np.sort(affine.scale * limits + affine.shift, axis=0)


def _code_range() -> Array:
    return np.array([[-128.0] * 3, [127.0] * 3])
