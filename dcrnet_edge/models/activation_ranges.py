"""Statistics of activations on training faces: batch norms' own, and the exporter's ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from dcrnet_edge.models.network import FaceNetwork

Ranges = dict[str, Tensor]
"""Module path -> (2, channels) float32, the lowest and the highest output of each channel."""


def activation_ranges(network: FaceNetwork, batches: Iterable[Tensor]) -> Ranges:
    """Run faces through the network and note each observed module's output per channel.

    Args:
        network: in eval mode.
        batches: (N, 3, S, S) uint8 codes of one size S.

    Returns:
        the ranges by module path, over all batches, in evaluation order.

    Raises:
        ValueError: there was no batch.
    """
    ranges: Ranges = {}
    handles = [
        module.register_forward_hook(_observer(name, ranges))
        for name, module in network.named_modules()
        if isinstance(module, network.observed)
    ]
    try:
        with torch.inference_mode():
            for codes in batches:
                network(codes)
    finally:
        for handle in handles:
            handle.remove()
    if not ranges:
        raise ValueError("activation ranges need at least one batch of faces")
    return ranges


def _observer(name: str, ranges: Ranges) -> Callable[[nn.Module, object, Tensor], None]:
    def observe(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        channels = output.transpose(0, 1).flatten(1).float()
        limits = torch.stack([channels.amin(dim=1), channels.amax(dim=1)])
        if name in ranges:
            before = ranges[name]
            limits = torch.stack(
                [torch.minimum(before[0], limits[0]), torch.maximum(before[1], limits[1])]
            )
        ranges[name] = limits

    return observe
