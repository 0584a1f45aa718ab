"""``dcrnet-run`` on photos and recordings: every file in turn, by any number of processes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dcrnet_runtime.archive.engine import Engine
from dcrnet_runtime.archive.failed_list import SUFFIX as FAILED_SUFFIX
from dcrnet_runtime.archive.failed_list import FailedList
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.journal import SUFFIX as JOURNAL_SUFFIX
from dcrnet_runtime.archive.journal import Done, Journal
from dcrnet_runtime.archive.part import Part
from dcrnet_runtime.archive.tally import Tally
from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, complain, note
from dcrnet_runtime.cli.running.bar import ADVICE, run_bar
from dcrnet_runtime.cli.running.published import published
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.publisher import Publisher
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.files.inputs import Inputs

if TYPE_CHECKING:
    from dcrnet_runtime.cli.progress import ShowsProgress

_MOST_TOLD = 20  # unreadable files that are named on standard error where a list names them all


def run_files(
    inputs: Inputs,
    engine: Engine,
    plan: OutputPlan,
    *,
    limit: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Every photo gets its line, every frame of a recording too; an unreadable file is named.

    Args:
        inputs: the files.
        engine: who answers them.
        plan: the outputs.
        limit: frames after which it ends, photos among them; None for no limit.
        settings: what answers depend on, where outputs are to be gone on with; else None.

    Raises:
        typer.Exit: a file could not be read, or there was no face in any.
    """
    if inputs.skipped:
        note(f"Left out: {inputs.skipped}.")
    items = [
        Item(path, name, inputs.unreadable.get(path, ""))
        for path, name in zip(inputs.paths, inputs.names, strict=True)
    ]
    with _progress(items, plan, settings) as progress:
        tally = progress.tally
        tally.workers = engine.workers
        with published(plan, progress.positions) as (publisher, wants_stop):
            run = _Run(progress, publisher, limit, run_bar("files", plan))
            parts = engine.parts(progress.items, lambda: wants_stop() or run.is_full)
            run.take(parts, wants_stop)
            is_stopped = wants_stop()
        progress.settle(publisher)
        if tally.total != 1:
            note(str(tally))
    if is_stopped:
        return
    if tally.faces == 0 and (tally.frames or tally.before):
        complain(f"no face was found in {inputs.called}: {ADVICE}")
    is_faceless = tally.faces == 0 and inputs.feed is not Feed.RECORDING and bool(items)
    if tally.failed or tally.broken or is_faceless:
        raise typer.Exit(EXIT_BAD_INPUT)


@dataclass(slots=True)
class _Progress:
    """What is left to do, and where it is noted what is done.

    Attributes:
        items: that are left.
        tally: of all.
        positions: where the outputs go on; None where they are replaced.
        journal: of what is done, where they are gone on with.
        failed: the list of what could not be read, where an output has a file.
    """

    items: Sequence[Item]
    tally: Tally
    positions: Mapping[str, int] | None = None
    journal: Journal | None = None
    failed: FailedList | None = None

    def leave_out_done(self, journal: Journal) -> None:
        """Leave out what the outputs hold, and name what of that had not been whole.

        Raises:
            DcrnetError: they hold the answers of what a file was before.
        """
        self.positions = journal.positions
        done = {item.key: item for item in self.items if journal.holds(item)}
        left = [item for item in self.items if item.key not in done]
        self.items = [_renamed(item, journal.names) for item in left]
        self.tally.held(journal.done[key] for key in done)
        self.tally.photos = sum(d.is_photo and d.frames > 0 for d in journal.done.values())
        for key, item in done.items():
            if self.failed is not None and (why := journal.done[key].failure):
                self.failed.add(item, why)

    def fail(self, item: Item, why: str) -> None:
        """Name an item that could not be read."""
        if self.failed is not None:
            self.failed.add(item, why)
        told = self.tally.failed + self.tally.broken
        if self.failed is None or told < _MOST_TOLD:
            complain(why)
        elif told == _MOST_TOLD:
            note(f"More files cannot be read; {self.failed.path} lists all of them.")

    def settle(self, publisher: Publisher) -> None:
        """Note what the outputs had held back until they were closed."""
        if self.journal is not None and self.journal.has_pending:
            self.journal.settle(publisher.positions())


@contextmanager
def _progress(
    items: Sequence[Item], plan: OutputPlan, settings: Mapping[str, Any] | None
) -> Generator[_Progress]:
    """What is left of the items.

    Raises:
        DcrnetError: outputs cannot be gone on with, or not so.
    """
    first = _first_file(plan)
    progress = _Progress(items, Tally(len(items)))
    try:
        if settings is not None and first is None:
            raise DcrnetError("`resume` wants a file that can be cut off: name no device or pipe")
        if settings is not None and first is not None:
            progress.journal = _open_journal(first, plan, settings)
        if first is not None:
            progress.failed = FailedList(first.with_name(first.name + FAILED_SUFFIX))
        if progress.journal is not None:
            progress.leave_out_done(progress.journal)
        yield progress
    finally:
        if progress.journal is not None:
            progress.journal.close()
        if progress.failed is not None:
            progress.failed.close()


def _open_journal(first: Path, plan: OutputPlan, settings: Mapping[str, Any]) -> Journal:
    files = {spec.resumes: spec.files(plan.facts)[0][1].name for spec in plan.wanted}
    extents = {spec.resumes: spec.extent() for spec in plan.wanted}
    path = first.with_name(first.name + JOURNAL_SUFFIX)
    return Journal.open(path, {**settings, "outputs": files}, extents)


def _first_file(plan: OutputPlan) -> Path | None:
    """The file whose name those have that say how far it is; None where answers have no file."""
    for spec in plan.wanted:
        if spec.resumes and not spec.standard_output:
            path = spec.files(plan.facts)[0][1]
            return path if path.is_file() or not path.exists() else None
    return None


def _renamed(item: Item, taken: set[str]) -> Item:
    """The item under a name that no other file's answers have."""
    return replace(item, name=item.key.lstrip("/")) if item.name in taken else item


@dataclass(slots=True)
class _Run:
    """Gives answers to the outputs, and notes which items are done."""

    progress: _Progress
    publisher: Publisher
    limit: int | None
    show: ShowsProgress
    _frames: int = field(default=0, init=False)
    _faces: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)

    @property
    def is_full(self) -> bool:
        """Whether no more frames are wanted."""
        return self.limit is not None and self._seen >= self.limit

    def take(self, parts: Generator[Part], wants_stop: Callable[[], bool]) -> None:
        """Publish all answers, until one has had enough of them."""
        try:
            for part in parts:
                for text in part.notes:
                    note(text)
                if part.index >= 0:
                    self._take(part)
                if wants_stop() or self.is_full or self._is_lost:
                    return
        finally:
            parts.close()

    @property
    def _is_lost(self) -> bool:
        """Whether an output ended that was to be gone on with: the others must not go on alone."""
        return self.progress.journal is not None and self.publisher.has_failed

    def _take(self, part: Part) -> None:
        tally, item = self.progress.tally, self.progress.items[part.index]
        left = None if self.limit is None else self.limit - self._seen
        for observation in islice(part.observations, left):
            if part.is_photo:
                frame = replace(observation.frame, index=tally.photos)
                observation = replace(observation, frame=frame)
            self._publish(observation)
        tally.part(part)
        was_cut = left is not None and len(part.observations) > left
        if part.is_last and not was_cut:
            self._finish(item, part)

    def _publish(self, observation: Observation) -> None:
        self.publisher.publish(observation)
        self._seen += 1
        self._frames += 1
        self._faces += len(observation.faces)

    def _finish(self, item: Item, part: Part) -> None:
        progress = self.progress
        if part.failure:
            progress.fail(item, part.failure)
        done = Done(self._frames, self._faces, part.is_photo, part.failure)
        self._frames = self._faces = 0
        progress.tally.item(done)
        if progress.journal is not None and part.fingerprint and (done.frames or not done.failure):
            progress.journal.add(item, part.fingerprint, done, self.publisher.positions())
        self.show(progress.tally.done, progress.tally.total, progress.tally.counts)
