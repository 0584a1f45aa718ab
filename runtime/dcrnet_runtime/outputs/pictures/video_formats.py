"""The video files that can be written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A kind of file.

    Attributes:
        muxer: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        is_constant_rate: whether every frame takes the same time.
    """

    muxer: str
    codec: str
    is_constant_rate: bool = False


FORMATS = {
    ".mp4": VideoFormat("mp4", "libx264"),
    ".mov": VideoFormat("mov", "libx264"),
    ".mkv": VideoFormat("matroska", "libx264"),
    ".webm": VideoFormat("webm", "libvpx-vp9"),
    ".avi": VideoFormat("avi", "libx264", is_constant_rate=True),
}
"""By the ending of a file's name."""
