"""What the sources of one call are: one that is opened, or files that are read in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video import kinds
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.files.listing import Listing, names_of
from dcrnet_runtime.video.kind import Source
from dcrnet_runtime.video.source import resolve


@dataclass(frozen=True, slots=True)
class Inputs:
    """The sources of one call.

    Attributes:
        feed: what their frames are to the outputs.
        source: the one that is opened as a stream; None where files are read in turn.
        paths: of all files, in order.
        names: what answers call each of them: no two alike.
        skipped: what was left out of folders and patterns, for people; empty where nothing was.
        unreadable: why those of the paths cannot be read of which that is known.
    """

    feed: Feed
    source: Source | None = None
    paths: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    skipped: str = ""
    unreadable: Mapping[Path, str] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The files, for people."""
        return self.names[0] if len(self.names) == 1 else f"{len(self.names)} files"

    @property
    def fps(self) -> float:
        """Frames a second that a single recording states; 0 where nothing is stated."""
        return 0.0 if self.source is None else self.source.stated_fps()


def inputs_of(addresses: Sequence[str]) -> Inputs:
    """What addresses are together.

    Raises:
        DcrnetError: there is nothing at one of them, or one is live and not the only one.
    """
    sources = [resolve(address) for address in addresses]
    if len(sources) > 1:
        for source in sources:
            if source.feed is Feed.LIVE or source.address == "-":
                raise DcrnetError(
                    f"{source.name} is live and goes on by itself: start one process for each such"
                    " source, and one for all files"
                )
    if len(sources) == 1 and sources[0].kind.open is not None:
        (source,) = sources
        paths = source.files()
        label = names_of(paths)[0] if paths else ""
        return Inputs(source.feed, replace(source, label=label), paths, (label,) if label else ())
    return _files(sources)


def _files(sources: Sequence[Source]) -> Inputs:
    together = Listing()
    for source in sources:
        if source.kind.name == kinds.FOLDER.name:
            listing = kinds.list_folder(source.address)
        elif source.kind.name == kinds.PATTERN.name:
            listing = kinds.list_pattern(source.address)
        else:
            listing = Listing(list(source.files()), not source.is_still)
        together.paths += listing.paths
        together.has_videos |= listing.has_videos
        together.skipped += listing.skipped
    paths = tuple(dict.fromkeys(together.paths))
    feed = Feed.FILES if together.has_videos else Feed.PHOTOS
    if len(sources) == 1 and sources[0].kind.name == kinds.IMAGE.name:
        feed = Feed.PHOTO
    return Inputs(feed, None, paths, tuple(names_of(paths)), str(together))
