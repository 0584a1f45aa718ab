"""The three ways in which ``dcrnet-run`` goes through its frames."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import typer

from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, complain, note
from dcrnet_runtime.cli.running.notify import Notifier
from dcrnet_runtime.cli.running.published import published
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.files.inputs import Inputs
from dcrnet_runtime.video.frame import Frame
from dcrnet_runtime.video.images import read_photo
from dcrnet_runtime.video.kind import Source
from dcrnet_runtime.video.rotation import turned
from dcrnet_runtime.video.source import resolve

_SHORT_S = 1.0  # what takes no longer needs no bar
_ADVICE = "the face must be upright and at least a twentieth of the picture"


def run_demo(recognizer: Recognizer, plan: OutputPlan) -> None:
    """The demo extra's portrait, as one photo.

    Raises:
        DcrnetError: the extra is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise DcrnetError(
            f"--demo needs the portrait of the demo extra: {extra_command('demo')}"
        ) from error
    frame = Frame(astronaut(), 0, 0.0, "demo portrait")
    with published(plan) as (publisher, _):
        publisher.publish(Observation.of_still(frame, recognizer.recognize(frame.rgb)))


def run_files(
    recognizer: Recognizer,
    inputs: Inputs,
    options: StreamOptions,
    plan: OutputPlan,
    limit: int | None,
) -> None:
    """Every photo gets its line, every frame of a recording too; an unreadable one is named."""
    if inputs.skipped:
        note(f"Left out: {inputs.skipped}.")
    tally = _Tally(limit)
    show = _bar("files", plan)
    with published(plan) as (publisher, wants_stop):
        for number, (path, name) in enumerate(zip(inputs.paths, inputs.names, strict=True)):
            if wants_stop():
                return
            if tally.is_full:
                break
            try:
                source = replace(resolve(str(path.absolute())), label=name)
                if source.kind.open is None:
                    seen = iter([_photo(recognizer, path, name, tally.photos, options)])
                    tally.photos += 1
                else:
                    seen = _recording(recognizer, source, options, wants_stop)
                for observation in islice(seen, tally.left):
                    publisher.publish(observation)
                    tally.count(observation)
            except DcrnetError as error:
                complain(str(error))
                tally.failed += 1
            show(number + 1, len(inputs.paths))
    if tally.faces == 0 and tally.frames:
        complain(f"no face was found in {inputs.called}: {_ADVICE}")
    if tally.failed or tally.faces == 0:
        raise typer.Exit(EXIT_BAD_INPUT)


@dataclass(slots=True)
class _Tally:
    """What has been seen so far.

    Attributes:
        limit: of frames, photos among them; None for no limit.
    """

    limit: int | None
    frames: int = 0
    faces: int = 0
    photos: int = 0
    failed: int = 0

    @property
    def left(self) -> int | None:
        """Frames that may still be seen."""
        return None if self.limit is None else self.limit - self.frames

    @property
    def is_full(self) -> bool:
        """Whether no more may be seen."""
        return self.left == 0

    def count(self, observation: Observation) -> None:
        """Add an observation."""
        self.frames += 1
        self.faces += len(observation.faces)


def _photo(
    recognizer: Recognizer, path: Path, name: str, index: int, options: StreamOptions
) -> Observation:
    """A photo's answers.

    Raises:
        DcrnetError: it cannot be decoded.
    """
    photo = read_photo(path)
    if photo.scale > 1:
        note(f"{name} is large and was read at 1/{photo.scale} of its size.")
    rgb = turned(photo.rgb, options.request.rotation_deg)
    frame = Frame(rgb, index, 0.0, name, photo.scale)
    return Observation.of_still(frame, recognizer.recognize(rgb))


def _recording(
    recognizer: Recognizer, source: Source, options: StreamOptions, wants_stop: Callable[[], bool]
) -> Generator[Observation]:
    with Stream(recognizer, source, options, wants_stop=wants_stop) as stream:
        yield from stream


def run_live(
    recognizer: Recognizer,
    source: Source,
    options: StreamOptions,
    plan: OutputPlan,
    limit: int | None,
) -> None:
    """A video, a camera or a stream, until it ends, a signal comes or an output has had enough."""
    notifier = Notifier()
    facts, faces, frames = None, 0, 0
    show = _bar("frames", plan)
    with published(plan) as (publisher, wants_stop):

        def turn() -> bool:
            notifier.beat()
            return wants_stop()

        failures = publisher.failures
        with Stream(recognizer, source, options, wants_stop=turn, failures=failures) as stream:
            for observation in islice(stream, limit):
                if stream.facts != facts:
                    facts = stream.facts
                    note(str(facts))
                    notifier.ready(str(facts))
                publisher.publish(observation)
                frames += 1
                faces += len(observation.faces)
                stated = 0 if facts is None else facts.frame_count
                show(observation.frame.index + 1, min(stated, limit or stated))
            notifier.stopping()
    if frames and not faces:
        note(f"No face was found in {source.name}, in {frames:,} frames: {_ADVICE}.")


def _bar(what: str, plan: OutputPlan) -> Callable[[int, int], None]:
    """A bar for what takes long and ends, unless lines of results are on the same terminal."""
    is_shared = sys.stdout is not None and sys.stdout.isatty() and plan.uses_standard_output
    if plan.facts.is_live or is_shared or not sys.stderr.isatty():
        return lambda done, total: None
    from dcrnet_runtime.cli.progress import progress_bar

    return progress_bar(what, after_s=_SHORT_S)
