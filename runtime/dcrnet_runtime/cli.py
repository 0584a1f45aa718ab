"""``dcrnet-run``: expressions of the faces in photos, videos, streams and cameras."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dcrnet_runtime.console import (
    EXIT_BAD_INPUT,
    VersionOption,
    command_app,
    complain,
    note,
    reported,
)
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_runtime.backends import Model
    from dcrnet_runtime.finders import Finder
    from dcrnet_runtime.live.stream import Stream, StreamOptions
    from dcrnet_runtime.observation import Observation
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.source import Frame, Source

app = command_app()
Choice = TypeVar("Choice", bound=StrEnum)

_SOURCE, _FACES, _MODEL, _OUTPUT = "Source", "Faces", "Model", "Output"
_NOTICE = (
    "Estimating facial expressions; nothing is stored or sent beyond the outputs you name."
    " Ctrl-C stops."
)
_BETTER = (
    "No landmark network is installed, so faces are boxed by OpenCV's cascade and not aligned."
    " Better: dcrnet-run --fetch-landmarks, once (3.8 MB)."
)


@app.command()
@reported
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
    finder: Annotated[
        str,
        typer.Option(
            help="Who finds faces: auto, litert, mediapipe or cascade.", rich_help_panel=_FACES
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
            help="Download MediaPipe's bundle into the cache and check it.", rich_help_panel=_FACES
        ),
    ] = False,
    max_faces: Annotated[
        int, typer.Option(min=1, max=100, help="At most so many a frame.", rich_help_panel=_FACES)
    ] = 10,
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
    save: Annotated[
        Path | None,
        typer.Option(
            help="Draw the answers into a file (photo, video) or folder (of photos).",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    version: VersionOption = False,
) -> None:
    """Print the expression of every face as JSON Lines.

    Exit codes: 0 at the source's end, after --frames, and on SIGINT, SIGTERM or a closed window;
    2 for bad input, also a source that gives no frame at all; 3 for a source that is lost.
    """
    if fetch_landmarks:
        from dcrnet_runtime.assets import fetch_task

        note(f"Face landmark networks: {fetch_task()}")
        if source is None and camera is None and not demo:
            return
    if self_test:
        _self_test(_model(model, threads, backend, provider or [], strict))
        return
    address = _one_source(source, camera, demo)
    _warn_of_installation()
    from dcrnet_runtime.recognizer import Recognizer

    recognizer = Recognizer(
        _model(model, threads, backend, provider or [], strict),
        _finder(finder, landmarks, max_faces),
    )
    note(_NOTICE)
    if address is None:
        _run_demo(recognizer, save)
        return
    from dcrnet_runtime.live.capture import CaptureRequest
    from dcrnet_runtime.live.stream import StreamOptions
    from dcrnet_runtime.live.watchdog import RestartPolicy
    from dcrnet_runtime.source import Source

    parsed = Source.parse(address)
    if save is not None and save.resolve() == Path(address).resolve():
        raise DcrnetError(f"--save {save} would overwrite the source: name another place")
    options = StreamOptions(
        request=CaptureRequest(width, height, fps, rotate),
        keeps_every=every_frame,
        smoothing_s=smoothing,
        stall_s=stall_timeout,
        restarts=RestartPolicy(max_reconnects=max_reconnects),
    )
    if parsed.is_still:
        _run_photos(recognizer, parsed, save, frames)
    else:
        _run_live(recognizer, parsed, options, save, frames)


def _self_test(model: Model) -> None:
    """Print the result as one line of JSON.

    Raises:
        DcrnetError: this machine gives other answers than the exporter recorded.
    """
    import json

    from dcrnet_runtime.golden import self_test

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
    from dcrnet_runtime.backends import Backend, load_model
    from dcrnet_runtime.provider import Provider
    from dcrnet_runtime.shipped import shipped_model

    return load_model(
        path or shipped_model(),
        threads=threads,
        backend=None if backend is None else _choice("--backend", Backend, backend),
        providers=[Provider.parse(text) for text in providers],
        is_strict=is_strict,
    )


def _finder(kind: str, landmarks: Path | None, max_faces: int) -> Finder:
    from dcrnet_runtime.finders import FinderKind, open_finder

    chosen = _choice("--finder", FinderKind, kind)
    finder = open_finder(chosen, landmarks, max_faces=max_faces)
    if chosen is FinderKind.AUTO and not finder.landmarks_sha256:
        note(_BETTER)
    return finder


def _choice(option: str, choices: type[Choice], text: str) -> Choice:
    try:
        return choices(text)
    except ValueError as error:
        raise DcrnetError(f"{option} {text} is unknown: choose {', '.join(choices)}") from error


def _warn_of_installation() -> None:
    import logging

    from dcrnet_runtime.environment import cv2_conflict

    logging.basicConfig(format="%(levelname)s: %(message)s")
    conflict = cv2_conflict()
    if conflict:
        note(f"warning: {conflict}")


def _run_demo(recognizer: Recognizer, save: Path | None) -> None:
    from dcrnet_runtime.source import Frame

    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise DcrnetError(
            "--demo needs the portrait of the demo extra: pip install 'dcrnet-edge[demo]'"
        ) from error
    _answer(recognizer, Frame(astronaut(), 0, 0.0, "demo portrait"), save)


def _run_photos(
    recognizer: Recognizer, source: Source, save: Path | None, limit: int | None
) -> None:
    """Every photo gets its line; an unreadable one is named and the others go on."""
    from dcrnet_runtime.source import Frame, SourceKind, photos, read_image

    failed, faces = 0, 0
    paths = photos(source)[:limit]
    for index, path in enumerate(paths):
        try:
            frame = Frame(read_image(path), index, 0.0, path.name)
        except DcrnetError as error:
            complain(str(error))
            failed += 1
            continue
        is_folder = source.kind is not SourceKind.IMAGE
        faces += _answer(recognizer, frame, save / path.name if save and is_folder else save)
    if faces == 0 and failed < len(paths):
        complain(
            f"no face was found in {source.address}: the face must be upright and at least a"
            " twentieth of the picture"
        )
    if failed or faces == 0:
        raise typer.Exit(EXIT_BAD_INPUT)


def _answer(recognizer: Recognizer, frame: Frame, save: Path | None) -> int:
    """Print a photo's line, draw it where asked, and return how many faces it has."""
    from dcrnet_runtime.output import draw, to_json_line, write_image

    recognitions = recognizer.recognize(frame.rgb)
    typer.echo(to_json_line(frame, recognitions))
    if save is not None:
        write_image(save, draw(frame.rgb, recognitions))
    return len(recognitions)


def _run_live(
    recognizer: Recognizer,
    source: Source,
    options: StreamOptions,
    save: Path | None,
    limit: int | None,
) -> None:
    from contextlib import closing
    from itertools import islice

    from dcrnet_runtime.live.stream import Stream

    facts = None
    with (
        closing(_Publisher(save, source)) as publisher,
        Stream(
            recognizer,
            source,
            options,
            wants_stop=lambda: publisher.wants_stop,
            failures=publisher.failures,
        ) as stream,
        _stopped_by_signals(stream),
    ):
        for observation in islice(stream, limit):
            if stream.facts != facts:
                facts = stream.facts
                note(str(facts))
            publisher.publish(observation)


@contextmanager
def _stopped_by_signals(stream: Stream) -> Generator[None]:
    """SIGINT and SIGTERM end the loop behind the present frame; a second one ends it at once."""

    def stop(number: int, _: object) -> None:
        note("Stopping.")
        stream.stop()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Publisher:
    """Prints each observation, and draws it into a video where asked."""

    def __init__(self, save: Path | None, source: Source) -> None:
        from contextlib import ExitStack, closing

        from dcrnet_runtime.outfile import written_beside
        from dcrnet_runtime.output import VIDEO_SUFFIXES, VideoWriter
        from dcrnet_runtime.source import video_fps

        self.failures: dict[str, int] = {}
        self.wants_stop = False
        self._stack = ExitStack()
        self._writer = None
        if save is not None:
            if save.suffix.lower() not in VIDEO_SUFFIXES:
                raise DcrnetError(
                    f"--save {save} names no video: end it in {', '.join(sorted(VIDEO_SUFFIXES))}"
                )
            beside = self._stack.enter_context(written_beside(save))
            writer = VideoWriter(beside, video_fps(source))
            self._writer = self._stack.enter_context(closing(writer))

    def publish(self, observation: Observation) -> None:
        from dcrnet_runtime.output import draw, to_json_line

        recognitions = [face.recognition for face in observation.faces]
        typer.echo(to_json_line(observation.frame, recognitions))
        if self._writer is not None:
            self._writer.write(draw(observation.frame.rgb, recognitions))

    def close(self) -> None:
        self._stack.close()
