"""A checkpoint to checked artefacts in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.calibration import Ranges, activation_ranges
from dcrnet_edge.checkpoint import Checkpoint, load_checkpoint
from dcrnet_edge.network import check_size
from dcrnet_export.artefact import (
    ArtefactKind,
    build_content,
    exported_card,
    move_artefact,
    write_artefact,
)
from dcrnet_export.faces import PreparedCrops, folder_faces, sample_faces
from dcrnet_export.parity import Parity, measure, rejection, torch_probabilities
from dcrnet_export.rewrite import rewrite
from dcrnet_runtime.backends import load_model
from dcrnet_runtime.errors import DcrnetError

REJECTED_SUFFIX = ".rejected"
_CALIBRATION_BATCH = 16


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """What became of one artefact.

    Attributes:
        kind: what was asked for.
        path: where it is; its name ends in ``.rejected`` if it must not be used; None if the
            file could not be made.
        parity: against torch, if it ran.
        problem: why it was rejected or could not be made; None for a good one.
    """

    kind: ArtefactKind
    path: Path | None
    parity: Parity | None
    problem: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Activation ranges at the exported size.

    Attributes:
        ranges: by module path.
        source: for people, and for the card.
        faces: how many gave the ranges; None where the checkpoint does not say.
        sha256: of the faces' crops, or of the stored ranges.
    """

    ranges: Ranges
    source: str
    faces: int | None
    sha256: str

    def summary(self) -> dict[str, Any]:
        """What the card says of it."""
        return {"source": self.source, "faces": self.faces, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, eq=False)
class ExportJob:
    """Everything that an export needs, checked before any file is written.

    Attributes:
        checkpoint: what is exported.
        checkpoint_sha256: of its file.
        size_px: side of the input.
        faces: what the artefacts are checked on.
        expected: torch's probabilities for them.
        calibration: for int8; None if no int8 file is asked for.
    """

    checkpoint: Checkpoint
    checkpoint_sha256: str
    size_px: int
    faces: PreparedCrops
    expected: NDArray[np.float32]
    calibration: Calibration | None


def prepare_job(
    path: Path, size_px: int | None, calib: Path | None, kinds: Sequence[ArtefactKind]
) -> ExportJob:
    """Load and check all inputs of an export.

    Args:
        path: checkpoint.
        size_px: side of the input; None takes the checkpoint's.
        calib: folder of face images to calibrate with and to check on.
        kinds: what will be exported.

    Raises:
        DcrnetError: a bad checkpoint, size or folder, or int8 without ranges at that size.
    """
    checkpoint = load_checkpoint(path)
    size_px = size_px or checkpoint.card.preprocess.size_px
    check_size(size_px)
    spec = replace(checkpoint.card.preprocess, size_px=size_px)
    given = None if calib is None else folder_faces(calib, spec)
    calibration = None
    if any(kind.precision.has_ranges for kind in kinds):
        calibration = _calibration(checkpoint, size_px, given)
    faces = given or sample_faces(spec)
    expected = torch_probabilities(checkpoint.network, faces.crops)
    digest = sha256(path.read_bytes()).hexdigest()
    return ExportJob(checkpoint, digest, size_px, faces, expected, calibration)


def _calibration(checkpoint: Checkpoint, size_px: int, given: PreparedCrops | None) -> Calibration:
    if given is not None:
        import torch

        codes = torch.from_numpy(given.crops).permute(0, 3, 1, 2)
        batches = torch.split(codes, _CALIBRATION_BATCH)
        ranges = activation_ranges(checkpoint.network, batches)
        digest = sha256(given.crops.tobytes()).hexdigest()
        return Calibration(ranges, given.source, len(given.crops), digest)
    if size_px not in checkpoint.ranges:
        recorded = ", ".join(map(str, sorted(checkpoint.ranges))) or "no size"
        raise DcrnetError(
            f"int8 at {size_px} px needs activation ranges, and the checkpoint has them for"
            f" {recorded}: give face images with --calib DIR"
        )
    ranges = checkpoint.ranges[size_px]
    digest = sha256()
    for name in sorted(ranges):
        digest.update(name.encode() + ranges[name].numpy().tobytes())
    source = "ranges stored with the checkpoint"
    return Calibration(ranges, source, None, digest.hexdigest())


def export(job: ExportJob, kinds: Sequence[ArtefactKind], folder: Path) -> Iterator[ExportedFile]:
    """Write and check one artefact after the other; a failing one does not stop the rest.

    Yields:
        the outcome of each, in order.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    ranges = None if job.calibration is None else job.calibration.ranges
    graph = rewrite(job.checkpoint.network, job.size_px, ranges)
    for kind in kinds:
        calibration = None
        if kind.precision.has_ranges and job.calibration is not None:
            calibration = job.calibration.summary()
        card = exported_card(job.checkpoint, job.checkpoint_sha256, kind, job.size_px, calibration)
        try:
            content = build_content(kind, graph, card)
        except Exception as error:  # each format's library has its own exceptions
            yield ExportedFile(kind, None, None, f"{type(error).__name__}: {error}")
            continue
        path = folder / kind.file_name(job.size_px)
        # Until it has passed, a file bears the name of a rejected one.
        unchecked = path.with_name(path.name + REJECTED_SUFFIX)
        write_artefact(unchecked, content, card)
        yield _check(kind, unchecked, path.name, job)


def _check(kind: ArtefactKind, unchecked: Path, name: str, job: ExportJob) -> ExportedFile:
    try:
        parity = measure(load_model(unchecked), job.faces.crops, job.expected)
    except Exception as error:  # onnxruntime's exceptions share no base class
        return ExportedFile(kind, unchecked, None, f"does not run: {error}")
    problem = rejection(kind.precision, parity)
    if problem is not None:
        return ExportedFile(kind, unchecked, parity, problem)
    return ExportedFile(kind, move_artefact(unchecked, name), parity, None)
