"""The most faces of a frame that are answered, and that there were more."""

from __future__ import annotations

import logging

from dcrnet_runtime.face import Face

_log = logging.getLogger(__name__)


class FaceLimit:
    """Keeps the best faces, and says once, in a warning, that there are more.

    Args:
        max_faces: at most so many faces a frame.

    Attributes:
        was_told: whether it was said.
    """

    def __init__(self, max_faces: int) -> None:
        self.was_told = False
        self._max_faces = max_faces

    def kept(self, faces: list[Face], known: int = 0) -> list[Face]:
        """The first of a frame's faces, of which ``known`` others are kept already."""
        room = max(self._max_faces - known, 0)
        if len(faces) > room and not self.was_told:
            self.was_told = True
            _log.warning(
                "a frame has more than %d faces, and the rest is left out: raise max_faces"
                " (dcrnet-run --max-faces 20) for more",
                self._max_faces,
            )
        return faces[:room]
