"""Which layers of an int8 graph lose most."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.ir.graph import Add, Affine, Array, Conv, Graph
from dcrnet_export.ir.reference import run_reference
from dcrnet_export.passes.channel_equalization import needed_ranges
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import QuantizedGraph

_CONSTANT = 1e-9


@dataclass(frozen=True, slots=True)
class LayerError:
    """What one layer loses by itself, its inputs being right.

    Attributes:
        layer: name of the convolution or sum.
        noise: the mean over channels of error power by signal power, each at most 1.
    """

    layer: str
    noise: float


def layer_errors(
    exact: Graph, quantized: QuantizedGraph, crops: NDArray[np.uint8]
) -> list[LayerError]:
    """Each integer convolution and sum against float, fed with codes of the float values.

    So no error of an earlier layer hides or adds to a later one's. The error is that of its
    weights, of its input's codes and of the codes of its result.

    Args:
        exact: the float graph, its channels scaled as those of ``quantized``.
        quantized: what the artifact computes.
        crops: (N, S, S, 3) uint8 RGB faces; a few are enough.

    Returns:
        the layers, the noisiest first; among equally noisy ones the earliest, as the codes of
        its result are the input of the next.
    """
    executor, told_apart = IntegerExecutor(quantized), _told_apart(exact)
    noise: dict[str, list[float]] = defaultdict(list)
    for crop in crops:
        values = run_reference(exact, crop)
        for node in quantized.graph.nodes:
            if not (isinstance(node.op, Conv | Affine | Add) and quantized.on_codes(node)):
                continue
            inputs = [quantized.codings[name].encode(values[name]) for name in node.inputs]
            found = quantized.codings[node.name].decode(executor.step(node, inputs))
            low, high = told_apart[node.name][:, :, None, None]
            want, got = (np.clip(each, low, high) for each in (values[node.name], found))
            noise[node.name].append(_noise(want, got))
    errors = [LayerError(layer, float(np.mean(each))) for layer, each in noise.items()]
    return sorted(errors, key=lambda error: -round(error.noise, 1))


def _told_apart(graph: Graph) -> dict[str, Array]:
    """Each value's (2, C) limits beyond which no reader tells values apart: clamps cut there."""
    limits = {name: np.full_like(each, np.inf) for name, each in graph.ranges.items()}
    for each in limits.values():
        each[0] = -np.inf
    return dict(needed_ranges(Graph(graph.nodes, limits)))


def _noise(want: Array, got: Array) -> float:
    """Constant channels, which carry nothing, do not count."""
    signal = want.var(axis=(1, 2)) if want.shape[1] > 1 else want[:, 0, 0] ** 2
    live = signal > _CONSTANT
    error = ((want - got) ** 2).mean(axis=(1, 2))
    return float(np.minimum(error[live] / signal[live], 1.0).mean()) if live.any() else 0.0
