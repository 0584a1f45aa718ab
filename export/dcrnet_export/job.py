"""Everything that an export needs, checked before any file is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.evaluation.answers import evaluate
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint
from dcrnet_export.artifacts.kind import ArtifactKind
from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_export.calibration.folder import folder_faces
from dcrnet_export.calibration.ranges import (
    Calibration,
    calibrate,
    check_count,
    stored_calibration,
)
from dcrnet_export.calibration.samples import enough_faces, sample_faces
from dcrnet_export.checks.features import torch_features
from dcrnet_export.checks.parity import torch_probabilities
from dcrnet_export.checks.references import LabelledFaces, References
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.ir.graph import Graph
from dcrnet_export.ir.lowering import lower
from dcrnet_export.progress import Steps
from dcrnet_runtime.preprocess.spec import PreprocessSpec

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData


@dataclass(frozen=True, slots=True)
class DataSource:
    """A labelled data set on disk, which files are checked on.

    Attributes:
        root: its folder.
        open: reads it; its faces are found when they are asked for.
    """

    root: Path
    open: Callable[[], FaceData]


@dataclass(frozen=True, slots=True, eq=False)
class ExportJob:
    """What is exported, and what it is measured by.

    Attributes:
        checkpoint: what is exported, for the side of the input that was asked for.
        checkpoint_sha256: of its file.
        references: what the artifacts are measured by.
        calibration: for int8; None if no int8 file is asked for.
    """

    checkpoint: Checkpoint
    checkpoint_sha256: str
    references: References
    calibration: Calibration | None

    @property
    def size_px(self) -> int:
        """Side of the input."""
        return self.checkpoint.card.preprocess.size_px

    def file_name(self, kind: ArtifactKind) -> str:
        """Of an artifact."""
        return kind.file_name(self.checkpoint.network.architecture, self.size_px)

    def graph(self) -> Graph:
        """The network, with the ranges that are known: float kernels are rounded better too.

        Raises:
            DcrnetError: the network computes what an exported file cannot.
        """
        ranges = self.checkpoint.ranges.get(self.size_px)
        if self.calibration is not None:
            ranges = self.calibration.ranges
        return lower(self.checkpoint.network, self.size_px, ranges)


def prepare_job(
    path: Path,
    kinds: Sequence[ArtifactKind],
    *,
    size_px: int | None = None,
    calib: Path | None = None,
    data: DataSource | None = None,
    step: Steps | None = None,
    tolerances: Tolerances | None = None,
) -> ExportJob:
    """Load and check all inputs of an export.

    Args:
        path: checkpoint.
        kinds: what will be exported.
        size_px: side of the input; None takes the checkpoint's.
        calib: folder of face images to calibrate with, and to check on where ``data`` is None.
        data: labelled images to check on.
        step: times what is done.
        tolerances: what the artifacts are held to; None takes the defaults.

    Raises:
        DcrnetError: a bad checkpoint, size, folder or data set, or int8 without ranges at that
            size.
    """
    step = step or Steps()
    with step("checkpoint"):
        checkpoint = load_checkpoint(path)
        digest = sha256(path.read_bytes()).hexdigest()
    checkpoint = checkpoint.at(size_px or checkpoint.card.preprocess.size_px)
    spec = checkpoint.card.preprocess
    given, calibration = _calibration(checkpoint, calib, kinds, step)
    if data is None:
        faces, labelled = given or sample_faces(spec), None
    else:
        faces, labelled = _labelled(path, data, spec, step)
    with step("torch"):
        faces = enough_faces(faces, spec)
        expected = torch_probabilities(checkpoint.network, faces.crops)
        wanted = any(kind.features for kind in kinds)
        features = torch_features(checkpoint.network, faces.crops) if wanted else None
    references = References(faces, expected, labelled, tolerances or Tolerances(), features)
    return ExportJob(checkpoint, digest, references, calibration)


def _calibration(
    checkpoint: Checkpoint, calib: Path | None, kinds: Sequence[ArtifactKind], step: Steps
) -> tuple[PreparedCrops | None, Calibration | None]:
    """The faces of a folder, if one is given, and the ranges that int8 needs."""
    spec = checkpoint.card.preprocess
    needs_ranges = any(kind.precision.has_ranges for kind in kinds)
    if calib is None:
        return None, stored_calibration(checkpoint, spec.size_px) if needs_ranges else None
    with step("calibration faces"):
        given = folder_faces(calib, spec)
        check_count(given)
        return given, calibrate(checkpoint, given) if needs_ranges else None


def _labelled(
    checkpoint: Path, source: DataSource, spec: PreprocessSpec, step: Steps
) -> tuple[PreparedCrops, LabelledFaces]:
    with step("data set"):
        data = source.open()
        crops = np.stack(list(data.crops(Split.TEST, spec)))
    with step("torch"):
        expected = evaluate(checkpoint, data, Split.TEST, source.root, size_px=spec.size_px)
    rgb = np.broadcast_to(crops, (*crops.shape[:3], 3))
    faces = PreparedCrops(rgb, f"faces of {data.dataset.name} Test")
    return faces, LabelledFaces(rgb, expected)
