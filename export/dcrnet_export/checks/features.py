"""The features of an artifact against torch's on the same faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_runtime.backends.model import Model, feature_model
from dcrnet_runtime.backends.precision import Precision

_POOLS = {"mean", "amax", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
_BATCH = 16


@dataclass(frozen=True, slots=True)
class FeatureParity:
    """An artifact's features against torch's.

    Attributes:
        faces: how many.
        largest: the largest relative error of a face, ``|f - t| / |t|``.
        mean: the mean relative error.
        cosine: the lowest cosine of the angle between a face's features and torch's.
    """

    faces: int
    largest: float
    mean: float
    cosine: float

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for a card's figures."""
        return {
            key: float(f"{value:.3g}") if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }


def torch_features(network: FaceNetwork, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network pools last, of (N, S, S, 3) uint8 RGB crops, as (N, C) float32."""
    batches = torch.split(torch.from_numpy(crops).permute(0, 3, 1, 2), _BATCH)
    found = []
    with torch.inference_mode(), _LastPool() as pool:
        for batch in batches:
            network(batch)
            found.append(pool.pooled)
    return torch.cat(found).numpy()


class _LastPool(TorchFunctionMode):
    """Keeps the last vector that a map was pooled to."""

    pooled: Tensor

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.__name__ in _POOLS and result.shape[:2] == args[0].shape[:2]:
            vector = result.flatten(1)
            if vector.shape == args[0].shape[:2]:
                self.pooled = vector
        return result


def measure_features(
    model: Model, crops: NDArray[np.uint8], expected: NDArray[np.float32]
) -> FeatureParity:
    """Run the artifact on the faces that gave ``expected``, (N, C), in torch.

    Raises:
        DcrnetError: it gives no features.
        ValueError: it gives others than torch has.
    """
    found = feature_model(model).answers(crops).features.astype(np.float64)
    if found.shape != expected.shape:
        raise ValueError(f"features of shape {found.shape}, torch has {expected.shape}")
    want = expected.astype(np.float64)
    lengths = np.linalg.norm(want, axis=1)
    errors = np.linalg.norm(found - want, axis=1) / lengths
    cosines = (found * want).sum(axis=1) / (lengths * np.linalg.norm(found, axis=1))
    return FeatureParity(
        len(crops), float(errors.max()), float(errors.mean()), float(cosines.min())
    )


def feature_problem(
    precision: Precision, parity: FeatureParity, tolerances: Tolerances
) -> str | None:
    """Why an artifact's features must not be used, or None."""
    match precision:
        case Precision.FP32:
            found, allowed = parity.largest, tolerances.fp32_features
        case Precision.FP16:
            found, allowed = parity.largest, tolerances.fp16_features
        case _:
            found, allowed = parity.mean, tolerances.integer_features
    if found <= allowed:  # which no NaN is
        return None
    return f"its features differ from torch's by {found:.1e} of their length, more than {allowed}"
