"""The photos and recordings of a folder or a pattern, each once."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dcrnet_runtime.video.files.signature import HEAD_BYTES, Media, Signature, signature_of
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".ts", ".mjpeg"})
"""Endings of files that are named when they are empty or damaged, rather than left out."""

_FORK_FOLDER, _FORK_START = "__MACOSX", "._"


@dataclass(slots=True)
class Listing:
    """What a folder or a pattern holds.

    Attributes:
        paths: photos and recordings, by name.
        has_videos: whether there is any recording among them.
        skipped: what was left out, by kind.
        unreadable: folders that could not be looked into, which are among the paths, and why.
    """

    paths: list[Path] = field(default_factory=list)
    has_videos: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """What was left out, for people; empty where nothing was."""
        return ", ".join(f"{count} {kind}" for kind, count in sorted(self.skipped.items()))


def listing_of(candidates: Iterable[Path]) -> Listing:
    """Those of the candidates that are photos or recordings, or are named as if they were."""
    listing = Listing()
    for path in sorted(candidates):
        if _is_fork(path):
            listing.skipped["resource forks of macOS"] += 1
            continue
        try:
            if not path.is_file():
                continue
            signature = read_signature(path)
        except OSError:
            signature = Signature(Media.OTHER)  # named when it is read
        suffix = path.suffix.lower()
        is_video = signature.media is Media.VIDEO or suffix in VIDEO_SUFFIXES
        if signature.media is Media.PLAYLIST:
            listing.skipped["playlists"] += 1
        elif (
            is_video
            or signature.media in (Media.PICTURE, Media.UNREAD)
            or suffix in IMAGE_SUFFIXES
        ):
            listing.paths.append(path)
            listing.has_videos |= is_video or signature.format == "GIF"
        else:
            listing.skipped["files that are no picture or video"] += 1
    return listing


def read_signature(path: Path) -> Signature:
    """What a file is, by its first bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return signature_of(file.read(HEAD_BYTES))


def is_recording(path: Path) -> bool:
    """Whether a file is a recording, as far as its first bytes and its ending tell."""
    try:
        signature = read_signature(path)
    except OSError:
        return False
    is_video = signature.media is Media.VIDEO or path.suffix.lower() in VIDEO_SUFFIXES
    return is_video or signature.format == "GIF"


def matches(pattern: str, failed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """The files that a pattern names, and macOS's forks of such, which no ``*`` names.

    ``**`` goes into each folder once, also through links.

    Args:
        pattern: with ``*``, ``?`` or ``[``.
        failed: is told of a folder below ``**`` that cannot be looked into.
    """
    head, recursive, tail = pattern.partition("**")
    if not recursive or (head and not head.endswith(os.sep)) or tail[:1] not in ("", os.sep):
        folder, name = os.path.split(pattern)
        forks = os.path.join(folder, f"{_FORK_START}{name}")  # noqa: PTH118
        yield from map(Path, {*glob.glob(pattern), *glob.glob(forks)})  # noqa: PTH207
        return
    rest = tail.lstrip(os.sep) or "*"
    for root in glob.glob(head) if head else ["."]:  # noqa: PTH207
        for folder in _folders(root, failed):
            below = os.path.normpath(folder) if head else os.path.relpath(folder)
            prefix = "" if below == "." else f"{glob.escape(below)}{os.sep}"
            yield from matches(f"{prefix}{rest}", failed)


def _folders(root: str, failed: Callable[[OSError], None] | None) -> Iterator[str]:
    """A folder and all below it, each once, without the hidden ones."""
    seen: set[tuple[int, int]] = set()
    for folder, below, _ in os.walk(root, onerror=failed, followlinks=True):
        about = Path(folder).stat()
        if (about.st_dev, about.st_ino) in seen:
            below.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield folder


def names_of(paths: Sequence[Path]) -> list[str]:
    """What answers call each file: its name, with as many folders as tell it from the others."""
    parts = [Path(os.path.abspath(path)).parts for path in paths]  # noqa: PTH100
    depths = [1] * len(parts)
    while True:
        names = ["/".join(each[-depth:]) for each, depth in zip(parts, depths, strict=True)]
        counts = Counter(names)
        grown = [
            min(depth + (counts[name] > 1), len(each))
            for name, depth, each in zip(names, depths, parts, strict=True)
        ]
        if grown == depths:
            return [name.lstrip("/") for name in names]
        depths = grown


def _is_fork(path: Path) -> bool:
    """Whether macOS has written it beside a file of that name."""
    return path.name.startswith(_FORK_START) or _FORK_FOLDER in path.parts
