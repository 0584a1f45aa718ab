"""Recordings, network streams and video on pipes, read by PyAV, which is FFmpeg."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.files.container_end import is_cut_off, is_without_index
from dcrnet_runtime.video.frame import DEFAULT_FPS
from dcrnet_runtime.video.images import MAX_PIXELS
from dcrnet_runtime.video.rotation import turned

DEMUXERS = {
    "MP4": "mov",
    "Matroska": "matroska",
    "AVI": "avi",
    "FLV": "flv",
    "MPEG-TS": "mpegts",
    "MPEG-PS": "mpeg",
    "MPEG video": "mpegvideo",
    "MPEG-4 video": "m4v",
    "H.264": "h264",
    "H.265": "hevc",
    "AV1": "obu",
    "Ogg": "ogg",
    "ASF": "asf",
    "IVF": "ivf",
    "NUT": "nut",
    "YUV4MPEG2": "yuv4mpegpipe",
}
"""FFmpeg's names for what a signature names: none of them opens a second file or address."""

PROTOCOLS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,srtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "srt": "srt",
    "udp": "udp",
    "rtp": "rtp,udp",
}
"""Of a network address, and what each may use; http and https are read by another client."""

_OPENED = {"max_pixels": str(MAX_PIXELS)}
_NETWORK = {"analyzeduration": "2000000"}
_PIPE = {"probesize": "200000", "analyzeduration": "1000000", "fpsprobesize": "0"}
BARE = ("h264", "hevc", "m4v", "mpegvideo", "obu")
"""Demuxers of streams that state neither a rate nor times, so that a look ahead has no end."""
_KEY_FRAME_S = 20.0
_log = logging.getLogger(__name__)


class ReadableFile(Protocol):
    """What PyAV needs of a file."""

    def read(self, size: int, /) -> bytes: ...


class _Below:
    """What went wrong in files that FFmpeg reads through Python.

    It prints a traceback of whatever they raise while it is at work, so that they end instead.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def opened(self, open: Callable[[], ReadableFile]) -> _QuietFile:
        """A file, an empty one where it cannot be opened."""
        try:
            return _QuietFile(self, open())
        except (OSError, DcrnetError) as error:
            self.error = self.error or error
            return _QuietFile(self, None)

    def check(self) -> None:
        """Raise what went wrong first.

        Raises:
            DcrnetError: that.
            OSError: that.
        """
        if self.error is not None:
            raise self.error


class _QuietFile:
    """A file that ends where it cannot be read any further."""

    def __init__(self, below: _Below, file: ReadableFile | None) -> None:
        self._below, self._file = below, file

    def read(self, size: int) -> bytes:
        try:
            return b"" if self._file is None else self._file.read(size)
        except (OSError, DcrnetError) as error:
            self._below.error = self._below.error or error
            return b""

    def seekable(self) -> bool:
        return hasattr(self._file, "seek")

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))  # type: ignore[union-attr]

    def tell(self) -> int:
        return int(self._file.tell())  # type: ignore[union-attr]

    def close(self) -> None:
        close = getattr(self._file, "close", None)
        if close is not None:
            close()


class ContainerCapture:
    """The video of an opened container.

    Args:
        container: of PyAV's.
        name: for people.
        is_live: whether frames come at their own pace.
        is_bursty: whether a live source sends more than one frame at a time.
        is_endless: whether its end is a loss; None where it is one of a live source.
        is_cut_off: whether its file is known to end early, so that what is missing counts.
        below: of files that are read through Python.
        close: gives back what lies below the container.

    Raises:
        DcrnetError: it has no video, or one that cannot be decoded or is absurdly large.
    """

    def __init__(
        self,
        container: Any,
        name: str,
        *,
        is_live: bool = False,
        is_bursty: bool = False,
        is_endless: bool | None = None,
        is_cut_off: bool = False,
        below: _Below | None = None,
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._container, self._close_below = container, close
        self._below = below or _Below()
        self.heard_s: float | None = None
        try:
            stream = self._stream = _video_of(container, name)
            # Frames ahead in other threads would make a live picture late.
            stream.thread_type = "SLICE" if is_live else "AUTO"
            stream.codec_context.options = dict(_OPENED)
            size = stream.codec_context.width, stream.codec_context.height
            if size[0] * size[1] > MAX_PIXELS:
                raise DcrnetError(
                    f"{name} has frames of {size[0]}x{size[1]} px: at most"
                    f" {MAX_PIXELS / 1e6:.0f} megapixels are read, scale it down"
                )
        except DcrnetError:
            self.close()
            raise
        fps = float(stream.average_rate or stream.base_rate or 0)
        self.facts = CaptureFacts(
            name,
            is_live=is_live,
            is_endless=is_live if is_endless is None else is_endless,
            size=size,
            fps=fps if 0 < fps <= 1000 else 0.0,
            frame_count=stream.frames if is_cut_off else 0,
            is_bursty=is_bursty,
            is_cut_off=is_cut_off,
        )
        self._packets = container.demux(stream)
        self._decoded: deque[Any] = deque()
        self._frame: Any = None
        self._index = -1
        self._reformatter = VideoReformatter()
        self._opened_s = time.monotonic()
        self._has_frames, self._is_begun = False, not is_live

    def grab(self) -> bool:
        while not self._decoded:
            packet = self._next_packet()
            if packet is None:
                self._below.check()
                return False
            if not self._is_begun and not self._begins(packet):
                continue
            try:
                self._decoded.extend(packet.decode())
            except av.error.EOFError:
                return False
            except av.FFmpegError:
                # What comes before the first key frame of a live stream is not broken.
                if self._has_frames or not self.facts.is_live:
                    self._frame = None
                    return True
        self._frame = self._decoded.popleft()
        self._index += 1
        self._has_frames, self.heard_s = True, None
        return True

    def retrieve(self) -> NDArray[np.uint8] | None:
        frame = self._frame
        if frame is None or frame.width * frame.height > MAX_PIXELS:
            return None
        try:
            rgb: Any = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        except (av.FFmpegError, ValueError):
            return None
        return turned(rgb, -frame.rotation)

    def position_s(self) -> float | None:
        frame = self._frame
        if frame is None or frame.pts is None or frame.time_base is None:
            # A bare stream's pictures have the times that its rate gives them.
            return None if self.facts.is_live else self._index / (self.facts.fps or DEFAULT_FPS)
        return float(frame.pts * frame.time_base)

    def close(self) -> None:
        self._container.close()
        self._close_below()

    def _next_packet(self) -> Any:
        """The next packet; None at the end.

        Raises:
            OSError: the source is lost.
        """
        try:
            return next(self._packets, None)
        except av.error.EOFError:
            return None
        except DcrnetError:
            raise
        except av.FFmpegError as error:
            if not self.facts.is_live and isinstance(error, av.error.InvalidDataError):
                return None  # the rest of a damaged file
            raise OSError(reason_of(error)) from error
        except UnicodeDecodeError as error:  # of a playlist that was asked for again
            raise OSError(reason_of(error)) from error

    def _begins(self, packet: Any) -> bool:
        """Whether pictures begin here: what a live stream sends before a key frame is guessed.

        After a while it is taken as it is, since some streams are refreshed bit by bit.
        """
        self.heard_s = time.monotonic()
        waited_s = self.heard_s - self._opened_s
        self._is_begun = packet.is_keyframe or waited_s > _KEY_FRAME_S
        if self._is_begun and not packet.is_keyframe:
            _log.warning(
                "%s has sent no key frame for %.0f s, with which pictures begin: set its key-frame"
                " interval (GOP) to a second or two",
                self.facts.name,
                waited_s,
            )
        return self._is_begun


def open_file(path: str, name: str) -> ContainerCapture:
    """A recording.

    Raises:
        DcrnetError: it cannot be decoded.
    """
    try:
        container = av.open(
            f"file:{path}",
            options={
                **_OPENED,
                "protocol_whitelist": "file",
                "format_whitelist": ",".join(DEMUXERS.values()),
            },
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        if isinstance(error, av.error.InvalidDataError) and is_without_index(Path(path)):
            raise DcrnetError(
                f"{name} is no video that can be decoded, since it is cut off or was never"
                " finished: the index (moov) that belongs at its end is missing. Copy it again"
            ) from error
        raise DcrnetError(
            f"{name} is no image or video that can be decoded ({reason_of(error)}): convert it to"
            " MP4"
        ) from error
    return ContainerCapture(container, name, is_cut_off=is_cut_off(Path(path)))


def open_feed(
    file: ReadableFile,
    name: str,
    format: str,
    *,
    is_live: bool,
    is_bursty: bool = False,
    is_endless: bool | None = None,
    options: dict[str, str] | None = None,
    close: Callable[[], object] = lambda: None,
) -> ContainerCapture:
    """Video that is read from a file object.

    Args:
        file: to read.
        name: for people.
        format: one of ``DEMUXERS``' values, or ``rawvideo`` with its options.
        is_live: whether frames come at their own pace.
        is_bursty: whether a live source sends more than one frame at a time.
        is_endless: whether its end is a loss; None where it is one of a live source.
        options: of the demuxer.
        close: gives the file back.

    Raises:
        DcrnetError: it cannot be decoded.
    """
    below = _Below()
    try:
        container = av.open(
            below.opened(lambda: file),
            format=format,
            options={
                **_OPENED,
                **(_PIPE if is_live else {}),
                **({"probesize": "32"} if is_live and format in BARE else {}),
                **(options or {}),
                "protocol_whitelist": "",
                "format_whitelist": format,
            },
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        close()
        below.check()
        raise DcrnetError(f"{name} gave no frame: {reason_of(error)}") from error
    return ContainerCapture(
        container,
        name,
        is_live=is_live,
        is_bursty=is_bursty,
        is_endless=is_endless,
        below=below,
        close=close,
    )


def open_network(address: str, name: str, open_s: float, read_s: float) -> ContainerCapture:
    """A stream at an address of one of ``PROTOCOLS``.

    Args:
        address: with a name and a password where it needs them.
        name: for people.
        open_s: time to open it, 0 for no limit.
        read_s: time for each read, likewise.

    Raises:
        DcrnetError: it cannot be opened.
    """
    scheme = address.partition("://")[0].lower()
    formats = {"rtsp", "rtp", "sdp", "flv", "mpegts", *DEMUXERS.values()}
    options = {
        **_OPENED,
        **_NETWORK,
        "protocol_whitelist": PROTOCOLS[scheme],
        "format_whitelist": ",".join(formats),
    }
    if scheme.startswith("rtsp"):
        options["rtsp_flags"] = "prefer_tcp"
    try:
        container = av.open(
            address,
            options=options,
            timeout=(open_s or None, read_s or None),
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        why = reason_of(error, urlsplit_host(address))
        raise DcrnetError(f"stream {name} gave no frame: {why}") from error
    return ContainerCapture(container, name, is_live=True)


def open_playlist(
    address: str,
    name: str,
    opened: Callable[[str], ReadableFile],
    open_s: float,
    read_s: float,
) -> ContainerCapture:
    """An HLS stream.

    Args:
        address: of its playlist.
        name: for people.
        opened: opens what the playlist names, or refuses to.
        open_s: time to open it, 0 for no limit: one whose pieces are none is asked on and on.
        read_s: time for each read, 0 for no limit.

    Raises:
        DcrnetError: it cannot be opened, or names what is not opened.
    """
    below = _Below()
    try:
        container = av.open(
            address,
            format="hls",
            options={
                **_OPENED,
                "protocol_whitelist": "http,https,tcp,tls,crypto",
                "format_whitelist": "hls,mpegts,mov,aac,webvtt",
                "http_persistent": "0",
                "http_multiple": "0",
            },
            metadata_errors="replace",
            io_open=lambda url, flags, options: below.opened(lambda: opened(url)),
            timeout=(open_s or None, read_s or None),
        )
    except (av.FFmpegError, UnicodeDecodeError) as error:
        below.check()
        raise DcrnetError(f"stream {name} gave no frame: {reason_of(error)}") from error
    is_live = not container.duration
    return ContainerCapture(container, name, is_live=is_live, is_bursty=is_live, below=below)


def stated_fps(path: str) -> float:
    """Frames a second that a recording states; 0 where nothing is stated, or it is none."""
    try:
        capture = open_file(path, path)
    except DcrnetError:
        return 0.0
    capture.close()
    return capture.facts.fps


def reason_of(error: Exception, host: str = "") -> str:
    """Why FFmpeg could not read, in the words of whoever is to mend it."""
    match error:
        case av.error.HTTPUnauthorizedError():
            return "it refuses the name or the password (401): check both"
        case av.error.HTTPForbiddenError():
            return "it refuses access (403): check the name's rights"
        case av.error.HTTPNotFoundError():
            return "it has no such path (404): check the address behind the host"
        case av.error.ConnectionRefusedError():
            return "nothing listens there (connection refused): check host and port"
        case av.error.TimeoutError() | av.error.ExitError():
            return "it does not answer in time: check that it is reachable"
        case av.error.InvalidDataError() | av.error.ArgumentError():
            return "no video is found in it"
        case av.error.ProtocolNotFoundError():
            return "its protocol is not read"
        case UnicodeDecodeError():
            return "its playlist names pieces that are no UTF-8: is it a playlist?"
    if getattr(error, "errno", None) == errno.EIO and host and not _is_known(host):
        return f"the host {host} is not known: check its name"
    return str(getattr(error, "strerror", None) or error) + ": is the address right and reachable?"


def urlsplit_host(address: str) -> str:
    """The host of an address; empty where it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_known(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


def _video_of(container: Any, name: str) -> Any:
    """The video stream.

    Raises:
        DcrnetError: there is none, or none that can be decoded.
    """
    # Pictures of a cover come as a video stream of their own.
    streams = [
        each
        for each in container.streams.video
        if not each.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        holds = "sound alone" if container.streams.audio else "no video"
        raise DcrnetError(f"{name} is no image or video that can be decoded: it holds {holds}")
    stream = streams[0]
    if stream.codec_context is None:
        raise DcrnetError(
            f"{name} holds video in a codec that PyAV {av.__version__} cannot decode: convert it"
            " to H.264, say with ffmpeg -i IN -c:v libx264 OUT.mp4"
        )
    return stream
