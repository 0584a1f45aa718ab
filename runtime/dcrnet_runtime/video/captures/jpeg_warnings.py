"""libjpeg's lines about damaged pictures, told once in a while."""

from __future__ import annotations

import logging
import math
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_SAID_EVERY_S = 10.0
_MOST_BYTES = 1 << 16
# Of libjpeg's jerror.h, the warnings about data; numbers differ from picture to picture.
_WARNING = re.compile(
    rb"Corrupt JPEG data|Premature end of JPEG|Invalid (progressive parameters|SOS)"
    rb"|Inconsistent progression|Warning: unknown (JFIF|Adobe)|Not a JPEG file|Unsupported marker"
)
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_turn = threading.Lock()  # two who changed the descriptor at once would each put back the other's
_log = logging.getLogger(__name__)


class JpegWarnings:
    """What libjpeg writes to the process's standard error where OpenCV decodes with it.

    It has no switch there: a USB camera behind a bad cable would write a line for every frame.

    Args:
        name: of the camera, for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the camera
        self._said_s: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the lines of what is decoded meanwhile; what others write goes on its way."""
        with _turn:
            try:
                stderr = os.dup(_STDERR)
            except OSError:  # closed: nothing can be written to it
                yield
                return
            os.dup2(self._file.fileno(), _STDERR)
            try:
                yield
            finally:
                os.dup2(stderr, _STDERR)
                os.close(stderr)
        self._sort()

    def close(self) -> None:
        """Give the lines' file back."""
        self._file.close()

    def _sort(self) -> None:
        """Count what libjpeg wrote, and write what it did not."""
        size = os.fstat(self._file.fileno()).st_size
        if not size:
            return
        self._file.seek(max(0, size - _MOST_BYTES))
        lines = self._file.read().splitlines(keepends=True)
        self._file.seek(0)
        self._file.truncate()
        others = b"".join(line for line in lines if not _WARNING.match(line))
        if others:
            with suppress(OSError):
                os.write(_STDERR, others)
        for line in lines:
            if _WARNING.match(line):
                text = line.decode("ascii", "replace").strip()
                kind = _NUMBER.sub("N", text)
                self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
                self._say(kind, text)

    def _say(self, kind: str, text: str) -> None:
        now_s = time.monotonic()
        if now_s >= self._said_s.get(kind, -math.inf) + _SAID_EVERY_S:
            _log.warning(
                "camera %s: %d x %s: pictures arrive damaged, try another cable, port or a"
                " smaller size",
                self._name,
                self._unsaid.pop(kind),
                text,
            )
            self._said_s[kind] = now_s
