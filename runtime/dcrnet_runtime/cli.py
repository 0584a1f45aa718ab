"""``dcrnet-run``: expressions of the faces in photos, videos, streams and cameras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.source import Frame, Source

app = command_app()

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
        str | None, typer.Option(help="Camera number, image, folder, video file or URL.")
    ] = None,
    camera: Annotated[int | None, typer.Option(min=0, max=999, help="Camera number.")] = None,
    demo: Annotated[bool, typer.Option(help="Run on the demo extra's portrait.")] = False,
    model: Annotated[
        Path | None, typer.Option(help="Exported ONNX or TFLite model; default: the shipped one.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Draw the answers into a file (photo, video) or folder (of photos)."),
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    finder: Annotated[
        str, typer.Option(help="Who finds faces: auto, litert, mediapipe or cascade.")
    ] = "auto",
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
    fetch_landmarks: Annotated[
        bool, typer.Option(help="Download MediaPipe's bundle into the cache and check it.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of the model.")] = 1,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test", help="Check that this machine computes the model as it was exported."
        ),
    ] = False,
    version: VersionOption = False,
) -> None:
    """Print the expression of every face as JSON Lines."""
    if fetch_landmarks:
        from dcrnet_runtime.assets import fetch_task

        note(f"Face landmark networks: {fetch_task()}")
        if source is None and camera is None and not demo:
            return
    if self_test:
        _self_test(model, threads)
        return
    address = _one_source(source, camera, demo)
    recognizer = _recognizer(model, finder, landmarks, threads)
    note(_NOTICE)
    if address is None:
        _run_demo(recognizer, save)
        return
    from dcrnet_runtime.source import Source

    parsed = Source.parse(address)
    if save is not None and save.resolve() == Path(address).resolve():
        raise DcrnetError(f"--save {save} would overwrite the source: name another place")
    if parsed.is_still:
        _run_photos(recognizer, parsed, save, frames)
    else:
        _run_video(recognizer, parsed, save, frames)


def _self_test(path: Path | None, threads: int) -> None:
    """Print the result as one line of JSON.

    Raises:
        DcrnetError: this machine gives other answers than the exporter recorded.
    """
    import json

    from dcrnet_runtime.backends import load_model
    from dcrnet_runtime.golden import self_test
    from dcrnet_runtime.shipped import shipped_model

    path = path or shipped_model()
    test = self_test(load_model(path, threads=threads))
    typer.echo(json.dumps({"model": path.name, **test.to_json()}))
    if not test.passed:
        raise DcrnetError(
            f"this machine computes {path.name} wrongly: its answer to the golden input"
            f" {test.worst!r} is {test.largest:.2f} off, {test.tolerance:.2g} is allowed. Use a"
            " float model, or another version of the back end"
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


def _recognizer(
    model: Path | None, finder: str, landmarks: Path | None, threads: int
) -> Recognizer:
    import logging

    from dcrnet_runtime.backends import load_model
    from dcrnet_runtime.environment import cv2_conflict
    from dcrnet_runtime.finders import FinderKind, open_finder
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.shipped import shipped_model

    logging.basicConfig(format="%(levelname)s: %(message)s")
    conflict = cv2_conflict()
    if conflict:
        note(f"warning: {conflict}")
    try:
        kind = FinderKind(finder)
    except ValueError as error:
        raise DcrnetError(
            f"--finder {finder} is unknown: choose {', '.join(FinderKind)}"
        ) from error
    loaded = load_model(model or shipped_model(), threads=threads)
    opened = open_finder(kind, landmarks)
    if kind is FinderKind.AUTO and not opened.landmarks_sha256:
        note(_BETTER)
    return Recognizer(loaded, opened)


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
        is_folder = source.kind is SourceKind.FOLDER
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


def _run_video(
    recognizer: Recognizer, source: Source, save: Path | None, limit: int | None
) -> None:
    from contextlib import ExitStack, closing
    from itertools import islice

    from dcrnet_runtime.outfile import written_beside
    from dcrnet_runtime.output import VIDEO_SUFFIXES, VideoWriter, draw, to_json_line
    from dcrnet_runtime.source import video_fps, video_frames

    if save is not None and save.suffix.lower() not in VIDEO_SUFFIXES:
        raise DcrnetError(
            f"--save {save} names no video: end it in {', '.join(sorted(VIDEO_SUFFIXES))}"
        )
    with ExitStack() as stack:
        frames = stack.enter_context(closing(video_frames(source)))
        writer = None
        if save is not None:
            beside = stack.enter_context(written_beside(save))
            writer = stack.enter_context(closing(VideoWriter(beside, video_fps(source))))
        try:
            for frame in islice(frames, limit):
                recognitions = recognizer.recognize(frame.rgb)
                typer.echo(to_json_line(frame, recognitions))
                if writer is not None:
                    writer.write(draw(frame.rgb, recognitions))
        except KeyboardInterrupt:
            note("Stopped.")
