"""The batch norms' running statistics: read, set, and renewed on training faces."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dcrnet_edge.models.network import FaceNetwork

Norms = dict[str, Tensor]
"""Path of a batch norm -> (2, channels) float32, its running mean and variance."""


def renew_batch_norms(network: FaceNetwork, batches: Iterable[Tensor]) -> None:
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


def norms_of(network: FaceNetwork) -> Norms:
    """The running statistics of all batch norms."""
    return {
        name: torch.stack([norm.running_mean, norm.running_var])
        for name, norm in _batch_norms(network).items()
        if norm.running_mean is not None and norm.running_var is not None
    }


def set_norms(network: FaceNetwork, norms: Norms) -> None:
    """Give the batch norms the running statistics that :func:`norms_of` returned."""
    modules = _batch_norms(network)
    for name, (mean, variance) in norms.items():
        modules[name].load_state_dict(
            {"running_mean": mean, "running_var": variance}, strict=False
        )


def _batch_norms(network: FaceNetwork) -> dict[str, nn.BatchNorm2d]:
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }
