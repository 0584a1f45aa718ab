"""What the sources of one call are: one that is opened, or files that are read in turn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video import kinds
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.files.listing import Listing, is_recording, names_of
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
            _refuse_live(source)
    if len(sources) == 1 and sources[0].kind.open is not None:
        (source,) = sources
        paths = source.files()
        label = names_of(paths)[0] if paths else ""
        return Inputs(source.feed, replace(source, label=label), paths, (label,) if label else ())
    return _files(sources)


def _is_live(source: Source) -> bool:
    return source.address == "-" or source.feed is Feed.LIVE


def _refuse_live(source: Source) -> None:
    if _is_live(source):
        raise DcrnetError(
            f"{source.name} is live and goes on by itself: start one process for each such"
            " source, and one for all files"
        )


def listed_inputs(addresses: Sequence[str]) -> Inputs:
    """The files of a list, in which what cannot be read keeps nothing else from being so.

    Args:
        addresses: files, folders and patterns.

    Returns:
        all files; what is no file, folder or pattern, and a folder that holds nothing, is among
        them, with the reason.

    Raises:
        DcrnetError: one is live.
    """
    together = Listing()
    unreadable: dict[Path, str] = {}
    for address in addresses:
        if os.path.isfile(address):  # noqa: PTH113  (pathlib's raises on long names)
            together.paths.append(Path(address))
            together.has_videos |= is_recording(Path(address))
            continue
        try:
            source = resolve(address)
            if not _is_live(source):
                _add(together, source)
        except DcrnetError as error:
            together.paths.append(Path(address))
            unreadable[Path(address)] = str(error)
        else:
            _refuse_live(source)
    return _together(together, unreadable)


def _files(sources: Sequence[Source]) -> Inputs:
    together = Listing()
    for source in sources:
        _add(together, source)
    is_one_photo = len(sources) == 1 and sources[0].kind.name == kinds.IMAGE.name
    inputs = _together(together, {})
    return replace(inputs, feed=Feed.PHOTO) if is_one_photo else inputs


def _add(together: Listing, source: Source) -> None:
    """Add a source's files.

    Raises:
        DcrnetError: it has none.
    """
    if source.kind.name == kinds.FOLDER.name:
        listing = kinds.list_folder(source.address)
    elif source.kind.name == kinds.PATTERN.name:
        listing = kinds.list_pattern(source.address)
    else:
        listing = Listing(list(source.files()), not source.is_still)
    together.paths += listing.paths
    together.has_videos |= listing.has_videos
    together.skipped += listing.skipped
    together.unreadable |= listing.unreadable


def _together(listing: Listing, unreadable: Mapping[Path, str]) -> Inputs:
    """Every file once, however it was named."""
    firsts: dict[str, Path] = {}
    for path in listing.paths:
        firsts.setdefault(os.path.abspath(path), path)  # noqa: PTH100  (links are not followed)
    if repeated := len(listing.paths) - len(firsts):
        listing.skipped["named more than once"] += repeated
    paths = tuple(firsts.values())
    feed = Feed.FILES if listing.has_videos else Feed.PHOTOS
    unread = {**listing.unreadable, **unreadable}
    return Inputs(feed, None, paths, tuple(names_of(paths)), str(listing), unread)
