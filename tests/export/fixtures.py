"""Types of what the exporter's fixtures give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.models.dcrnet import DCRNet
from dcrnet_edge.models.network import FaceNetwork

Faces = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
MakeFaces = Callable[..., Faces]
MakeNetwork = Callable[..., DCRNet]
TorchProbabilities = Callable[[FaceNetwork, Faces], Probabilities]
