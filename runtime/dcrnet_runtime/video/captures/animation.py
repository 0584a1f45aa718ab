"""Files of several pictures: animated GIF, WebP and PNG, read by Pillow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.images import open_image, upright_rgb


class AnimationCapture:
    """The pictures of one file, each at the time at which it is shown.

    Args:
        content: the file's bytes.
        name: for people.

    Raises:
        DcrnetError: it is no image, or too large.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._image = open_image(content, name)
        self.facts = CaptureFacts(name, is_live=False, is_endless=False, size=self._image.size)
        self._next = 0
        self._position_s = 0.0

    def grab(self) -> bool:
        if self._next:
            shown_ms = self._image.info.get("duration", 0)
            self._position_s += float(shown_ms) / 1000
        try:
            self._image.seek(self._next)
        except EOFError:
            return False
        except Exception as error:  # whatever a parser meets in hostile bytes
            raise DcrnetError(
                f"{self.facts.name} has a broken picture behind the first {self._next}: make it"
                " anew"
            ) from error
        self._next += 1
        return True

    def retrieve(self) -> NDArray[np.uint8] | None:
        return upright_rgb(self._image, self.facts.name)

    def position_s(self) -> float | None:
        return self._position_s

    def close(self) -> None:
        self._image.close()


def is_animated(content: bytes, name: str) -> bool:
    """Whether an image file holds more pictures than one that follow each other in time.

    Also one whose second picture is broken, which reading it will tell.

    Raises:
        DcrnetError: it is no image.
    """
    image = open_image(content, name, may_scale=True)
    if image.format not in ("GIF", "WEBP", "PNG"):
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # whatever a parser meets in hostile bytes
        return True
