"""What a face went through, and what its answer rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.backends.sensitivity import occlusion_sensitivity
from dcrnet_runtime.preprocess.crops import CropStages, crop_stages, uses_focus
from dcrnet_runtime.recognizer import Recognition


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedFace:
    """One face of a photo.

    Attributes:
        recognition: the answer.
        stages: of its crop.
        focus: 0..1, by how much the landmark focus suppresses; 0 where it was not applied.
        falls: (8, 8) float32: by how much the most probable label's probability falls when a
            place of the crop is covered, -1..1.
    """

    recognition: Recognition
    stages: CropStages
    focus: float
    falls: NDArray[np.float32]


def explained(rgb: NDArray[np.uint8], recognition: Recognition, model: Model) -> ExplainedFace:
    """Go the way again that led to an answer, and cover places of the crop one after the other.

    Args:
        rgb: (H, W, 3) uint8 RGB, the photo.
        recognition: of one of its faces.
        model: that answered; asked 65 times.

    Raises:
        DcrnetError: the model fails.
    """
    spec, face = model.card.preprocess, recognition.face
    stages = crop_stages(rgb, face, spec)
    _, falls = occlusion_sensitivity(model.probabilities, stages.prepared, spec.fill)
    focus = spec.focus_strength if uses_focus(face, spec) else 0.0
    return ExplainedFace(recognition, stages, focus, falls)
