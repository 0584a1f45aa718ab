"""Good pictures, recordings and answers of cameras, as small as they come."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from recordings import write_recording

_PIXELS: NDArray[np.uint8] = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)
NEXT_ANSWER = b"\r\n--the next answer--\r\n"
"""Between what a server sends to one connection and to the next; the last goes to all others."""

_PILLOWS_NAMES = {"apng": "png", "jpg": "jpeg", "jp2": "jpeg2000", "tif": "tiff", "pnm": "ppm"}
_ANIMATED = ("apng", "gif", "webp")


def picture(ending: str) -> bytes:
    """A small picture; two of them where the format holds several."""
    buffer = io.BytesIO()
    if ending == "heic":
        import pillow_heif

        pillow_heif.from_pillow(Image.fromarray(_PIXELS)).save(buffer, quality=50)
        return buffer.getvalue()
    frames = [Image.fromarray(_PIXELS), Image.fromarray(_PIXELS[::-1])]
    several = {"save_all": True, "append_images": frames[1:]} if ending in _ANIMATED else {}
    if ending == "jpg":
        exif = Image.Exif()
        exif[274] = 6  # turned by a quarter
        several = {"exif": exif}
    frames[0].save(buffer, _PILLOWS_NAMES.get(ending, ending), **several)
    return buffer.getvalue()


def video(codec: str, container: str) -> bytes:
    """A clip of four frames."""
    buffer = io.BytesIO()
    options = {"preset": "ultrafast"} if codec.startswith("libx26") else {}
    write_recording(buffer, [0.0, 0.1, 0.2, 0.3], codec, container, (64, 48), options)
    return buffer.getvalue()


def jpegs() -> bytes:
    """Three JPEGs in a row."""
    return picture("jpg") * 3


def playlist() -> bytes:
    """A list of a stream's pieces."""
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\na.ts\n#EXT-X-ENDLIST\n"


def http_answer(kind: str, body: bytes, *, is_whole: bool = False) -> bytes:
    """What an HTTP server sends."""
    length = f"Content-Length: {len(body)}\r\n" if is_whole else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\r\n"
    return head.encode() + body


def multipart() -> bytes:
    """A camera's pictures in a row."""
    jpeg = picture("jpg")
    part = f"--a\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
    return http_answer("multipart/x-mixed-replace; boundary=a", (part + jpeg + b"\r\n") * 3)


def snapshot() -> bytes:
    """A camera that gives one picture a request."""
    return http_answer("image/jpeg", picture("jpg"), is_whole=True)


def hls() -> bytes:
    """A playlist, which is asked for twice, then the piece that it names."""
    pieces = http_answer("video/mp2t", video("libx264", "mpegts"), is_whole=True)
    return NEXT_ANSWER.join([http_answer("application/x-mpegurl", playlist())] * 2 + [pieces])


def transport() -> bytes:
    """Video without an end."""
    return http_answer("video/mp2t", video("libx264", "mpegts"))


def detour() -> bytes:
    """A camera that asks for a name, then sends the client elsewhere, where the picture is."""
    nothing = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    asks = (
        b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="a", nonce="b", qop="auth",'
        b" algorithm=MD5\r\n" + nothing
    )
    leads = b"HTTP/1.1 302 Found\r\nLocation: /b\r\n" + nothing
    return NEXT_ANSWER.join([asks, leads, snapshot()])


def rtsp() -> bytes:
    """A camera's answers to OPTIONS, DESCRIBE, SETUP and PLAY, and pictures between them."""
    sdp = (
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"
        b"a=rtpmap:26 JPEG/90000\r\na=control:track1\r\n"
    )
    interleaved = b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
    heads = (
        b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n",
        b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(sdp),
        interleaved,
        b"Session: 1\r\n",
    )
    answers = [
        b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n%s\r\n" % (number, head)
        for number, head in enumerate(heads, 1)
    ]
    answers[1] += sdp
    scan = picture("jpg").partition(b"\xff\xda")[2][12:]
    packets = b""
    for number in range(4):
        header = (
            bytes([0x80, 0x9A]) + number.to_bytes(2, "big") + (number * 9000).to_bytes(4, "big")
        )
        # RFC 2435: type 1, quality 90, 32 x 24 px.
        packet = header + b"\0\0\0\1" + bytes([0, 0, 0, 0, 1, 90, 4, 3]) + scan
        packets += b"$\0" + len(packet).to_bytes(2, "big") + packet
    return b"".join(answers) + packets


PICTURES = ("jpg", "png", "apng", "bmp", "webp", "tif", "pnm", "gif", "jp2", "avif", "heic")
VIDEOS: dict[str, Callable[[], bytes]] = {
    "avi": partial(video, "mpeg4", "avi"),
    "mkv": partial(video, "libx264", "matroska"),
    "mp4": partial(video, "libx264", "mp4"),
    "mov": partial(video, "mpeg4", "mov"),
    "webm": partial(video, "libvpx", "webm"),
    "ts": partial(video, "libx265", "mpegts"),
    "h264": partial(video, "libx264", "h264"),
    "mjpeg": jpegs,
    **{ending: partial(picture, ending) for ending in _ANIMATED},
}
STREAMS = {
    "multipart": multipart,
    "snapshot": snapshot,
    "ts": transport,
    "hls": hls,
    "detour": detour,
    "rtsp": rtsp,
}
