"""``dcrnet-run``: expressions of the faces in photos, videos, streams and cameras."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.console import (
    EXIT_BAD_INPUT,
    VersionOption,
    command_app,
    complain,
    note,
    reported,
)
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.detectors.detector import Detector
    from dcrnet_runtime.outputs import OutputOptions, Publisher
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.stream import StreamOptions
    from dcrnet_runtime.video.kind import Source

app = command_app()

_SOURCE, _FACES, _MODEL, _OUTPUT = "Source", "Faces", "Model", "Output"


@app.command()
@reported(kind="--detector", is_strict="--strict", providers="--provider")
def run(
    source: Annotated[
        str | None,
        typer.Option(
            help="Camera number, image, folder, pattern, video file, URL, or - for JPEG pictures"
            " on standard input.",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    camera: Annotated[
        int | None, typer.Option(min=0, max=999, help="Camera number.", rich_help_panel=_SOURCE)
    ] = None,
    demo: Annotated[
        bool, typer.Option(help="Run on the demo extra's portrait.", rich_help_panel=_SOURCE)
    ] = False,
    frames: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many frames.", rich_help_panel=_SOURCE)
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(min=1, max=32000, help="Ask a camera for it, px.", rich_help_panel=_SOURCE),
    ] = None,
    height: Annotated[
        int | None,
        typer.Option(min=1, max=32000, help="Ask a camera for it, px.", rich_help_panel=_SOURCE),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, max=1000, help="Ask a camera for it.", rich_help_panel=_SOURCE),
    ] = None,
    rotate: Annotated[
        int,
        typer.Option(help="Turn frames clockwise: 0, 90, 180 or 270.", rich_help_panel=_SOURCE),
    ] = 0,
    every_frame: Annotated[
        bool,
        typer.Option(
            "--every-frame",
            help="Drop no frame of a live source; a slow model then raises the delay.",
            rich_help_panel=_SOURCE,
        ),
    ] = False,
    stall_timeout: Annotated[
        float,
        typer.Option(
            min=0,
            max=3600,
            help="Seconds without a frame after which a source is lost; 0: never.",
            rich_help_panel=_SOURCE,
        ),
    ] = 5.0,
    max_reconnects: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Reconnects in a row without a frame before exit code 3; default: no limit.",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            "--detector",
            "--finder",
            help="Who finds faces: auto, litert, mediapipe or cascade.",
            rich_help_panel=_FACES,
        ),
    ] = "auto",
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="A face_landmarker.task bundle to find faces with.", rich_help_panel=_FACES
        ),
    ] = None,
    fetch_landmarks: Annotated[
        bool,
        typer.Option(
            help="Nothing is left to fetch: the networks are in this package.",
            rich_help_panel=_FACES,
        ),
    ] = False,
    max_faces: Annotated[
        int, typer.Option(min=1, max=100, help="At most so many a frame.", rich_help_panel=_FACES)
    ] = 10,
    far: Annotated[
        bool | None,
        typer.Option(
            "--far/--near",
            help="Find faces half as large, at seven times the detector's cost, or not; default:"
            " in photos. The litert detector alone has both.",
            rich_help_panel=_FACES,
        ),
    ] = None,
    smoothing: Annotated[
        float,
        typer.Option(
            min=0,
            max=60,
            help="Time constant of a video's probabilities, in seconds; 0: none.",
            rich_help_panel=_FACES,
        ),
    ] = 0.3,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Exported ONNX or TFLite model; default: the shipped one.", rich_help_panel=_MODEL
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=256, help="Threads of the model.", rich_help_panel=_MODEL)
    ] = 1,
    backend: Annotated[
        str | None,
        typer.Option(
            help="Who runs it: onnxruntime, litert or tflite-runtime; default: by the file.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            help="Accelerator as NAME or NAME:KEY=VALUE,...; an execution provider of ONNX"
            " Runtime's, or a TFLite delegate's library. Repeat it in order of preference.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse to fall back on the CPU.", rich_help_panel=_MODEL),
    ] = False,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Check that this machine computes the model as it was exported.",
            rich_help_panel=_MODEL,
        ),
    ] = False,
    jsonl: Annotated[
        str,
        typer.Option(
            help="Where JSON Lines go, - being standard output.",
            metavar="FILE",
            rich_help_panel=_OUTPUT,
        ),
    ] = "-",
    csv: Annotated[
        Path | None,
        typer.Option(help="One row a face.", metavar="FILE", rich_help_panel=_OUTPUT),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Draw the answers into a file (photo, video) or folder (of photos).",
            metavar="FILE",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Show them in a window.", rich_help_panel=_OUTPUT)
    ] = False,
    mqtt: Annotated[
        str,
        typer.Option(
            help="Broker, such as mqtt://hub.local/kitchen, or mqtts:// for TLS.",
            metavar="URL",
            rich_help_panel=_OUTPUT,
        ),
    ] = "",
    mqtt_discovery: Annotated[
        bool,
        typer.Option(
            "--mqtt-discovery",
            help="Let Home Assistant make sensors of it.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    serve: Annotated[
        str,
        typer.Option(
            help="Live page; on this machine only unless an address is given.",
            metavar="[ADDR:]PORT",
            rich_help_panel=_OUTPUT,
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            help="What the page asks for.", envvar="DCRNET_TOKEN", rich_help_panel=_OUTPUT
        ),
    ] = "",
    blur_faces: Annotated[
        bool,
        typer.Option(
            "--blur-faces",
            help="Make faces unrecognisable in what is saved and served.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    version: VersionOption = False,
) -> None:
    """Print the expression of every face as JSON Lines.

    Exit codes: 0 at the source's end, after --frames, and on SIGINT, SIGTERM or a closed window;
    2 for bad input, also a source that gives no frame at all; 3 for a source that is lost.
    """
    if fetch_landmarks:
        note("The face landmark networks are in this package: there is nothing to fetch.")
        if source is None and camera is None and not demo:
            return
    if self_test:
        _self_test(_model(model, threads, backend, provider or [], strict))
        return
    address = _one_source(source, camera, demo)
    _warn_of_installation()
    from dcrnet_runtime.outputs import Feed, OutputOptions
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.stream import StreamOptions
    from dcrnet_runtime.video.capture import CaptureRequest
    from dcrnet_runtime.video.source import resolve
    from dcrnet_runtime.video.watchdog import RestartPolicy

    parsed = None if address is None else resolve(address)
    loaded = _model(model, threads, backend, provider or [], strict)
    outputs = OutputOptions(
        jsonl=jsonl,
        csv=csv,
        save=save,
        blur_faces=blur_faces,
        window=show,
        mqtt=mqtt,
        mqtt_discovery=mqtt_discovery,
        serve=serve,
        token=token,
        labels=loaded.card.labels,
        feed=Feed.PHOTO if parsed is None else parsed.kind.feed,
        fps=parsed.stated_fps() if parsed is not None and save is not None else 0.0,
        inputs=() if parsed is None else parsed.files(),
    )
    outputs.check()
    is_far = far if far is not None else parsed is not None and parsed.is_still
    recognizer = Recognizer(loaded, _detector(detector, landmarks, max_faces, is_far))
    note(outputs.notice())
    if parsed is None:
        _run_demo(recognizer, outputs)
    elif parsed.is_still:
        _run_photos(recognizer, parsed, outputs, frames)
    else:
        options = StreamOptions(
            request=CaptureRequest(width, height, fps, rotate),
            keeps_every=every_frame,
            smoothing_s=smoothing,
            stall_s=stall_timeout,
            restarts=RestartPolicy(max_reconnects=max_reconnects),
        )
        _run_live(recognizer, parsed, options, outputs, frames)


def _self_test(model: Model) -> None:
    """Print the result as one line of JSON.

    Raises:
        DcrnetError: this machine gives other answers than the exporter recorded.
    """
    import json

    from dcrnet_runtime.backends.golden import self_test

    test = self_test(model)
    origin = {"model_sha256": model.sha256, "runs_on": model.runs_on}
    typer.echo(json.dumps({**test.to_json(), **origin}))
    if not test.passed:
        raise DcrnetError(
            f"{model.runs_on} computes this model wrongly: its answer to the golden input"
            f" {test.worst!r} is {test.largest:.2f} off, {test.tolerance:.2g} is allowed. Use"
            " another --backend, or a float model"
        )


def _one_source(source: str | None, camera: int | None, demo: bool) -> str | None:
    """The address, or None for the demo."""
    given = [source is not None, camera is not None, demo]
    if sum(given) != 1:
        raise DcrnetError(
            "name one source: --source FILE|FOLDER|URL, --camera 0, or --demo"
            if not any(given)
            else "--source, --camera and --demo exclude each other: name one"
        )
    return source if camera is None else str(camera)


def _model(
    path: Path | None, threads: int, backend: str | None, providers: list[str], is_strict: bool
) -> Model:
    from dcrnet_runtime.backends.loading import load_model
    from dcrnet_runtime.backends.provider import Provider
    from dcrnet_runtime.models import shipped_model

    return load_model(
        path or shipped_model(),
        threads=threads,
        backend=backend,
        providers=[Provider.parse(text) for text in providers],
        is_strict=is_strict,
    )


def _detector(kind: str, landmarks: Path | None, max_faces: int, is_far: bool) -> Detector:
    from dcrnet_runtime.detectors.detector import open_detector

    return open_detector(kind, landmarks, max_faces=max_faces, far=is_far)


def _warn_of_installation() -> None:
    import logging

    from dcrnet_runtime.cli.environment import cv2_conflict

    logging.basicConfig(format="%(levelname)s: %(message)s")
    conflict = cv2_conflict()
    if conflict:
        note(f"warning: {conflict}")


def _run_demo(recognizer: Recognizer, outputs: OutputOptions) -> None:
    from dcrnet_runtime.observation import Observation
    from dcrnet_runtime.video.frame import Frame

    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise DcrnetError(
            "--demo needs the portrait of the demo extra: pip install 'dcrnet-edge[demo]'"
        ) from error
    frame = Frame(astronaut(), 0, 0.0, "demo portrait")
    with _published(outputs) as (publisher, _):
        publisher.publish(Observation.of_still(frame, recognizer.recognize(frame.rgb)))


def _run_photos(
    recognizer: Recognizer, source: Source, outputs: OutputOptions, limit: int | None
) -> None:
    """Every photo gets its line; an unreadable one is named and the others go on."""
    from dcrnet_runtime.observation import Observation
    from dcrnet_runtime.video.frame import Frame
    from dcrnet_runtime.video.images import read_image

    failed, faces = 0, 0
    paths = outputs.inputs[:limit]
    with _published(outputs) as (publisher, wants_stop):
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
    if faces == 0 and failed < len(paths):
        complain(
            f"no face was found in {source.address}: the face must be upright and at least a"
            " twentieth of the picture"
        )
    if failed or faces == 0:
        raise typer.Exit(EXIT_BAD_INPUT)


def _run_live(
    recognizer: Recognizer,
    source: Source,
    options: StreamOptions,
    outputs: OutputOptions,
    limit: int | None,
) -> None:
    from itertools import islice

    from dcrnet_runtime.cli.notify import Notifier
    from dcrnet_runtime.stream import Stream

    notifier = Notifier()
    facts = None
    with _published(outputs) as (publisher, wants_stop):

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
            notifier.stopping()


@contextmanager
def _published(outputs: OutputOptions) -> Generator[tuple[Publisher, Callable[[], bool]]]:
    """The outputs, and whether one of them, SIGINT or SIGTERM wants the run stopped.

    They are finished at the end, which a signal hurries; a second one ends the run at once.
    """
    from contextlib import suppress
    from threading import Event

    from dcrnet_runtime.outputs import open_publisher

    stopping = Event()

    def stop(number: int, _: object) -> None:
        note("Stopping.")
        stopping.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        publisher = open_publisher(outputs, stopping.is_set)
        try:
            yield publisher, lambda: stopping.is_set() or publisher.wants_stop
        except BaseException:
            with suppress(DcrnetError):  # named when it occurred; the loop's own end counts more
                publisher.close()
            raise
        publisher.close()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
