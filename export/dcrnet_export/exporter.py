"""A checkpoint to checked artifacts in a folder.

The way goes in one direction: checkpoint, graph, passes, bytes, checks in memory, file. Nothing
is read again, and each file is written once, under the name that the checks gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dcrnet_export.artifacts.files import rejected, write_artifact
from dcrnet_export.artifacts.kind import ArtifactKind, build_model
from dcrnet_export.artifacts.origin import exported_card
from dcrnet_export.checks.examination import examine, loaded
from dcrnet_export.checks.findings import Findings
from dcrnet_export.checks.golden import host_problem
from dcrnet_export.ir.features import with_features
from dcrnet_export.ir.graph import Graph
from dcrnet_export.job import ExportJob
from dcrnet_export.mixed_precision_search import MixedPrecision, mixed_precision_trials
from dcrnet_export.progress import Steps
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.outfile import remove_abandoned


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
        problem = "" if self.problem is None else f"rejected: {self.problem}"
        return [line for line in (problem, *mixed_precision, self.remark) if line]


def export(
    job: ExportJob, kinds: Sequence[ArtifactKind], folder: Path, step: Steps | None = None
) -> Iterator[ExportedFile]:
    """Write and check one artifact after the other; a failing one does not stop the rest.

    What an export that was killed had begun to write in the folder is removed.

    Args:
        job: what is exported, from :func:`dcrnet_export.job.prepare_job`.
        kinds: what to write.
        folder: where to.
        step: times what is done.

    Yields:
        the outcome of each, in order.

    Raises:
        DcrnetError: the network computes what an exported file cannot, or the folder cannot be
            written.
    """
    plain = job.graph()
    remove_abandoned(folder)
    for kind in kinds:
        graph = with_features(plain) if kind.features else plain
        maker = _Maker(job, kind, step or Steps(), graph.feature_count)
        made = maker.tried(graph)
        if made.findings.problem and made.findings.parity and kind.precision.has_ranges:
            made = maker.with_mixed_precision(graph, made)
        yield _written(maker.finished(made), kind, folder / job.file_name(kind))


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """An artifact before it is on disk.

    Attributes:
        content: its bytes, without a card until it is finished; None if it could not be made.
        card: goes into it.
        findings: what the checks found.
        mixed_precision: layers in float.
        remark: what to know of it.
    """

    content: bytes | None
    card: ModelCard
    findings: Findings
    mixed_precision: MixedPrecision | None = None
    remark: str = ""


def _written(made: _Made, kind: ArtifactKind, path: Path) -> ExportedFile:
    place = None
    if made.content is not None:
        place = path if made.findings.problem is None else rejected(path)
        write_artifact(place, made.content, made.card)
    return ExportedFile(kind, place, made.findings, made.mixed_precision, made.remark)


class _Maker:
    """Makes one artifact, in memory."""

    def __init__(
        self, job: ExportJob, kind: ArtifactKind, step: Steps, feature_count: int
    ) -> None:
        self._job, self._kind, self._step = job, kind, step
        self._feature_count = feature_count
        self._name = job.file_name(kind)

    def tried(self, graph: Graph, mixed_precision: MixedPrecision | None = None) -> _Made:
        """The graph's bytes, examined."""
        card = self._card(mixed_precision)
        try:
            with self._step("build", self._name):
                content = build_model(self._kind, graph)
        except Exception as error:  # each format's library has its own exceptions
            findings = Findings(f"{type(error).__name__}: {error}")
            return _Made(None, card, findings, mixed_precision)
        described = self._kind.file_format.with_card(content, card)
        findings = examine(
            self._name, described, self._kind, graph, self._job.references, self._step
        )
        return _Made(content, card, findings, mixed_precision)

    def with_mixed_precision(self, graph: Graph, failed: _Made) -> _Made:
        """Keep ever more layers in float until the file passes its checks."""
        tried = failed
        for mixed_precision, mixed in self._trials(graph):
            tried = self.tried(mixed, mixed_precision)
            if tried.findings.problem is None:
                return tried
        if tried.mixed_precision is None:
            return failed
        names = ", ".join(each.layer for each in tried.mixed_precision.layers)
        problem = (
            f"{failed.findings.problem}; still so with {names} in float: {tried.findings.problem}"
        )
        return replace(tried, findings=replace(tried.findings, problem=problem))

    def finished(self, made: _Made) -> _Made:
        """With a card that says what was measured, and held to that on this machine."""
        if made.content is None:
            return made
        source = self._job.references.faces.source
        card = replace(made.card, metrics={**made.card.metrics, **made.findings.metrics(source)})
        content = self._kind.file_format.with_card(made.content, card)
        made = replace(made, content=content, card=card)
        if made.findings.problem is not None:
            return made
        problem = host_problem(loaded(self._name, content))
        if problem is None:
            return made
        if self._kind.target is None:
            return replace(made, findings=replace(made.findings, problem=problem))
        remark = f"{problem}; check on the target with dcrnet-run --self-test"
        return replace(made, remark=remark)

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
        job = self._job
        summary = None
        if self._kind.precision.has_ranges and job.calibration is not None:
            summary = job.calibration.summary()
        layers = [] if mixed_precision is None else [each.layer for each in mixed_precision.layers]
        return exported_card(
            job.checkpoint.card,
            job.checkpoint_sha256,
            self._kind,
            summary,
            layers,
            self._feature_count,
        )
