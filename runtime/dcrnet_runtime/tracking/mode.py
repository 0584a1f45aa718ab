"""How a live source's faces are followed."""

from __future__ import annotations

from enum import StrEnum


class TrackMode(StrEnum):
    """What looks where a face was.

    Attributes:
        FAST: the landmark network in every second frame, and between two of them the motion of
            the pixels.
        EXACT: the landmark network in every frame.
    """

    FAST = "fast"
    EXACT = "exact"
