"""A hash of a model file's content that the file itself carries, so that damage is noticed.

It covers the card and all of the file that is not metadata, as it stands there: a tool that reads
a model and writes it again leaves both as they were, and may add metadata of its own.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from dcrnet_runtime.backends.card import CARD_KEY
from dcrnet_runtime.backends.model import TFLITE_CARD_FILE

HASH_KEY = "dcrnet_sha256"
"""Where the hash stands in an ONNX file's metadata."""

TFLITE_HASH_FILE = "dcrnet.sha256"
"""Where it stands in the zip behind a TFLite model."""

_METADATA_PROPS = 14  # of ModelProto, onnx/onnx.proto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf's wire types
_MOST_FIELDS = 4096
_LARGEST_ENTRY = 1 << 24
_UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,  # another compression
    RuntimeError,  # a password
    OSError,
    EOFError,
    ValueError,
    KeyError,
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a model file says beside its graph.

    Attributes:
        card: the text of the card, None where there is none.
        sha256: the hash that is stated, None where there is none.
        rest: the parts of the file that are not metadata, as (start, end) in bytes, in order.
    """

    card: str | None
    sha256: str | None
    rest: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Hashes:
    """SHA-256, hexadecimal.

    Attributes:
        file: of all bytes.
        content: of those that are not metadata, followed by the card's.
    """

    file: str
    content: str


def content_sha256(graph: bytes, card: str) -> str:
    """What an exporter writes into a file.

    Args:
        graph: the file as it is without metadata.
        card: its text.
    """
    return sha256(graph + card.encode()).hexdigest()


def hashes_of(content: bytes, metadata: Metadata) -> Hashes:
    """Both hashes of a file, which cost one where the metadata stands at its end."""
    view = memoryview(content)
    graph, read = sha256(), 0
    for start, end in metadata.rest[:1]:
        if start == 0:
            graph.update(view[:end])
            read = end
    whole = graph.copy()
    whole.update(view[read:])
    for start, end in metadata.rest[1 if read else 0 :]:
        graph.update(view[start:end])
    graph.update((metadata.card or "").encode())
    return Hashes(whole.hexdigest(), graph.hexdigest())


def onnx_metadata(content: bytes) -> Metadata | None:
    """The metadata of an ONNX file; None where it is no protobuf message."""
    entries: dict[str, str] = {}
    rest: list[tuple[int, int]] = []
    try:
        for number, start, value, end in _fields(content, 0, len(content)):
            if number == _METADATA_PROPS:
                entries |= _entry(content, value, end)
            elif rest and rest[-1][1] == start:
                rest[-1] = rest[-1][0], end
            else:
                rest.append((start, end))
    except ValueError:
        return None
    return Metadata(entries.get(CARD_KEY), entries.get(HASH_KEY), rest)


def tflite_metadata(content: bytes) -> Metadata:
    """The metadata of a TFLite file, which is a zip behind the model."""
    found: dict[str, str] = {}
    end = len(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as appended:
            end = min(info.header_offset for info in appended.infolist())
            for name in {TFLITE_CARD_FILE, TFLITE_HASH_FILE} & {*appended.namelist()}:
                if appended.getinfo(name).file_size <= _LARGEST_ENTRY:
                    found[name] = appended.read(name).decode()
    except _UNREADABLE_ZIP:
        return Metadata(None, None, [(0, end)])
    return Metadata(found.get(TFLITE_CARD_FILE), found.get(TFLITE_HASH_FILE), [(0, end)])


def _entry(content: bytes, start: int, end: int) -> Mapping[str, str]:
    texts = {
        number: content[value:stop].decode()
        for number, _, value, stop in _fields(content, start, end)
    }
    return {texts.get(_KEY, ""): texts.get(_VALUE, "")}


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a protobuf message: number, start, and start and end of the value, in bytes.

    Raises:
        ValueError: it is none, or one of absurdly many fields.
    """
    for _ in range(_MOST_FIELDS):
        if start == end:
            return
        tag, at = _varint(content, start, end)
        value, size = at, 0
        match tag & 7:
            case wire if wire == _VARINT:
                _, value = _varint(content, at, end)
            case wire if wire == _FIXED64:
                size = 8
            case wire if wire == _BYTES:
                size, value = _varint(content, at, end)
            case wire if wire == _FIXED32:
                size = 4
            case _:
                raise ValueError("a group, or no protobuf")
        if value + size > end:
            raise ValueError("cut off")
        yield tag >> 3, start, value, value + size
        start = value + size
    raise ValueError("too many fields")


def _varint(content: bytes, start: int, end: int) -> tuple[int, int]:
    """A number of at most 64 bits, and where it ends."""
    number = 0
    for shift, at in enumerate(range(start, min(end, start + 10))):
        number |= (content[at] & 0x7F) << 7 * shift
        if content[at] < 0x80:
            return number, at + 1
    raise ValueError("cut off")
