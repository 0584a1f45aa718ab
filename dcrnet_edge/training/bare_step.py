"""How fast this machine trains a network when it need not wait for data."""

from __future__ import annotations

import copy
import time
from contextlib import AbstractContextManager

import torch
from torch.nn import functional

from dcrnet_edge.models.network import FaceNetwork

_WARM_UP = 3


def bare_images_per_s(
    network: FaceNetwork,
    size_px: int,
    batch_size: int,
    device: torch.device,
    precision: AbstractContextManager[object],
    steps: int = 20,
) -> float:
    """Images a second of whole training steps on one synthetic batch that lies on the device.

    A step is the forward and the backward pass and AdamW's; a copy of the network takes it.

    Args:
        network: which is left as it is.
        size_px: side of the input.
        batch_size: images a step.
        device: where it is trained.
        precision: autocast's context, which is entered once.
        steps: timed ones, a few of warm-up before them.
    """
    trained = copy.deepcopy(network).to(device).train().requires_grad_(True)
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-4)
    with torch.random.fork_rng(), torch.enable_grad(), precision:
        shape = (batch_size, 3, size_px, size_px)
        codes = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
        codes = codes.contiguous(memory_format=torch.channels_last)
        labels = torch.randint(0, len(trained.config.labels), (batch_size,), device=device)

        def step() -> None:
            logits = trained(codes)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(functional.cross_entropy(logits.float(), labels))
            optimizer.step()

        for _ in range(_WARM_UP):
            step()
        _wait_for(device)
        started_s = time.perf_counter()
        for _ in range(steps):
            step()
        _wait_for(device)
        return batch_size * steps / (time.perf_counter() - started_s)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
