"""TFLite files whose batch is left open, made to take one picture at a time."""

from __future__ import annotations

import struct

from dcrnet_runtime.errors import DcrnetError

# Places in TFLite's schema, version 3: fields by their number in their table.
_SUBGRAPHS, _TENSORS, _SHAPE_SIGNATURE = 2, 0, 7
_OPEN = -1


def one_at_a_time(content: bytes) -> bytes:
    """The same file, its tensors' open dimensions set to 1: LiteRT.js refuses open ones.

    Raises:
        DcrnetError: it is no TFLite file.
    """
    tables = _Tables(content)
    try:
        for subgraph in tables.vector(tables.root, _SUBGRAPHS):
            for tensor in tables.vector(subgraph, _TENSORS):
                tables.close_dimensions(tensor)
    except struct.error as error:
        raise DcrnetError(
            "the landmark network is no TFLite file: name another face_landmarker.task bundle"
        ) from error
    return bytes(tables.content)


class _Tables:
    """FlatBuffers' tables, as far as they are needed."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)

    @property
    def root(self) -> int:
        return self._uint32(0)

    def vector(self, table: int, field: int) -> list[int]:
        """Where the tables of a vector lie."""
        start, count = self._elements(table, field)
        return [at + self._uint32(at) for at in range(start, start + 4 * count, 4)]

    def close_dimensions(self, tensor: int) -> None:
        start, count = self._elements(tensor, _SHAPE_SIGNATURE)
        for at in range(start, start + 4 * count, 4):
            if struct.unpack_from("<i", self.content, at)[0] == _OPEN:
                struct.pack_into("<i", self.content, at, 1)

    def _elements(self, table: int, field: int) -> tuple[int, int]:
        """Where a vector's elements begin, and how many they are."""
        layout = table - struct.unpack_from("<i", self.content, table)[0]
        size, entry = struct.unpack_from("<H", self.content, layout)[0], 4 + 2 * field
        offset = 0
        if entry < size:
            offset = struct.unpack_from("<H", self.content, layout + entry)[0]
        if offset == 0:
            return 0, 0
        vector = table + offset + self._uint32(table + offset)
        return vector + 4, self._uint32(vector)

    def _uint32(self, at: int) -> int:
        return int(struct.unpack_from("<I", self.content, at)[0])
