"""Prepared faces, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCrops:
    """What the network is fed, and where it comes from.

    Attributes:
        crops: (N, S, S, 3) uint8 RGB.
        source: for people, and for the card.
    """

    crops: NDArray[np.uint8]
    source: str
