"""What a file is, by its first bytes; its name decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HEAD_BYTES = 4096
"""So many first bytes tell every kind."""


class Media(StrEnum):
    """What can be done with a file.

    Attributes:
        PICTURE: Pillow reads it; several pictures in one file make a recording.
        VIDEO: PyAV reads it.
        PLAYLIST: text that names other files and addresses, which are never opened.
        UNREAD: a picture in a format that is not read.
        EMPTY: nothing at all.
        OTHER: none of these, as far as the bytes say.
    """

    PICTURE = "picture"
    VIDEO = "video"
    PLAYLIST = "playlist"
    UNREAD = "unread"
    EMPTY = "empty"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the first bytes say.

    Attributes:
        media: what can be done with it.
        format: its name, ``JPEG`` or ``MP4`` say; empty where it is not known.
    """

    media: Media
    format: str = ""


_STARTS = (
    (b"\xff\xd8\xff", Signature(Media.PICTURE, "JPEG")),
    (b"\x89PNG\r\n\x1a\n", Signature(Media.PICTURE, "PNG")),
    (b"GIF87a", Signature(Media.PICTURE, "GIF")),
    (b"GIF89a", Signature(Media.PICTURE, "GIF")),
    (b"BM", Signature(Media.PICTURE, "BMP")),
    (b"II*\0", Signature(Media.PICTURE, "TIFF")),
    (b"MM\0*", Signature(Media.PICTURE, "TIFF")),
    (b"\x1a\x45\xdf\xa3", Signature(Media.VIDEO, "Matroska")),
    (b"FLV\x01", Signature(Media.VIDEO, "FLV")),
    (b"OggS", Signature(Media.VIDEO, "Ogg")),
    (b"DKIF", Signature(Media.VIDEO, "IVF")),
    (b"YUV4MPEG2", Signature(Media.VIDEO, "YUV4MPEG2")),
    (b"nut/multimedia", Signature(Media.VIDEO, "NUT")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Signature(Media.VIDEO, "ASF")),
    (b"\0\0\x01\xba", Signature(Media.VIDEO, "MPEG-PS")),
    (b"\0\0\x01\xb3", Signature(Media.VIDEO, "MPEG video")),
    (b"\0\0\x01\xb0", Signature(Media.VIDEO, "MPEG-4 video")),
    (b"\x12\0\n", Signature(Media.VIDEO, "AV1")),
    (b"\xff\x0a", Signature(Media.UNREAD, "JPEG XL")),
    (b"\0\0\0\x0cJXL ", Signature(Media.UNREAD, "JPEG XL")),
    (b"\0\0\0\x0cjP  ", Signature(Media.UNREAD, "JPEG 2000")),
    (b"\xff\x4f\xff\x51", Signature(Media.UNREAD, "JPEG 2000")),
    (b"II\xbc\x01", Signature(Media.UNREAD, "JPEG XR")),
    (b"\x76\x2f\x31\x01", Signature(Media.UNREAD, "OpenEXR")),
    (b"#?RADIANCE", Signature(Media.UNREAD, "Radiance HDR")),
    (b"#?RGBE", Signature(Media.UNREAD, "Radiance HDR")),
    (b"\x59\xa6\x6a\x95", Signature(Media.UNREAD, "Sun raster")),
    (b"8BPS", Signature(Media.UNREAD, "Photoshop")),
    (b"%!PS", Signature(Media.UNREAD, "PostScript")),
    (b"%PDF", Signature(Media.UNREAD, "PDF")),
    (b"\0\x05\x16\x07", Signature(Media.OTHER, "AppleDouble")),
)
# What begins a text that names other files, in small letters.
_PLAYLISTS = (
    (b"#extm3u", "M3U"),
    (b"ffconcat", "concat"),
    (b"v=0", "SDP"),
    (b"[playlist]", "PLS"),
    (b"[reference]", "ASX"),
    (b"<asx", "ASX"),
    (b"<smil", "SMIL"),
    (b"<mpd", "DASH"),
    (b"<?xml", "XML"),
    (b"rtsptext", "RTSP text"),
    (b"smi", "SMIL"),
)
_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif"}
_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_RIFF = {
    b"WEBP": Signature(Media.PICTURE, "WebP"),
    b"AVI ": Signature(Media.VIDEO, "AVI"),
}
_TS_PACKET = 188
_H264_FIRST = {1, 5, 6, 7, 8, 9}
_H265_FIRST = {19, 20, 21, 32, 33, 34, 35, 39}


def signature_of(head: bytes) -> Signature:
    """What begins with these bytes.

    Args:
        head: the first ``HEAD_BYTES``, or all where there are fewer.
    """
    if not head:
        return Signature(Media.EMPTY)
    for start, signature in _STARTS:
        if head.startswith(start):
            return signature
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return Signature(Media.PICTURE, "PNM")
    if head[4:8] in _BOXES:
        return _iso_media(head)
    return _stream(head) or _text(head) or Signature(Media.OTHER)


def _iso_media(head: bytes) -> Signature:
    if head[4:8] == b"ftyp":
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
        if brands[0] in _AVIF or (brands[0] in _HEIF and _AVIF.intersection(brands)):
            return Signature(Media.PICTURE, "AVIF")
        if brands[0] in _HEIF:
            return Signature(Media.PICTURE, "HEIC")
    return Signature(Media.VIDEO, "MP4")


def _stream(head: bytes) -> Signature | None:
    """Elementary and transport streams, which have no header of their own."""
    for offset in (0, 4):  # 4 bytes of time stamp before each packet on discs
        step = _TS_PACKET + offset
        marks = head[offset::step][:4]
        if len(marks) > 1 and set(marks) == {0x47}:
            return Signature(Media.VIDEO, "MPEG-TS")
    for start in (b"\0\0\0\x01", b"\0\0\x01"):
        if head.startswith(start) and len(head) > len(start) + 1:
            first, second = head[len(start) : len(start) + 2]
            # H.265's header has two bytes; a stream begins with layer 0, sublayer 0.
            if first >> 1 & 0x3F in _H265_FIRST and not first & 0x81 and second == 1:
                return Signature(Media.VIDEO, "H.265")
            if not first & 0x80 and first & 0x1F in _H264_FIRST:
                return Signature(Media.VIDEO, "H.264")
    return None


def _text(head: bytes) -> Signature | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in _PLAYLISTS:
        if text.startswith(start):
            return Signature(Media.PLAYLIST, name)
    return None
