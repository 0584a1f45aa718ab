"""The options of ``dcrnet-run`` but its outputs', in the groups of its help."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.address_list import read_addresses
from dcrnet_runtime.cli.console import note
from dcrnet_runtime.deprecation import renamed
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import model_path
from dcrnet_runtime.tracking.mode import TrackMode

if TYPE_CHECKING:
    from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.stream import StreamOptions
    from dcrnet_runtime.video.files.inputs import Inputs

_SOURCE, _FACES, _MODEL = "Source", "Faces", "Model"
SOURCE_NAMES = ("source", "camera", "demo", "from_")
"""Parameters of which one names what is read."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where frames come from, and how they are read."""

    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="The same as --source; of photos, videos, folders and patterns as many as you"
            " like.",
            metavar="SOURCE",
            show_default=False,
        ),
    ] = None
    source: Annotated[
        str | None,
        typer.Option(
            help="Camera number, photo, video, folder, pattern, URL, or - for pictures or video on"
            " standard input.",
            rich_help_panel=_SOURCE,
        ),
    ] = None
    camera: Annotated[
        int | None, typer.Option(min=0, max=999, help="Camera number.", rich_help_panel=_SOURCE)
    ] = None
    demo: Annotated[
        bool, typer.Option(help="Run on the demo extra's portrait.", rich_help_panel=_SOURCE)
    ] = False
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="File with an address or path a line, or - for standard input: keeps passwords"
            " off the command line.",
            metavar="FILE",
            rich_help_panel=_SOURCE,
        ),
    ] = None
    nul: Annotated[
        bool,
        typer.Option(
            "--nul",
            "-0",
            help="What --from reads ends with zero bytes, as find -print0 writes it.",
            rich_help_panel=_SOURCE,
        ),
    ] = False
    frames: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many frames.", rich_help_panel=_SOURCE)
    ] = None
    width: Annotated[
        int | None,
        typer.Option(min=1, max=32000, help="Ask a camera for it, px.", rich_help_panel=_SOURCE),
    ] = None
    height: Annotated[
        int | None,
        typer.Option(min=1, max=32000, help="Ask a camera for it, px.", rich_help_panel=_SOURCE),
    ] = None
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=1000,
            help="Ask a camera for it, and a snapshot address so often; the rate of pictures that"
            " have no times.",
            rich_help_panel=_SOURCE,
        ),
    ] = None
    pixel_format: Annotated[
        str | None,
        typer.Option(
            help="Ask a camera for it, mjpg or yuyv say; of raw video on standard input, yuv420p"
            " say.",
            rich_help_panel=_SOURCE,
        ),
    ] = None
    rotate: Annotated[
        int,
        typer.Option(help="Turn frames clockwise: 0, 90, 180 or 270.", rich_help_panel=_SOURCE),
    ] = 0
    every_frame: Annotated[
        bool,
        typer.Option(
            "--every-frame",
            help="Drop no frame of a live source; a slow model then raises the delay.",
            rich_help_panel=_SOURCE,
        ),
    ] = False
    stall_timeout: Annotated[
        float,
        typer.Option(
            min=0,
            max=3600,
            help="Seconds without a frame after which a source is lost; 0: never.",
            rich_help_panel=_SOURCE,
        ),
    ] = 5.0
    max_reconnects: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Reconnects in a row without a frame before exit code 3; default: no limit.",
            rich_help_panel=_SOURCE,
        ),
    ] = None

    @property
    def is_named(self) -> bool:
        """Whether there is one, or too many."""
        return bool(self._addresses) or any((self.camera is not None, self.demo, self.from_))

    @property
    def _addresses(self) -> list[str]:
        return [*([] if self.source is None else [self.source]), *(self.sources or [])]

    def addresses(self) -> list[str]:
        """What is named, by arguments or in a list; the camera by its number, nothing for the
        demo.

        Raises:
            DcrnetError: nothing is named, or what is named excludes itself.
        """
        addresses = self._addresses
        given = [
            *(bool(addresses), self.camera is not None, self.demo),
            self.from_ is not None,
        ]
        if sum(given) != 1:
            raise DcrnetError(
                "--source, --camera, --demo and --from exclude each other: name one"
                if any(given)
                else "name one source: --source FILE|FOLDER|URL, --camera 0, or --demo; --from"
                " FILE reads its address from a file"
            )
        if self.nul and self.from_ is None:
            raise DcrnetError("-0 is of what --from reads: name it, --from - or --from FILE")
        if self.from_ is not None:
            return read_addresses(self.from_, is_nul_separated=self.nul)
        return addresses if self.camera is None else [str(self.camera)]

    def resolved(self) -> Inputs | None:
        """What is read, or None for the demo.

        Raises:
            DcrnetError: nothing is named, what is named excludes itself or is not there, or an
                option is given that nothing of it heeds.
        """
        from dcrnet_runtime.video.files.inputs import inputs_of, listed_inputs

        addresses = self.addresses()
        if self.demo:
            return None
        if self.from_ is not None and len(addresses) > 1:
            inputs = listed_inputs(addresses)
        else:
            inputs = inputs_of(addresses)
        for name in self._unheeded(inputs):
            note(
                f"warning: --{name.replace('_', '-')} does nothing here: it is not for this source"
            )
        return inputs

    def _unheeded(self, inputs: Inputs) -> list[str]:
        """Which of the options that are given no source of these heeds."""
        from dcrnet_runtime.video.feed import Feed

        kind = "" if inputs.source is None else inputs.source.kind.name
        is_camera, is_stdin = kind == "camera", kind == "stdin"
        is_raw = is_stdin and self.pixel_format is not None
        is_live = inputs.feed is Feed.LIVE
        has_video = inputs.feed not in (Feed.PHOTO, Feed.PHOTOS)
        heeded = {
            "width": is_camera or is_raw,
            "height": is_camera or is_raw,
            "pixel_format": is_camera or is_stdin,
            "fps": is_camera
            or is_stdin
            or inputs.feed is Feed.FILES
            or kind in ("stream", "jpegs"),
            "every_frame": is_live,
            "max_reconnects": is_live,
            "stall_timeout": has_video,
        }
        defaults = {each.name: each.default for each in fields(self)}
        return [
            name
            for name, is_heeded in heeded.items()
            if not is_heeded and getattr(self, name) != defaults[name]
        ]

    def stream_options(self, smoothing_s: float, track: TrackMode) -> StreamOptions:
        """How the live loop reads it and follows faces.

        Raises:
            DcrnetError: it cannot be turned so.
        """
        from dcrnet_runtime.stream import StreamOptions
        from dcrnet_runtime.video.capture import CaptureRequest
        from dcrnet_runtime.video.watchdog import RestartPolicy

        return StreamOptions(
            request=CaptureRequest(
                self.width, self.height, self.fps, self.rotate, self.pixel_format
            ),
            keeps_every=self.every_frame,
            smoothing_s=smoothing_s,
            track=track,
            stall_s=self.stall_timeout,
            restarts=RestartPolicy(max_reconnects=self.max_reconnects),
        )


@dataclass(frozen=True, slots=True)
class ConfigOptions:
    """Where options are, that are not given."""

    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with any of these options, such as max-faces = 3; the command line"
            " overrides it.",
            metavar="FILE",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """Who finds faces, and how they are followed."""

    detector: Annotated[
        str | None,
        typer.Option(
            help="Who finds faces: auto, litert, mediapipe, or cascade, which aligns none, misses"
            " some and sees some that are not there; default: auto.",
            rich_help_panel=_FACES,
        ),
    ] = None
    finder: Annotated[str | None, typer.Option(hidden=True)] = None
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="A face_landmarker.task bundle to find faces with.", rich_help_panel=_FACES
        ),
    ] = None
    fetch_landmarks: Annotated[
        bool,
        typer.Option(
            help="Nothing is left to fetch: the networks are in this package.",
            rich_help_panel=_FACES,
        ),
    ] = False
    max_faces: Annotated[
        int, typer.Option(min=1, max=100, help="At most so many a frame.", rich_help_panel=_FACES)
    ] = 10
    far: Annotated[
        bool | None,
        typer.Option(
            "--far/--near",
            help="Find faces half as large, at seven times the detector's cost, or not; default:"
            " in photos. The litert detector alone has both.",
            rich_help_panel=_FACES,
        ),
    ] = None
    track: Annotated[
        TrackMode,
        typer.Option(
            help="The landmark network looks at a video's known faces in every second frame and"
            " their pixels' motion tells the others (fast), or in every frame (exact).",
            rich_help_panel=_FACES,
        ),
    ] = TrackMode.FAST
    min_detection: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="The detector's confidence below which there is no face, 0 to 1; default: 0.5.",
            rich_help_panel=_FACES,
        ),
    ] = None
    min_face: Annotated[
        float,
        typer.Option(
            min=0,
            max=32000,
            help="Leave out faces whose longer side is shorter, px.",
            metavar="PX",
            rich_help_panel=_FACES,
        ),
    ] = 0.0
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Probability below which a face has no label and is drawn as uncertain, 0 to 1.",
            rich_help_panel=_FACES,
        ),
    ] = 0.0
    smoothing: Annotated[
        float,
        typer.Option(
            min=0,
            max=60,
            help="Time constant of a video's probabilities, in seconds; 0: none.",
            rich_help_panel=_FACES,
        ),
    ] = 0.3

    @property
    def kind(self) -> str:
        """The detector's name.

        Raises:
            DcrnetError: it is named twice.
        """
        if self.finder is not None:
            note(renamed("--finder", "--detector"))
            if self.detector is not None:
                raise DcrnetError("--finder and --detector exclude each other: give --detector")
        return self.detector or self.finder or "auto"


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model, and who runs it."""

    model: Annotated[
        Path | None,
        typer.Option(
            parser=model_path,
            metavar="accurate|fast|FILE",
            help="A shipped model, or an exported ONNX or TFLite file; default: accurate.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    threads: Annotated[
        int, typer.Option(min=1, max=256, help="Threads of the model.", rich_help_panel=_MODEL)
    ] = 1
    backend: Annotated[
        str | None,
        typer.Option(
            help="Who runs it: onnxruntime, litert or tflite-runtime; default: by the file.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    provider: Annotated[
        list[str] | None,
        typer.Option(
            help="Accelerator as NAME or NAME:KEY=VALUE,...; an execution provider of ONNX"
            " Runtime's, or a TFLite delegate's library. Repeat it in order of preference.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse to fall back on the CPU.", rich_help_panel=_MODEL),
    ] = False
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Check that this machine computes the model as it was exported.",
            rich_help_panel=_MODEL,
        ),
    ] = False

    def spec(self, faces: FaceOptions | None = None, *, is_far: bool = False) -> RecognizerSpec:
        """How the model and the detector are opened.

        Args:
            faces: of the detector; None where the model alone is wanted.
            is_far: whether small faces are looked for where the options do not say.

        Raises:
            DcrnetError: a provider's name or the detector's is wrong.
        """
        from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
        from dcrnet_runtime.backends.provider import Provider
        from dcrnet_runtime.models import shipped_model

        own = RecognizerSpec(
            self.model or shipped_model(),
            self.threads,
            self.backend,
            tuple(Provider.parse(text) for text in self.provider or []),
            self.strict,
        )
        if faces is None:
            return own
        return replace(
            own,
            detector=faces.kind,
            task=faces.landmarks,
            max_faces=faces.max_faces,
            is_far=is_far if faces.far is None else faces.far,
            min_detection=faces.min_detection,
            min_face_px=faces.min_face,
            min_confidence=faces.min_confidence,
        )

    def load(self) -> Model:
        """The model, ready to run.

        Raises:
            DcrnetError: it cannot be.
        """
        return self.spec().load_model()
