"""The options of pictures: files, a window, and faces that nobody may recognise in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.outputs.spec import PANEL, FrameFacts, OutputContext, OutputSpec
from dcrnet_runtime.video.feed import Feed

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output, OutputWriter

_DEPTH = 4  # pictures that wait for a slow output


@dataclass(frozen=True, slots=True)
class SaveSpec(OutputSpec):
    """Annotated pictures in files.

    Attributes:
        save: file for an annotated video or photo, or folder for photos.
    """

    can_blur: ClassVar[bool] = True
    needs_fps: ClassVar[bool] = True

    save: Annotated[
        Path | None,
        typer.Option(
            help="Draw the answers into a file (photo, video) or folder (of photos).",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.save is not None

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        if self.save is None:
            return []
        _check_kind(self.save, facts.feed)
        if facts.feed.is_folder:
            names = facts.names or tuple(path.name for path in facts.inputs)
            return [("save", self.save / name) for name in names]
        return [("save", self.save)]

    def kept(self, faces: str) -> str:
        return f"save {self.save} ({faces})"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.worker import queued

        assert self.save is not None
        return queued(_writer(self.save, context), context, _DEPTH)


def _check_kind(path: Path, feed: Feed) -> None:
    """Refuse a name of another kind than what will be saved.

    Raises:
        DcrnetError: the ending is none that such a file has.
    """
    from dcrnet_runtime.outputs.pictures.video_formats import FORMATS
    from dcrnet_runtime.video.images import IMAGE_SUFFIXES

    ending = path.suffix.lower()
    match feed:
        case Feed.PHOTOS | Feed.FILES if not path.is_dir() and ending in (
            FORMATS.keys() | IMAGE_SUFFIXES
        ):
            kind = "a video" if ending in FORMATS else "one photo"
            raise DcrnetError(
                f"`save` {path} is the name of {kind}, and several files are saved into a folder:"
                f" name one, such as {path.with_suffix('')}"
            )
        case Feed.PHOTO if ending in FORMATS:
            raise DcrnetError(
                f"`save` {path} is the name of a video, and the source is a photo: end it in .jpg"
                " or .png"
            )
        case Feed.RECORDING | Feed.LIVE if ending not in FORMATS:
            raise DcrnetError(
                f"`save` {path} names no video: end it in {', '.join(sorted(FORMATS))}"
            )


def _writer(path: Path, context: OutputContext) -> OutputWriter:
    facts, blur_faces = context.facts, context.blur_faces
    if facts.feed is Feed.PHOTO:
        from dcrnet_runtime.outputs.pictures.picture_files import PictureFiles

        return PictureFiles(path, is_folder=False, blur_faces=blur_faces)
    if facts.feed.is_folder:
        from dcrnet_runtime.outputs.pictures.saved_folder import SavedFolder

        return SavedFolder(path, blur_faces=blur_faces)
    try:
        from dcrnet_runtime.outputs.pictures.video_file import VideoFile
    except ImportError as error:
        raise DcrnetError(f"`save` writes video with PyAV: {package_command('av')}") from error
    return VideoFile(path, fps=facts.fps, is_live=facts.is_live, blur_faces=blur_faces)


@dataclass(frozen=True, slots=True)
class WindowSpec(OutputSpec):
    """A window on the screen.

    Attributes:
        show: whether there is one.
    """

    is_watched: ClassVar[bool] = True

    show: Annotated[
        bool, typer.Option("--show", help="Show them in a window.", rich_help_panel=PANEL)
    ] = False

    @property
    def is_wanted(self) -> bool:
        return self.show

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.pictures.window import Window

        return Window(waits_for_key=context.facts.feed.is_still, is_stopping=context.is_stopping)


@dataclass(frozen=True, slots=True)
class BlurOptions:
    """What holds for every picture that is kept or sent.

    Attributes:
        blur_faces: whether faces are made unrecognisable.
    """

    blur_faces: Annotated[
        bool,
        typer.Option(
            "--blur-faces",
            help="Make faces unrecognisable in what is saved and served.",
            rich_help_panel=PANEL,
        ),
    ] = False
