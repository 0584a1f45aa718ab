"""How a source gives its frames."""

from __future__ import annotations

from enum import StrEnum


class Feed(StrEnum):
    """Whether a source can wait, and what its annotated pictures are saved as.

    Attributes:
        PHOTO: one photo.
        PHOTOS: photos that have nothing to do with each other.
        FILES: photos and recordings, one after the other.
        RECORDING: a video; it waits for whoever watches it.
        LIVE: it goes on by itself, whoever watches.
    """

    PHOTO = "photo"
    PHOTOS = "photos"
    FILES = "files"
    RECORDING = "recording"
    LIVE = "live"

    @property
    def is_folder(self) -> bool:
        """Whether there are several files, so that annotated pictures are saved in a folder."""
        return self in (Feed.PHOTOS, Feed.FILES)

    @property
    def is_still(self) -> bool:
        """Whether it is of photos."""
        return self in (Feed.PHOTO, Feed.PHOTOS)
