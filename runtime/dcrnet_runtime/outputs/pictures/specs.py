"""The options of pictures: files, a window, and faces that nobody may recognise in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

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


def _writer(path: Path, context: OutputContext) -> OutputWriter:
    from dcrnet_runtime.outputs.pictures.picture_files import PictureFiles
    from dcrnet_runtime.outputs.pictures.saved_folder import SavedFolder
    from dcrnet_runtime.outputs.pictures.video_file import VideoFile

    facts, blur_faces = context.facts, context.blur_faces
    if facts.feed.is_folder:
        return SavedFolder(path, blur_faces=blur_faces)
    if facts.feed is Feed.PHOTO:
        return PictureFiles(path, is_folder=False, blur_faces=blur_faces)
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
