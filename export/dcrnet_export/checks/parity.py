"""How close an artifact is to torch on prepared faces."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.backends.precision import Precision

CLEAR_MARGIN = 0.10
"""A face is clear if torch's two highest probabilities are at least so far apart."""

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Parity:
    """An artifact against torch on the same faces.

    Attributes:
        faces: how many.
        clear_faces: how many of them have a top-2 margin of at least ``CLEAR_MARGIN`` in torch.
        largest: the largest absolute difference of a probability.
        mean: the mean over faces of each one's largest.
        agreement: the share of faces with the same label, 0..1.
        clear_agreement: the same of the clear faces; 1 if there are none.
    """

    faces: int
    clear_faces: int
    largest: float
    mean: float
    agreement: float
    clear_agreement: float

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for a card's figures: three digits, beyond which noise begins."""
        return {
            key: float(f"{value:.3g}") if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


def torch_probabilities(network: FaceNetwork, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S, 3) uint8 RGB crops to (N, labels) float32."""
    batches = torch.split(torch.from_numpy(crops).permute(0, 3, 1, 2), _BATCH)
    with torch.inference_mode():
        return torch.cat([torch.softmax(network(batch), dim=1) for batch in batches]).numpy()


def measure(model: Model, crops: NDArray[np.uint8], expected: NDArray[np.float32]) -> Parity:
    """Run the artifact on the faces that gave ``expected`` in torch."""
    found = model.probabilities(crops)
    same = found.argmax(axis=1) == expected.argmax(axis=1)
    highest = np.sort(expected, axis=1)
    clear = highest[:, -1] - highest[:, -2] >= CLEAR_MARGIN
    differences = np.abs(found - expected).max(axis=1)
    return Parity(
        faces=len(crops),
        clear_faces=int(clear.sum()),
        largest=float(differences.max()),
        mean=float(differences.mean()),
        agreement=float(same.mean()),
        clear_agreement=float(same[clear].mean()) if clear.any() else 1.0,
    )


def rejection(precision: Precision, parity: Parity, tolerances: Tolerances) -> str | None:
    """Why an artifact must not be used, or None."""
    if not np.isfinite(parity.largest):
        return "its probabilities are not finite"
    match precision:
        case Precision.FP32:
            problem = _difference_problem(parity.largest, tolerances.fp32_difference)
            if problem is None and parity.agreement < 1.0:
                problem = f"other labels than torch on {1 - parity.agreement:.1%} of the faces"
            return problem
        case Precision.FP16:
            return _difference_problem(parity.largest, tolerances.fp16_difference)
        case _ if parity.clear_agreement < tolerances.clear_agreement:
            return (
                f"other labels than torch on {1 - parity.clear_agreement:.1%} of the"
                f" {parity.clear_faces} clear faces"
            )
        case _:
            return _difference_problem(parity.mean, tolerances.integer_difference, "by a mean of")


def _difference_problem(found: float, tolerance: float, how: str = "by") -> str | None:
    if found <= tolerance:
        return None
    return f"differs from torch {how} {found:.1e}, more than {tolerance:.0e}"
