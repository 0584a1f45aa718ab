"""Activation ranges at the exported size, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor, nn

from dcrnet_edge.models.activation_ranges import Ranges, activation_ranges
from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_export.calibration.statistics import FaceStatistics, face_statistics
from dcrnet_runtime.errors import DcrnetError

LEAST_FACES = 100
"""Fewer faces leave ranges that the next face exceeds."""

ENOUGH_FACES = 300
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Activation ranges at the exported size.

    Attributes:
        ranges: by module path.
        source: for people, and for the card.
        faces: how many gave the ranges; None where the checkpoint does not say.
        sha256: of the faces' crops, or of the stored ranges.
        statistics: of the faces; None where they are not at hand.
    """

    ranges: Ranges
    source: str
    faces: int | None
    sha256: str
    statistics: FaceStatistics | None = None

    def summary(self) -> dict[str, Any]:
        """What the card says of it."""
        return {"source": self.source, "faces": self.faces, "sha256": self.sha256}

    def remarks(self) -> list[str]:
        """What the faces are like and what is thin about them, a line each."""
        found = (
            []
            if self.statistics is None
            else [f"Calibration faces: {self.statistics.describe()}."]
        )
        if self.faces is not None and self.faces < ENOUGH_FACES:
            found.append(f"warning: {self.faces} calibration faces are few: better {ENOUGH_FACES}")
        if self.statistics is not None:
            missing = [label for label, count in self.statistics.classes.items() if count == 0]
            if missing:
                found.append(f"warning: no calibration face looks like {', '.join(missing)}")
        return found


def stored_calibration(checkpoint: Checkpoint, size_px: int) -> Calibration:
    """The ranges that came with the checkpoint.

    Raises:
        DcrnetError: it has none at this size.
    """
    if size_px not in checkpoint.ranges:
        recorded = ", ".join(map(str, sorted(checkpoint.ranges))) or "no size"
        raise DcrnetError(
            f"int8 at {size_px} px needs activation ranges, and the checkpoint has them for"
            f" {recorded}: give face images with `calib`"
        )
    ranges = checkpoint.ranges[size_px]
    digest = sha256()
    for name in sorted(ranges):
        digest.update(name.encode() + ranges[name].numpy().tobytes())
    source = "ranges stored with the checkpoint"
    return Calibration(ranges, source, None, digest.hexdigest())


def check_count(given: PreparedCrops) -> None:
    """Refuse faces that leave too much to chance.

    Raises:
        DcrnetError: they are too few.
    """
    count = len(given.crops)
    if count < LEAST_FACES:
        raise DcrnetError(
            f"`calib` has {count} usable faces, at least {LEAST_FACES} are needed (better"
            f" {ENOUGH_FACES}): add images of faces"
        )


def calibrate(checkpoint: Checkpoint, given: PreparedCrops) -> Calibration:
    """Ranges on one's own faces."""
    logits: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        logits.append(output)

    batches = torch.split(torch.from_numpy(given.crops).permute(0, 3, 1, 2), _BATCH)
    handle = checkpoint.network.register_forward_hook(keep)
    try:
        ranges = activation_ranges(checkpoint.network, batches)
    finally:
        handle.remove()
    answers = torch.cat(logits).argmax(dim=1).numpy()
    digest = sha256(given.crops.tobytes()).hexdigest()
    statistics = face_statistics(answers, given.crops, checkpoint.card.labels)
    return Calibration(ranges, given.source, len(given.crops), digest, statistics)
