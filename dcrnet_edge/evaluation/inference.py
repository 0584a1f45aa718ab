"""Probabilities of a torch network on prepared faces."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import Crops
from dcrnet_edge.models.network import FaceNetwork

_BATCH = 128


def predict(network: FaceNetwork, crops: Crops) -> NDArray[np.float32]:
    """Probabilities (N, labels) float32.

    Args:
        network: is put into eval mode.
        crops: the faces.
    """
    network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows = []
    with torch.inference_mode():
        for batch in crops.batches(_BATCH):
            codes = torch.from_numpy(batch).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
            rows.append(network(codes).float().softmax(dim=1))
    return torch.cat(rows).numpy()
