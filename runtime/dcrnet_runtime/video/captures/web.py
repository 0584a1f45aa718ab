"""What an http or https address gives: JPEG pictures in a row, one a request, HLS, or video."""

from __future__ import annotations

import time
from http.client import HTTPException, HTTPResponse
from urllib.parse import urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import Capture, CaptureFacts, CaptureRequest
from dcrnet_runtime.video.captures.byte_feed import ByteFeed
from dcrnet_runtime.video.captures.http import open_http, origin
from dcrnet_runtime.video.captures.jpegs import JpegCapture
from dcrnet_runtime.video.files.signature import Media, signature_of
from dcrnet_runtime.video.images import MAX_FILE_BYTES, decode_frame
from dcrnet_runtime.video.kind import Source, with_pyav

_SNAPSHOT_FPS = 1.0
_LISTS_ARE_TEXT = 1 << 22


class SnapshotCapture:
    """A camera that gives one picture a request, which is asked at a steady rate.

    Args:
        facts: of the source, with the rate in ``fps``.
        address: to ask.
        timeout_s: of each request, 0 for half a minute.
        content: the first picture, which has been asked for already.
    """

    def __init__(
        self, facts: CaptureFacts, address: str, timeout_s: float, content: bytes
    ) -> None:
        self.facts = facts
        self._address, self._timeout_s = address, timeout_s
        self._content: bytes | None = content
        self._due_s = time.monotonic()

    def grab(self) -> bool:
        if self._content is None or self._due_s > time.monotonic():
            time.sleep(max(0.0, self._due_s - time.monotonic()))
            answer = open_http(self._address, self.facts.name, self._timeout_s)
            with answer:
                self._content = _whole(answer, self.facts.name)
        self._due_s = max(self._due_s + 1 / self.facts.fps, time.monotonic() - 1)
        return True

    def retrieve(self) -> NDArray[np.uint8] | None:
        content, self._content = self._content or b"", None
        try:
            return decode_frame(content, self.facts.name)
        except DcrnetError:
            return None

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        """Each request has been closed."""


class RangedFile:
    """A file on a server that gives parts, for readers that jump in it.

    Args:
        address: of the file.
        name: for people.
        answer: the first one, from the first byte on.
        timeout_s: of each request.
    """

    def __init__(self, address: str, name: str, answer: HTTPResponse, timeout_s: float) -> None:
        self._address, self._name, self._timeout_s = address, name, timeout_s
        self._answer: HTTPResponse | None = answer
        self._size = int(answer.headers["Content-Length"])
        self._at = 0

    def read(self, size: int) -> bytes:
        if self._at >= self._size:
            return b""
        if self._answer is None:
            self._answer = open_http(
                self._address, self._name, self._timeout_s, first_byte=self._at
            )
            if self._at and self._answer.status != 206:
                raise OSError("its server gave another part of the file than was asked for")
        part = _read(self._answer, size)
        self._at += len(part)
        return part

    def seek(self, offset: int, whence: int = 0) -> int:
        at = offset + {0: 0, 1: self._at, 2: self._size}[whence]
        if at != self._at:
            self.close()
            self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def open_web(source: Source, request: CaptureRequest, open_s: float, read_s: float) -> Capture:
    """What is behind an http or https address; its server is asked once.

    Args:
        source: the address.
        request: what is asked for.
        open_s: time to open a playlist, 0 for no limit.
        read_s: time for each read, 0 for no limit.

    Raises:
        DcrnetError: it cannot be opened, or is none of what is read.
    """
    answer = open_http(source.address, source.name, read_s)
    try:
        capture = _opened(source, request, (open_s, read_s), answer)
    except OSError as error:
        answer.close()
        raise DcrnetError(f"stream {source.name} gave no frame: {error}") from error
    except DcrnetError:
        answer.close()
        raise
    return capture


def _opened(
    source: Source, request: CaptureRequest, limits_s: tuple[float, float], answer: HTTPResponse
) -> Capture:
    read_s = limits_s[1]
    feed = ByteFeed(lambda size: _read(answer, size), answer.close)
    facts = CaptureFacts(source.name, is_live=True, is_endless=True)
    kind = answer.headers.get_content_type()
    if kind.startswith("multipart/"):
        return JpegCapture(facts, feed.read, feed.close)
    signature = signature_of(feed.head())
    is_whole = answer.headers.get("Content-Length") is not None
    if signature.format == "M3U" or "mpegurl" in kind:
        answer.close()
        return _playlist(source, *limits_s)
    match signature.media:
        case Media.PICTURE if is_whole or kind.startswith("image/"):
            content = feed.read_all(MAX_FILE_BYTES)
            answer.close()
            decode_frame(content, source.name)  # refused at once where it is none
            fps = request.fps or _SNAPSHOT_FPS
            facts = CaptureFacts(source.name, is_live=True, is_endless=True, fps=fps)
            return SnapshotCapture(facts, source.address, read_s, content)
        case Media.PICTURE if signature.format == "JPEG":
            return JpegCapture(facts, feed.read, feed.close)
        case Media.VIDEO:
            return _video(source, read_s, answer, feed, signature.format)
    raise DcrnetError(
        f"stream {source.name} gave no frame: what it sends ({kind}) is no video or picture that"
        " is read: look at the address in a browser"
    )


def _video(
    source: Source, read_s: float, answer: HTTPResponse, feed: ByteFeed, format: str
) -> Capture:
    container = with_pyav(source.name)
    is_recording = answer.headers.get("Content-Length") is not None
    demuxer = container.DEMUXERS[format]
    if is_recording and answer.headers.get("Accept-Ranges", "").lower() == "bytes":
        answer.close()
        again = open_http(source.address, source.name, read_s)
        file = RangedFile(source.address, source.name, again, read_s)
        return container.open_feed(file, source.name, demuxer, is_live=False, close=file.close)
    return container.open_feed(
        feed, source.name, demuxer, is_live=not is_recording, is_bursty=True, close=feed.close
    )


def _playlist(source: Source, open_s: float, read_s: float) -> Capture:
    """HLS, whose playlist names its segments: by http and https on the same host alone."""
    host = origin(source.address)[1]
    parts = urlsplit(source.address)
    secret = parts.netloc.rpartition("@")[0]
    plain = source.address.replace(f"{secret}@", "", 1) if secret else source.address

    def opened(url: str) -> _Readable:
        target = urljoin(plain, url.removeprefix("crypto+"))
        scheme, named, _ = origin(target)
        if scheme not in ("http", "https") or named != host:
            raise DcrnetError(
                f"stream {source.name} names a segment outside its own host, which is not opened:"
                " give that address by itself"
            )
        if secret and origin(target) == origin(plain):
            target = target.replace("://", f"://{secret}@", 1)
        answer = open_http(target, source.name, read_s)
        if origin(answer.url)[1] != host:
            answer.close()
            raise DcrnetError(
                f"stream {source.name} leads to another host, which is not opened: give that"
                " address by itself"
            )
        return _Readable(answer)

    return with_pyav(source.name).open_playlist(plain, source.name, opened, open_s, read_s)


class _Readable:
    """An answer as PyAV reads it."""

    def __init__(self, answer: HTTPResponse) -> None:
        self._answer = answer
        self.close = answer.close

    def read(self, size: int) -> bytes:
        return _read(self._answer, size)


def _whole(answer: HTTPResponse, name: str) -> bytes:
    """A picture's bytes.

    Raises:
        DcrnetError: there are too many.
    """
    content = ByteFeed(lambda size: _read(answer, size)).read_all(MAX_FILE_BYTES)
    if len(content) > MAX_FILE_BYTES:
        raise DcrnetError(f"{name} sends more than {MAX_FILE_BYTES >> 20} MB as one picture")
    return content


def _read(answer: HTTPResponse, size: int) -> bytes:
    """So many bytes or fewer, as soon as there are any.

    Raises:
        OSError: the answer broke off.
    """
    try:
        return answer.read1(size)
    except HTTPException as error:
        raise OSError(f"the answer broke off ({type(error).__name__})") from error
