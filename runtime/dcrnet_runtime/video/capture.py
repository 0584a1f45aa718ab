"""What frames are read from: one interface over cameras, files, streams and pipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError

ROTATIONS_DEG = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """What the device is asked for; it may give something else.

    Attributes:
        width: px, None for the device's choice; before the rotation.
        height: px, likewise.
        fps: frames a second, likewise.
        rotation_deg: how far each frame is turned clockwise: 0, 90, 180 or 270.
        pixel_format: what a camera is asked for, ``mjpg`` or ``yuyv`` say; what raw video on
            standard input holds, ``yuv420p`` say; None for the device's choice.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    rotation_deg: int = 0
    pixel_format: str | None = None

    def __post_init__(self) -> None:
        if self.rotation_deg not in ROTATIONS_DEG:
            choices = ", ".join(map(str, ROTATIONS_DEG))
            raise DcrnetError(f"a rotation of {self.rotation_deg} degrees: choose {choices}")


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What an opened source really gives.

    Attributes:
        name: of the source, for people.
        is_live: whether frames come at their own pace, so that a late one is worth nothing.
        is_endless: whether its end is a loss, after which it is opened again.
        size: (width, height) in px, zeros where they are not known before the first frame.
        fps: frames a second, 0 where it is not stated.
        frame_count: stated by a file, else 0.
        is_bursty: whether a live source sends more than one frame at a time, each with the time
            at which it is to be shown.
        is_cut_off: whether a file is known to end before its recording does.
    """

    name: str
    is_live: bool
    is_endless: bool
    size: tuple[int, int] = (0, 0)
    fps: float = 0.0
    frame_count: int = 0
    is_bursty: bool = False
    is_cut_off: bool = False

    def __str__(self) -> str:
        rate = f" at {self.fps:.4g} fps" if self.fps else ""
        return f"{self.name} gives {self.size[0]}x{self.size[1]}{rate}"


class Capture(Protocol):
    """An opened source. All calls but the constructor come from one thread.

    One whose stream may come long before its first picture has an attribute ``heard_s`` as well:
    when bytes last came of which no picture can be made yet, on ``time.monotonic``, else None.

    Attributes:
        facts: of the source.
    """

    @property
    def facts(self) -> CaptureFacts: ...

    def grab(self) -> bool:
        """Wait for the next frame; False where the source has ended."""
        ...

    def retrieve(self) -> NDArray[np.uint8] | None:
        """The frame that was grabbed, (H, W, 3) uint8 RGB; None where it is broken."""
        ...

    def position_s(self) -> float | None:
        """Of the frame that was grabbed, from the start of a recording.

        Of a live source the time stamp that its stream gives it, on a clock of the stream's own;
        None where it gives none.
        """
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


OpenCapture = Callable[[], Capture]
"""Opens a source; is called again whenever the source has been lost."""
