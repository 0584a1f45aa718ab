"""``dcrnet-run --engine ray``: photos that the machines of a cluster answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import typer

from dcrnet_runtime.archive.answering import ReadOptions
from dcrnet_runtime.archive.cluster.cluster import Cluster, cluster_workers
from dcrnet_runtime.archive.cluster.part_file import Failed, PartCounts, PartDone
from dcrnet_runtime.archive.cluster.part_worker import PartWork
from dcrnet_runtime.archive.cluster.parts_folder import PartsFolder
from dcrnet_runtime.archive.cluster.photo_list import PhotoList, PhotoPart
from dcrnet_runtime.archive.cluster.ray_cluster import ray_cluster
from dcrnet_runtime.archive.part import Part, Step, Usage
from dcrnet_runtime.archive.tally import Tally
from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, complain, note
from dcrnet_runtime.cli.running.archive_options import ArchiveOptions, answer_settings
from dcrnet_runtime.cli.running.bar import ADVICE, run_bar
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.tables.parts_spec import PartsSpec

if TYPE_CHECKING:
    from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
    from dcrnet_runtime.cli.progress import ShowsProgress
    from dcrnet_runtime.stream import StreamOptions

_MOST_TOLD = 20  # unreadable photos that are named on standard error where a list names them all


def check_clustered(plan: OutputPlan, limit: int | None) -> None:
    """Refuse what no cluster does.

    Raises:
        DcrnetError: an output is not written by workers, none is named that is, or a number of
            frames is given.
    """
    for spec in plan.wanted:
        if not isinstance(spec, PartsSpec) and not spec.yields:
            raise DcrnetError(
                f"`{fields(spec)[0].name}` is not written by `engine` ray: give `parts` DIR, or"
                " leave one of them out"
            )
    if not any(isinstance(spec, PartsSpec) for spec in plan.wanted):
        raise DcrnetError("`engine` ray writes Parquet parts: give `parts` DIR or s3://BUCKET/KEY")
    if limit is not None:
        raise DcrnetError("`frames` does nothing with `engine` ray: leave it out")


def run_clustered(
    photos: PhotoList,
    archive: ArchiveOptions,
    spec: RecognizerSpec,
    stream: StreamOptions,
    plan: OutputPlan,
) -> None:
    """Every photo's faces have their rows in a part; an unreadable photo is named.

    Args:
        photos: to be answered.
        archive: by how many workers, and where.
        spec: how they open the recognizer.
        stream: how pictures are turned.
        plan: the outputs, of which parts alone are written.

    Raises:
        DcrnetError: no cluster answers, or parts are there that cannot be gone on with.
        typer.Exit: a photo could not be read, or there was no face in any.
    """
    assert plan.model is not None
    address = next(s.parts for s in plan.wanted if isinstance(s, PartsSpec) and s.parts)
    folder = PartsFolder(address)
    options = ReadOptions(stream) if not spec.min_face_px else ReadOptions(stream, enough_px=None)
    settings = answer_settings(spec, plan.model, options)
    if photos.skipped:
        note(f"Left out: {photos.skipped}.")
    with ray_cluster(archive.ray_address) as cluster:
        workers = cluster_workers(archive.workers, cluster.cpus)
        parts = folder.begin(photos, workers, settings, resumes=archive.resume)
        note(plan.notice())
        tally = Tally(len(photos.photos), min(workers, len(parts)))
        work = PartWork(spec, options, plan.facts, folder.address)
        run = _Run(tally, run_bar("files", plan))
        is_whole = run.go(cluster, work, parts, folder.done(parts))
    listed = folder.end(run.failed)
    if len(run.failed) > _MOST_TOLD:
        note(f"More photos cannot be read; {listed} lists all of them.")
    note(str(tally))
    if not is_whole:
        return
    if tally.faces == 0 and tally.frames:
        complain(f"no face was found in {tally.total} files: {ADVICE}")
    if tally.failed or tally.faces == 0:
        raise typer.Exit(EXIT_BAD_INPUT)


@dataclass(slots=True)
class _Run:
    """Counts what workers say."""

    tally: Tally
    show: ShowsProgress
    failed: list[Failed] = field(default_factory=list)

    def go(
        self,
        cluster: Cluster,
        work: PartWork,
        parts: Sequence[PhotoPart],
        before: dict[int, PartCounts],
    ) -> bool:
        """Have all parts answered that are not there.

        Returns:
            False where Ctrl-C ended it.

        Raises:
            DcrnetError: no worker can answer, or the cluster is lost.
        """
        for counts in before.values():
            self.tally.before += counts.photos
            self._count(counts)
        left = [part for part in parts if part.number not in before]
        if not left:
            return True
        answers = cluster.done(work, left, self.tally.workers)
        try:
            for done in answers:
                self._take(done)
        except KeyboardInterrupt:
            note("Stopping. With --resume the same command goes on.")
            return False
        finally:
            answers.close()
        return True

    def _take(self, done: PartDone) -> None:
        if done.refusal:
            raise DcrnetError(done.refusal)
        for text in done.notes:
            note(text)
        counts, tally = done.counts, self.tally
        for each in counts.failed:
            if len(self.failed) < _MOST_TOLD:
                complain(each.reason)
            self.failed.append(each)
        self._count(counts)
        tally.frames += counts.with_faces + counts.without
        seconds = {Step(name): taken for name, taken in done.seconds.items()}
        usage = Usage(done.worker, done.cpu_s, done.peak_bytes)
        tally.part(Part(-1, seconds=seconds, usage=usage))
        self.show(tally.done, tally.total, tally.counts)

    def _count(self, counts: PartCounts) -> None:
        self.tally.with_faces += counts.with_faces
        self.tally.without += counts.without
        self.tally.failed += len(counts.failed)
        self.tally.faces += counts.faces
