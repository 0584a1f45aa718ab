"""JPEG and PNG pictures in a row: in a file, on standard input or over HTTP."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.images import decode_frame

_CHUNK = 1 << 16
_MAX_BYTES = (1 << 24) - 1
_MAX_PNG_BYTES = 1 << 27
_START = b"\xff\xd8"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_SCAN, _END = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and RST: markers without a length
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7]", re.DOTALL)  # with a length, or the end
_LENGTH = struct.Struct(">I")


class JpegCapture:
    """MJPEG, also multipart as cameras serve it, JPEG behind 4 big-endian bytes of length, or PNG.

    The first byte tells which: MJPEG begins with a JPEG's or with the text of a multipart
    header, a length with a zero byte, since a picture has less than 16 MB. The pictures of a
    recording have the times that its rate gives them.

    Args:
        facts: of the source.
        read: gives so many bytes or fewer, none at the end.
        close: gives the source back.
    """

    def __init__(
        self,
        facts: CaptureFacts,
        read: Callable[[int], bytes],
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self.facts = facts
        self._read = read
        self._close = close
        self._buffer = bytearray()
        self._cut: Callable[[], bytes | None] | None = None
        self._picture = b""
        self._index = -1

    def grab(self) -> bool:
        picture = self.next_picture()
        self._picture = picture or b""
        self._index += 1
        return picture is not None

    def next_picture(self) -> bytes | None:
        """The next picture as it is encoded; None at the end."""
        if self._cut is None:
            if not self._fill(1):
                return None
            cuts = {0: self._behind_length, _PNG_START[0]: self._png}
            self._cut = cuts.get(self._buffer[0], self._between_markers)
        return self._cut()

    def ahead(self, size: int) -> bytes:
        """The bytes that come next, so many or as many as there are."""
        self._fill(size)
        return bytes(self._buffer[:size])

    def retrieve(self) -> NDArray[np.uint8] | None:
        try:
            return decode_frame(self._picture, self.facts.name)
        except DcrnetError:
            return None

    def position_s(self) -> float | None:
        is_timed = not self.facts.is_live and self.facts.fps > 0
        return self._index / self.facts.fps if is_timed else None

    def close(self) -> None:
        self._close()

    def _fill(self, size: int, limit: int = _MAX_BYTES) -> bool:
        """Read on until ``size`` bytes are buffered; False where the pipe ends before."""
        if size > limit + _CHUNK:
            raise DcrnetError(
                f"{self.facts.name} sends no picture of less than {limit + 1 >> 20} MB: MJPEG is"
                " read, JPEG behind its length as 4 big-endian bytes, or PNG"
            )
        while len(self._buffer) < size:
            chunk = self._read(_CHUNK)
            if not chunk:
                return False
            self._buffer += chunk
        return True

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _behind_length(self) -> bytes | None:
        if not self._fill(_LENGTH.size):
            return None
        (size,) = _LENGTH.unpack(self._take(_LENGTH.size))
        return self._take(size) if self._fill(size) else None

    def _png(self) -> bytes | None:
        """A PNG's chunks, each behind its length and kind and before a checksum."""
        at = len(_PNG_START)
        while self._fill(at + 8, _MAX_PNG_BYTES):
            if not self._buffer.startswith(_PNG_START):
                return None  # what follows the last picture is none
            (size,) = _LENGTH.unpack_from(self._buffer, at)
            is_last = self._buffer[at + 4 : at + 8] == _PNG_END
            at += 12 + int(size)
            if is_last:
                return self._take(at) if self._fill(at, _MAX_PNG_BYTES) else None
        return None

    def _between_markers(self) -> bytes | None:
        while (start := self._buffer.find(_START)) < 0:
            del self._buffer[:-1]  # the marker may be cut in two
            if not self._fill(len(self._buffer) + 1):
                return None
        del self._buffer[:start]
        end = self._jpeg_end()
        return None if end is None else self._take(end)

    def _jpeg_end(self) -> int | None:
        """Where the buffered JPEG ends, None where the pipe ends before.

        Its segments are walked, not searched for the end marker, which a thumbnail inside the
        picture's EXIF has as well. A damaged picture ends where the next one begins.
        """
        at = len(_START)
        # Not a byte more than needed: behind a live picture, the next one is a frame away.
        while self._fill(at + 2):
            first, marker = self._buffer[at : at + 2]
            if first != 0xFF:
                return self._next_start(at)
            if marker == _END:
                return at + 2
            if marker == _START[1]:
                return at
            if marker in _ALONE or marker == 0xFF:
                at += 1 if marker == 0xFF else 2
                continue
            if not self._fill(at + 4):
                return None
            at += 2 + int.from_bytes(self._buffer[at + 2 : at + 4], "big")
            if marker == _SCAN:
                behind = self._scan_end(at)
                if behind is None:
                    return None
                at = behind
        return None

    def _scan_end(self, at: int) -> int | None:
        """The first marker behind the entropy-coded data that begins at ``at``."""
        while (found := _MARKER.search(self._buffer, at)) is None:
            at = max(at, len(self._buffer) - 1)  # the marker may be cut in two
            if not self._fill(len(self._buffer) + 1):
                return None
        return found.start()

    def _next_start(self, at: int) -> int | None:
        while (start := self._buffer.find(_START, at)) < 0:
            at = max(at, len(self._buffer) - 1)
            if not self._fill(len(self._buffer) + 1):
                return None
        return start
