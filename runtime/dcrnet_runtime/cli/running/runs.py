"""``dcrnet-run`` on the demo's portrait and on one source that is opened as a stream."""

from __future__ import annotations

from itertools import islice

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.cli.running.bar import ADVICE, run_bar
from dcrnet_runtime.cli.running.notify import Notifier
from dcrnet_runtime.cli.running.published import published
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.frame import Frame
from dcrnet_runtime.video.kind import Source


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


def run_live(
    recognizer: Recognizer,
    source: Source,
    options: StreamOptions,
    plan: OutputPlan,
    limit: int | None,
) -> None:
    """A video, a camera or a stream, until it ends, a signal comes or an output has had enough.

    Raises:
        DcrnetError: it gave no frame, is lost, or is a file that is cut off.
    """
    notifier = Notifier()
    facts, faces, frames = None, 0, 0
    show = run_bar("frames", plan)
    with published(plan) as (publisher, wants_stop):

        def turn() -> bool:
            notifier.beat()
            return wants_stop()

        with Stream(
            recognizer,
            source,
            options,
            wants_stop=turn,
            failures=publisher.failures,
            wants_whole=True,
        ) as stream:
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
        note(f"No face was found in {source.name}, in {frames:,} frames: {ADVICE}.")
