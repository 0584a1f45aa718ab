"""The three ways in which ``dcrnet-run`` goes through its frames."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice

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
from dcrnet_runtime.video.frame import Frame
from dcrnet_runtime.video.images import read_image
from dcrnet_runtime.video.kind import Source

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


def run_photos(
    recognizer: Recognizer, source: Source, plan: OutputPlan, limit: int | None
) -> None:
    """Every photo gets its line; an unreadable one is named and the others go on."""
    failed, faces = 0, 0
    paths = plan.facts.inputs[:limit]
    show = _bar("photos", plan)
    with published(plan) as (publisher, wants_stop):
        for index, path in enumerate(paths):
            if wants_stop():
                return
            try:
                frame = Frame(read_image(path), index, 0.0, path.name)
            except DcrnetError as error:
                complain(str(error))
                failed += 1
                continue
            recognitions = recognizer.recognize(frame.rgb)
            publisher.publish(Observation.of_still(frame, recognitions))
            faces += len(recognitions)
            show(index + 1, len(paths))
    if faces == 0 and failed < len(paths):
        complain(f"no face was found in {source.address}: {_ADVICE}")
    if failed or faces == 0:
        raise typer.Exit(EXIT_BAD_INPUT)


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
