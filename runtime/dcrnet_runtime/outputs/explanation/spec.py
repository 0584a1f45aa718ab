"""The option of a photo's stages in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.spec import PANEL, FrameFacts, OutputContext, OutputSpec
from dcrnet_runtime.video.feed import Feed

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output


@dataclass(frozen=True, slots=True)
class ExplainSpec(OutputSpec):
    """One photo's way to its answers.

    Attributes:
        explain: file for it.
    """

    explain: Annotated[
        Path | None,
        typer.Option(
            help="Draw one photo's stages into a picture: landmarks, crop, gamma, the network's"
            " input, and what the answer rests on.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.explain is not None

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        if self.explain is None:
            return []
        _check_feed(facts)
        return [("explain", self.explain)]

    def kept(self, faces: str) -> str:
        return f"explain {self.explain} (faces recognisable)"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.explanation.sheet_file import SheetFile
        from dcrnet_runtime.outputs.worker import queued

        assert self.explain is not None
        if context.blur_faces:
            raise DcrnetError(
                "`explain` shows faces as the network sees them, which `blur_faces` forbids: leave"
                " one of the two out"
            )
        if context.model is None:
            raise DcrnetError("`explain` asks the model: give the plan one (`model`)")
        return queued(SheetFile(self.explain, context.model), context, depth=1)


def _check_feed(facts: FrameFacts) -> None:
    """Refuse everything but a photo.

    Raises:
        DcrnetError: it is something else.
    """
    match facts.feed:
        case Feed.PHOTO:
            return
        case Feed.PHOTOS | Feed.FILES:
            names = facts.names or tuple(path.name for path in facts.inputs)
            several = ", ".join(names[:2]) + (f" and {len(names) - 2} more" * (len(names) > 2))
            what = (
                f"several files were named ({several})" if len(names) > 1 else "this is a folder"
            )
        case Feed.RECORDING:
            what = "this is a video"
        case Feed.LIVE:
            what = "this source is live"
    raise DcrnetError(f"`explain` shows the stages of one photo, and {what}: name one photo")
