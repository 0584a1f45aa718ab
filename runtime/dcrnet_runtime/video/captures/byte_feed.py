"""Bytes that come one after the other, of which the first ones can be looked at."""

from __future__ import annotations

from collections.abc import Callable

from dcrnet_runtime.video.files.signature import HEAD_BYTES, Media, signature_of

_LEAST = 64  # bytes that tell all kinds but transport streams
_LEAST_TS = 2 * 192 + 1


class ByteFeed:
    """A pipe or an answer of a server, as a file that can only be read on.

    Args:
        read: gives so many bytes or fewer as soon as there are any, none at the end.
        close: gives the source back.
        begun: bytes that were read before.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        close: Callable[[], object] = lambda: None,
        begun: bytes = b"",
    ) -> None:
        self._read = read
        self._begun = begun
        self.close = close

    def head(self) -> bytes:
        """The first bytes, as many as tell what this is; they are still to be read."""
        while len(self._begun) < _LEAST or (
            self._begun[0] == 0x47 and len(self._begun) < _LEAST_TS
        ):
            if signature_of(self._begun).media not in (Media.EMPTY, Media.OTHER):
                break  # not a byte more than needed: the next one may be a picture away
            chunk = self._read(HEAD_BYTES)
            if not chunk:
                break
            self._begun += chunk
        return self._begun[:HEAD_BYTES]

    def read(self, size: int) -> bytes:
        """So many bytes or fewer, none at the end."""
        if self._begun:
            taken, self._begun = self._begun[:size], self._begun[size:]
            return taken
        return self._read(size)

    def read_all(self, limit: int) -> bytes:
        """Everything up to the end, or ``limit`` bytes and a few more."""
        parts, total = [], 0
        while total <= limit and (part := self.read(1 << 16)):
            parts.append(part)
            total += len(part)
        return b"".join(parts)
