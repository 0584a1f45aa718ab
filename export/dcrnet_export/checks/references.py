"""What artifacts are measured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_export.checks.tolerances import Tolerances


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """The Test split of a data set, with the float network's answers.

    Attributes:
        crops: (N, S, S, 3) uint8 RGB.
        expected: torch's answers at the exported size.
    """

    crops: NDArray[np.uint8]
    expected: Predictions


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """What artifacts are measured by.

    Attributes:
        faces: prepared faces.
        expected: torch's probabilities for them, (N, labels).
        labelled: images with labels; None if there are none.
        tolerances: what is allowed.
        features: torch's features of the faces, (N, C); None where no artifact has any.
    """

    faces: PreparedCrops
    expected: NDArray[np.float32]
    labelled: LabelledFaces | None
    tolerances: Tolerances
    features: NDArray[np.float32] | None = None
