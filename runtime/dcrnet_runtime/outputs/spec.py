"""What an output is asked to do: its options, and what is to be known of it before it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dcrnet_runtime.video.feed import Feed

if TYPE_CHECKING:
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.outputs.output import Output

PANEL = "Output"
"""Under which a command's help lists the options."""


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What outputs need to know of the frames, whichever outputs there are.

    Attributes:
        labels: the model's, for the columns of CSV and for Home Assistant.
        feed: a live source goes on by itself, so slow outputs lose frames, and lines are
            appended to what is there. Anything else waits, and its files are replaced.
        fps: of a recording; 0 where it is not known.
        inputs: files that are read, none of which an output may overwrite.
        names: what answers call each of the inputs, no two alike; empty for their file names.
        model_sha256: of the model's file, hexadecimal.
        feature_count: how many features the model gives a face; 0 where it gives none.
        settings: that answers depend on, as JSON values, for files that say so.
    """

    labels: tuple[str, ...] = ()
    feed: Feed = Feed.LIVE
    fps: float = 0.0
    inputs: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    model_sha256: str = ""
    feature_count: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether the source goes on by itself."""
        return self.feed is Feed.LIVE


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What an output finds when it is opened.

    Attributes:
        facts: of the frames.
        blur_faces: make faces unrecognisable in pictures that are kept or sent.
        is_stopping: whether the run is being stopped, so that nothing may wait for long.
        failures: observations that were lost or could not be written, by output; goes on
            counting, and has every output once all are open.
        model: that answers, for an output that asks it more than the frames' own answers; None
            where the plan has none.
        positions: None but for a run that can be resumed: where each of its outputs goes on, by
            its name; one that is not in it begins a new file.
    """

    facts: FrameFacts = field(default_factory=FrameFacts)
    blur_faces: bool = False
    is_stopping: Callable[[], bool] = lambda: False
    failures: Mapping[str, int] = field(default_factory=dict)
    model: Model | None = None
    positions: Mapping[str, int] | None = None

    def position_of(self, name: str) -> int | None:
        """Where a resumable output goes on, 0 for a new file; None where files are replaced."""
        return None if self.positions is None else self.positions.get(name, 0)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output. Each has a subclass whose fields are its options, declared for a command line
    as ``Annotated[..., typer.Option(...)]``, and named in :mod:`dcrnet_runtime.outputs.registry`.

    It is imported for a command's ``--help``, so whatever is slow to import waits for
    :meth:`open`.
    """

    is_watched: ClassVar[bool] = False
    """Whether a person looks at it: then it has each frame before those that are written."""
    can_blur: ClassVar[bool] = False
    """Whether it shows or keeps pictures in which faces are made unrecognisable if asked for."""
    takes_pixels: ClassVar[bool] = True
    """Whether it looks at pictures, which worker processes do not give back."""
    resumes: ClassVar[str] = ""
    """The name of the output where a later run can go on with its one file: then its writer is a
    :class:`dcrnet_runtime.outputs.output.ResumableWriter`. Empty where it cannot."""
    needs_features: ClassVar[bool] = False
    """Whether the recognizer has to give faces' features."""
    needs_fps: ClassVar[bool] = False
    """Whether it wants to know a recording's frames a second."""

    @property
    def is_wanted(self) -> bool:
        """Whether the options ask for it."""
        raise NotImplementedError

    @property
    def standard_output(self) -> str:
        """The option by which it writes to standard output; empty where it does not."""
        return ""

    @property
    def yields(self) -> bool:
        """Whether it was not asked for by name, and gives standard output up to who was."""
        return False

    def check(self) -> None:
        """Refuse options that are wrong or contradict each other, before anything is opened.

        Raises:
            DcrnetError: they are.
        """

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        """What it will write, each behind the option that names it."""
        return []

    def extent(self) -> int:
        """How far the file of a resumable output goes now, as its writer's positions count; 0
        where there is none.
        """
        return 0

    def kept(self, faces: str) -> str:
        """What it keeps on this machine, in a few words; ``faces`` says how pictures show them."""
        return ""

    def sent(self, faces: str) -> str:
        """What it sends, and to whom."""
        return ""

    def open(self, context: OutputContext) -> Output:
        """Make it ready to take observations.

        Raises:
            DcrnetError: it cannot be, or its extra is missing.
        """
        raise NotImplementedError
