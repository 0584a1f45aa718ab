"""The competitors there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "competitors"


@dataclass(frozen=True, slots=True)
class Competitor:
    """A way to read expressions from a video.

    Attributes:
        title: in the table, Markdown.
        script: a file of Python with ``answers(camera: Camera, trial: Trial)``, which yields of
            each frame that it answered the number in the clip, and whether a face was in it. It
            is run by the competitor's interpreter.
        needs_python: whether it needs the interpreter of an environment of its own.
        needs_model: whether it runs the float model.
    """

    title: str
    script: Path
    needs_python: bool = False
    needs_model: bool = False


COMPETITORS: dict[str, Competitor] = {
    "ours": Competitor("`dcrnet-run`'s loop", _SCRIPTS / "live_loop.py"),
    "by hand": Competitor(
        "MediaPipe mesh + PIL + onnxruntime fp32", _SCRIPTS / "by_hand.py", needs_model=True
    ),
    "fer": Competitor("PyPI `fer`", _SCRIPTS / "fer.py", needs_python=True),
}
"""By name, in the order of the table."""


@dataclass(frozen=True, slots=True)
class PhotoCompetitor:
    """A way to read expressions from photos.

    Attributes:
        title: in the table, Markdown.
        script: a file of Python with ``faces(photos: Sequence[str], variant: str)``, which yields
            of each path, in order, how many faces were answered. It is run by the competitor's
            interpreter.
        variant: what the script is told.
        needs_python: whether it needs the interpreter of an environment of its own.
    """

    title: str
    script: Path
    variant: str = ""
    needs_python: bool = False


PHOTO_COMPETITORS: dict[str, PhotoCompetitor] = {
    "fast": PhotoCompetitor("`dcrnet-run`, `fast`", _SCRIPTS / "photos.py", "fast"),
    "accurate": PhotoCompetitor("`dcrnet-run`, `accurate`", _SCRIPTS / "photos.py", "accurate"),
    "fer": PhotoCompetitor("PyPI `fer`", _SCRIPTS / "fer_photos.py", needs_python=True),
}
"""By name, in the order of the table."""
