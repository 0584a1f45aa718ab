"""Cuts docs/images/demo.png out of what ``dcrnet-run --demo --save`` draws.

dcrnet-run --demo --save drawn.png && python tests/docs/draw_demo.py drawn.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

DEMO = Path(__file__).parents[2] / "docs" / "images" / "demo.png"


def head(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part around the head, (260, 260, 3) uint8 BGR."""
    return drawn[10:270, 95:355]


if __name__ == "__main__":
    cv2.imwrite(str(DEMO), head(np.asarray(cv2.imread(sys.argv[1]), np.uint8)))
