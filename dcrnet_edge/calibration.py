"""Statistics of activations on training faces: batch norms' own, and the exporter's ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from dcrnet_edge.attention import CBAM, SqueezeExcitation
from dcrnet_edge.backbone import Transition
from dcrnet_edge.network import DCRNet, ResidualBlock

Ranges = dict[str, Tensor]
"""Module path -> (2, channels) float32, the lowest and the highest output of each channel."""

Norms = dict[str, Tensor]
"""Path of a batch norm -> (2, channels) float32, its running mean and variance."""

_OBSERVED = (
    *(nn.Conv2d, nn.Linear, nn.MaxPool2d),
    *(Transition, ResidualBlock, CBAM, SqueezeExcitation),
)
"""Everything else (BN, ReLU, concatenation) follows from these channel by channel."""


def activation_ranges(network: DCRNet, batches: Iterable[Tensor]) -> Ranges:
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
        if isinstance(module, _OBSERVED)
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


def renew_batch_norms(network: DCRNet, batches: Iterable[Tensor]) -> None:
    """Replace the batch norms' running statistics by those of the present weights.

    Averaged weights, and training with dropout, leave running variances that no forward pass
    without dropout has. The network is left in eval mode.

    Args:
        network: any mode.
        batches: (N, 3, S, S) uint8 codes of one size S.
    """
    network.eval()
    norms = _batch_norms(network).values()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    with torch.inference_mode():
        for codes in batches:
            network(codes)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


def norms_of(network: DCRNet) -> Norms:
    """The running statistics of all batch norms."""
    return {
        name: torch.stack([norm.running_mean, norm.running_var])
        for name, norm in _batch_norms(network).items()
        if norm.running_mean is not None and norm.running_var is not None
    }


def set_norms(network: DCRNet, norms: Norms) -> None:
    """Give the batch norms the running statistics that :func:`norms_of` returned."""
    modules = _batch_norms(network)
    for name, (mean, variance) in norms.items():
        modules[name].load_state_dict(
            {"running_mean": mean, "running_var": variance}, strict=False
        )


def _batch_norms(network: DCRNet) -> dict[str, nn.BatchNorm2d]:
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }


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
