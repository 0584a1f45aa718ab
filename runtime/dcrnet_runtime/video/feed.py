"""How a source gives its frames."""

from __future__ import annotations

from enum import StrEnum


class Feed(StrEnum):
    """Whether a source can wait, and what its annotated pictures are saved as.

    Attributes:
        PHOTO: one photo.
        PHOTOS: photos that have nothing to do with each other.
        RECORDING: a video; it waits for whoever watches it.
        LIVE: it goes on by itself, whoever watches.
    """

    PHOTO = "photo"
    PHOTOS = "photos"
    RECORDING = "recording"
    LIVE = "live"

    @property
    def is_still(self) -> bool:
        """Whether it is of photos."""
        return self in (Feed.PHOTO, Feed.PHOTOS)
