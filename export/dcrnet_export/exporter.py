"""A checkpoint to checked artifacts in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dcrnet_export.artifacts.artifact import (
    REJECTED_SUFFIX,
    ArtifactKind,
    build_model,
    exported_card,
    move_artifact,
    with_card,
    write_artifact,
)
from dcrnet_export.checks.checks import Findings, check, host_problem
from dcrnet_export.ir.graph import Graph
from dcrnet_export.ir.lowering import lower
from dcrnet_export.job import ExportJob
from dcrnet_export.mixed_precision_search import MixedPrecision, mixed_precision_trials
from dcrnet_export.progress import Steps
from dcrnet_runtime.backends.card import ModelCard


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """What became of one artifact.

    Attributes:
        kind: what was asked for.
        path: where it is; its name ends in ``.rejected`` if it must not be used; None if the
            file could not be made.
        findings: what the checks found.
        mixed_precision: layers that stay in float, if int8 missed its tolerance with them.
        remark: what to know of a good file; empty if nothing.
    """

    kind: ArtifactKind
    path: Path | None
    findings: Findings
    mixed_precision: MixedPrecision | None = None
    remark: str = ""

    @property
    def problem(self) -> str | None:
        """Why it was rejected or could not be made; None for a good one."""
        return self.findings.problem

    def remarks(self) -> list[str]:
        """What there is to say beside the figures, a line each."""
        mixed_precision = [] if self.mixed_precision is None else [self.mixed_precision.describe()]
        rejected = "" if self.problem is None else f"rejected: {self.problem}"
        return [line for line in (rejected, *mixed_precision, self.remark) if line]


def export(
    job: ExportJob, kinds: Sequence[ArtifactKind], folder: Path, step: Steps
) -> Iterator[ExportedFile]:
    """Write and check one artifact after the other; a failing one does not stop the rest.

    Yields:
        the outcome of each, in order.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    ranges = job.checkpoint.ranges.get(job.size_px)  # float kernels are rounded better with them
    if job.calibration is not None:
        ranges = job.calibration.ranges
    graph = lower(job.checkpoint.network, job.size_px, ranges)
    for kind in kinds:
        draft = _Draft(job, kind, folder, step)
        exported = draft.tried(graph)
        if exported.problem and exported.findings.parity and kind.precision.has_ranges:
            exported = draft.with_mixed_precision(graph, exported)
        yield draft.named(exported)


class _Draft:
    """One artifact until it has passed: it bears the name of a rejected one."""

    def __init__(self, job: ExportJob, kind: ArtifactKind, folder: Path, step: Steps) -> None:
        self._job, self._kind, self._step = job, kind, step
        self._name = kind.file_name(job.size_px)
        self._path = folder / (self._name + REJECTED_SUFFIX)

    def tried(self, graph: Graph, mixed_precision: MixedPrecision | None = None) -> ExportedFile:
        """Write the graph, check it, and write it again with what was measured."""
        card = self._card(mixed_precision)
        try:
            with self._step("build", self._name):
                model = build_model(self._kind, graph)
        except Exception as error:  # each format's library has its own exceptions
            return ExportedFile(
                self._kind, None, Findings(f"{type(error).__name__}: {error}"), mixed_precision
            )
        self._write(model, card)
        references = self._job.references
        findings = check(self._path, self._kind, graph, references, self._step)
        metrics = {**card.metrics, **findings.compute_metrics(references.faces)}
        self._write(model, replace(card, metrics=metrics))
        problem = None if findings.problem else host_problem(self._path)
        if problem is not None and self._kind.target is None:
            findings = replace(findings, problem=problem)
        elif problem is not None:
            remark = f"{problem}; check on the target with dcrnet-run --self-test"
            return ExportedFile(self._kind, self._path, findings, mixed_precision, remark)
        return ExportedFile(self._kind, self._path, findings, mixed_precision)

    def with_mixed_precision(self, graph: Graph, failed: ExportedFile) -> ExportedFile:
        """Keep ever more layers in float until the file passes its checks."""
        tried = failed
        for mixed_precision, mixed in self._trials(graph):
            tried = self.tried(mixed, mixed_precision)
            if tried.problem is None:
                return tried
        if tried.mixed_precision is None:
            return failed
        names = ", ".join(each.layer for each in tried.mixed_precision.layers)
        problem = f"{failed.problem}; still so with {names} in float: {tried.problem}"
        return replace(tried, findings=replace(tried.findings, problem=problem))

    def named(self, exported: ExportedFile) -> ExportedFile:
        """The artifact under its own name, if it has passed."""
        if exported.problem is not None or exported.path is None:
            return exported
        return replace(exported, path=move_artifact(exported.path, self._name))

    def _trials(self, graph: Graph) -> Iterator[tuple[MixedPrecision, Graph]]:
        """With the time that each search takes."""
        search = mixed_precision_trials(graph, self._kind, self._card(None), self._job.references)
        while True:
            with self._step("accuracy control", self._name):
                found = next(search, None)
            if found is None:
                return
            yield found

    def _card(self, mixed_precision: MixedPrecision | None) -> ModelCard:
        job, calibration = self._job, self._job.calibration
        summary = None
        if self._kind.precision.has_ranges and calibration is not None:
            summary = calibration.summary()
        card = exported_card(
            job.checkpoint, job.checkpoint_sha256, self._kind, job.size_px, summary
        )
        if mixed_precision is None:
            return card
        layers = [each.layer for each in mixed_precision.layers]
        origin = {**card.provenance["export"], "float_layers": layers}
        return replace(card, provenance={**card.provenance, "export": origin})

    def _write(self, model: bytes, card: ModelCard) -> None:
        write_artifact(self._path, with_card(self._kind.format, model, card), card)
