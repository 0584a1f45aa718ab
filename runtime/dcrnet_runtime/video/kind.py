"""What sources there can be: how each is told by its address, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.redaction import ENCODING_HINT, is_ambiguous
from dcrnet_runtime.video.capture import Capture, CaptureRequest, OpenCapture
from dcrnet_runtime.video.feed import Feed


@dataclass(frozen=True, slots=True)
class Source:
    """A place that frames come from; :func:`dcrnet_runtime.video.source.resolve` makes one.

    Attributes:
        kind: how it is read.
        address: camera index or device path, URL, path, pattern or ``-``, as given.
        label: what answers call it; empty for the name that its kind gives it.
    """

    kind: SourceKind
    address: str
    label: str = ""

    @property
    def name(self) -> str:
        """For people and outputs: without the secrets that the address may hold."""
        return self.label or self.kind.name_of(self.address)

    @property
    def feed(self) -> Feed:
        """What its frames are to the outputs."""
        return self.kind.feed if self.kind.feed_of is None else self.kind.feed_of(self.address)

    @property
    def is_still(self) -> bool:
        """Whether its frames are photos that have nothing to do with each other."""
        return self.feed.is_still

    @property
    def unreadable(self) -> str:
        """Why it gave not one frame, and what to look at."""
        hint = f"; {ENCODING_HINT}" if is_ambiguous(self.address) else ""
        return self.kind.unreadable.format(name=self.name) + hint

    def files(self) -> tuple[Path, ...]:
        """The files that are read, in order: the photos, or the video; none of a live source.

        Raises:
            DcrnetError: a folder or pattern holds no photo.
        """
        return self.kind.files(self.address)

    def stated_fps(self) -> float:
        """Frames a second that a recording states; 0 where nothing is stated."""
        return self.kind.stated_fps(self.address)

    def opener(
        self, request: CaptureRequest, open_s: float = 0.0, read_s: float = 0.0
    ) -> OpenCapture:
        """What opens the camera, the video file, the stream or standard input, also again.

        Args:
            request: what is asked of it.
            open_s: time to open it, where the library below heeds one; 0 for its own.
            read_s: time for each read, likewise.

        Raises:
            DcrnetError: it is a photo or a folder of them.
        """
        if self.kind.open is None:
            raise DcrnetError(
                f"{self.name} is no video, camera or stream: photos are for Recognizer.recognize"
            )
        return partial(_open, self.kind.open, self, request, open_s, read_s)


def _open(
    opened_by: OpenSource, source: Source, request: CaptureRequest, open_s: float, read_s: float
) -> Capture:
    """Open a source; where that fails, say how an address of two meanings is written."""
    try:
        return opened_by(source, request, open_s, read_s)
    except DcrnetError as error:
        if not is_ambiguous(source.address) or ENCODING_HINT in str(error):
            raise
        raise DcrnetError(f"{error}; {ENCODING_HINT}") from error


class OpenSource(Protocol):
    """Opens a source; the arguments are those of :meth:`Source.opener`.

    Raises:
        DcrnetError: it cannot be opened.
    """

    def __call__(
        self, source: Source, request: CaptureRequest, open_s: float, read_s: float
    ) -> Capture: ...


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One way to be a source.

    Attributes:
        name: one word.
        feed: what its frames are to the outputs.
        feed_of: tells that by the address, where the kind alone does not.
        claims: whether an address is of this kind; of two that claim it, the one registered
            first gets it.
        unreadable: what to look at where it gives not one frame; ``{name}`` is the source's.
        open: makes a capture of it; None for photos, which are read one by one.
        files: what is read at an address.
        stated_fps: frames a second of a recording.
        name_of: an address as people and outputs may see it.
    """

    name: str
    feed: Feed
    claims: Callable[[str], bool]
    unreadable: str
    open: OpenSource | None = None
    files: Callable[[str], tuple[Path, ...]] = lambda address: ()
    stated_fps: Callable[[str], float] = lambda address: 0.0
    name_of: Callable[[str], str] = str
    feed_of: Callable[[str], Feed] | None = None

    def __str__(self) -> str:
        return self.name


def with_pyav(name: str) -> Any:
    """The module that reads with PyAV.

    Args:
        name: of the source that wants it, for people.

    Raises:
        DcrnetError: PyAV is not installed.
    """
    try:
        return import_module("dcrnet_runtime.video.captures.container")
    except ImportError as error:
        raise DcrnetError(
            f"{name} is video, for which PyAV is missing: {package_command('av')}. Local cameras,"
            " photos and JPEG in a row are read without it"
        ) from error
