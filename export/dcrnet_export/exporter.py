"""A checkpoint to checked artefacts in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from dcrnet_edge.checkpoint import Checkpoint, load_checkpoint
from dcrnet_edge.datasets.adapter import DatasetKind
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.datasets.splits import SplitPlan
from dcrnet_edge.evaluation import evaluate
from dcrnet_edge.network import check_size
from dcrnet_edge.options import open_data
from dcrnet_export.accuracy import LabelledFaces
from dcrnet_export.artefact import (
    REJECTED_SUFFIX,
    ArtefactKind,
    build_model,
    exported_card,
    move_artefact,
    with_card,
    write_artefact,
)
from dcrnet_export.budget import Budgets
from dcrnet_export.calibration import Calibration, calibrate, check_count, stored_calibration
from dcrnet_export.faces import PreparedCrops, enough_faces, folder_faces, sample_faces
from dcrnet_export.gates import Findings, Yardstick, check, machine_problem
from dcrnet_export.graph import Graph
from dcrnet_export.parity import torch_probabilities
from dcrnet_export.progress import Steps
from dcrnet_export.relief import Relief, reliefs
from dcrnet_export.rewrite import rewrite
from dcrnet_runtime.card import ModelCard
from dcrnet_runtime.spec import PreprocessSpec


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """What became of one artefact.

    Attributes:
        kind: what was asked for.
        path: where it is; its name ends in ``.rejected`` if it must not be used; None if the
            file could not be made.
        findings: what the gates saw.
        relief: layers that stay in float, if int8 missed its budget with them.
        remark: what to know of a good file; empty if nothing.
    """

    kind: ArtefactKind
    path: Path | None
    findings: Findings
    relief: Relief | None = None
    remark: str = ""

    @property
    def problem(self) -> str | None:
        """Why it was rejected or could not be made; None for a good one."""
        return self.findings.problem

    def remarks(self) -> list[str]:
        """What there is to say beside the figures, a line each."""
        relief = [] if self.relief is None else [self.relief.describe()]
        return [line for line in (*relief, self.remark) if line]


@dataclass(frozen=True, slots=True)
class DataSource:
    """A labelled data set on disk."""

    kind: DatasetKind
    root: Path


@dataclass(frozen=True, slots=True, eq=False)
class ExportJob:
    """Everything that an export needs, checked before any file is written.

    Attributes:
        checkpoint: what is exported.
        checkpoint_sha256: of its file.
        size_px: side of the input.
        yardstick: what the artefacts are measured by.
        calibration: for int8; None if no int8 file is asked for.
    """

    checkpoint: Checkpoint
    checkpoint_sha256: str
    size_px: int
    yardstick: Yardstick
    calibration: Calibration | None


def prepare_job(
    path: Path,
    size_px: int | None,
    calib: Path | None,
    data: DataSource | None,
    kinds: Sequence[ArtefactKind],
    step: Steps,
    budgets: Budgets | None = None,
) -> ExportJob:
    """Load and check all inputs of an export.

    Args:
        path: checkpoint.
        size_px: side of the input; None takes the checkpoint's.
        calib: folder of face images to calibrate with, and to check on where ``data`` is None.
        data: labelled images to check on.
        kinds: what will be exported.
        step: times what is done.
        budgets: what the artefacts are held to; None takes the defaults.

    Raises:
        DcrnetError: a bad checkpoint, size, folder or data set, or int8 without ranges at that
            size.
    """
    with step("checkpoint"):
        checkpoint = load_checkpoint(path)
        digest = sha256(path.read_bytes()).hexdigest()
    size_px = size_px or checkpoint.card.preprocess.size_px
    check_size(size_px)
    spec = replace(checkpoint.card.preprocess, size_px=size_px)
    needs_ranges = any(kind.precision.has_ranges for kind in kinds)
    given = calibration = None
    if calib is not None:
        with step("calibration faces"):
            given = folder_faces(calib, spec)
            check_count(given)
            if needs_ranges:
                calibration = calibrate(checkpoint, given)
    elif needs_ranges:
        calibration = stored_calibration(checkpoint, size_px)
    if data is None:
        faces, labelled = given or sample_faces(spec), None
    else:
        faces, labelled = _labelled(path, data, spec, step)
    with step("torch"):
        faces = enough_faces(faces, spec)
        expected = torch_probabilities(checkpoint.network, faces.crops)
    yardstick = Yardstick(faces, expected, labelled, budgets or Budgets())
    return ExportJob(checkpoint, digest, size_px, yardstick, calibration)


def _labelled(
    checkpoint: Path, source: DataSource, spec: PreprocessSpec, step: Steps
) -> tuple[PreparedCrops, LabelledFaces]:
    with step("data set"):
        data = open_data(source.kind, source.root, SplitPlan(), None, 1)
        crops = data.crops(Split.TEST, spec)
    with step("torch"):
        expected = evaluate(checkpoint, data, Split.TEST, source.root, size_px=spec.size_px)
    rgb = np.broadcast_to(crops, (*crops.shape[:3], 3))
    faces = PreparedCrops(rgb, f"faces of {data.dataset.name} Test")
    return faces, LabelledFaces(data, source.root, expected)


def export(
    job: ExportJob, kinds: Sequence[ArtefactKind], folder: Path, step: Steps
) -> Iterator[ExportedFile]:
    """Write and check one artefact after the other; a failing one does not stop the rest.

    Yields:
        the outcome of each, in order.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    ranges = job.checkpoint.ranges.get(job.size_px)  # float kernels are rounded better with them
    if job.calibration is not None:
        ranges = job.calibration.ranges
    graph = rewrite(job.checkpoint.network, job.size_px, ranges)
    for kind in kinds:
        draft = _Draft(job, kind, folder, step)
        exported = draft.tried(graph)
        if exported.problem and exported.findings.parity and kind.precision.has_ranges:
            exported = draft.relieved(graph, exported)
        yield draft.named(exported)


class _Draft:
    """One artefact until it has passed: it bears the name of a rejected one."""

    def __init__(self, job: ExportJob, kind: ArtefactKind, folder: Path, step: Steps) -> None:
        self._job, self._kind, self._step = job, kind, step
        self._name = kind.file_name(job.size_px)
        self._path = folder / (self._name + REJECTED_SUFFIX)

    def tried(self, graph: Graph, relief: Relief | None = None) -> ExportedFile:
        """Write the graph, check it, and write it again with what was measured."""
        card = self._card(relief)
        try:
            with self._step("build", self._name):
                model = build_model(self._kind, graph)
        except Exception as error:  # each format's library has its own exceptions
            return ExportedFile(
                self._kind, None, Findings(f"{type(error).__name__}: {error}"), relief
            )
        self._write(model, card)
        yardstick = self._job.yardstick
        findings = check(self._path, self._kind, graph, yardstick, self._step)
        figures = {**card.figures, **findings.figures(yardstick.faces)}
        self._write(model, replace(card, figures=figures))
        problem = None if findings.problem else machine_problem(self._path)
        if problem is not None and self._kind.target is None:
            findings = replace(findings, problem=problem)
        elif problem is not None:
            remark = f"{problem}; check on the target with dcrnet-run --self-test"
            return ExportedFile(self._kind, self._path, findings, relief, remark)
        return ExportedFile(self._kind, self._path, findings, relief)

    def relieved(self, graph: Graph, failed: ExportedFile) -> ExportedFile:
        """Keep ever more layers in float until the gates let the file pass."""
        tried = failed
        for relief, mixed in self._reliefs(graph):
            tried = self.tried(mixed, relief)
            if tried.problem is None:
                return tried
        if tried.relief is None:
            return failed
        names = ", ".join(each.layer for each in tried.relief.layers)
        problem = f"{failed.problem}; still so with {names} in float: {tried.problem}"
        return replace(tried, findings=replace(tried.findings, problem=problem))

    def named(self, exported: ExportedFile) -> ExportedFile:
        """The artefact under its own name, if it has passed."""
        if exported.problem is not None or exported.path is None:
            return exported
        return replace(exported, path=move_artefact(exported.path, self._name))

    def _reliefs(self, graph: Graph) -> Iterator[tuple[Relief, Graph]]:
        """With the time that each search takes."""
        search = reliefs(graph, self._kind, self._card(None), self._job.yardstick)
        while True:
            with self._step("accuracy control", self._name):
                found = next(search, None)
            if found is None:
                return
            yield found

    def _card(self, relief: Relief | None) -> ModelCard:
        job, calibration = self._job, self._job.calibration
        summary = None
        if self._kind.precision.has_ranges and calibration is not None:
            summary = calibration.summary()
        card = exported_card(
            job.checkpoint, job.checkpoint_sha256, self._kind, job.size_px, summary
        )
        if relief is None:
            return card
        layers = [each.layer for each in relief.layers]
        origin = {**card.provenance["export"], "float_layers": layers}
        return replace(card, provenance={**card.provenance, "export": origin})

    def _write(self, model: bytes, card: ModelCard) -> None:
        write_artefact(self._path, with_card(self._kind.format, model, card), card)
