"""A part: the answers to some photos as a Parquet file, which says of itself how they came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"dcrnet.part"


@dataclass(frozen=True, slots=True)
class Failed:
    """A photo that could not be read.

    Attributes:
        path: its address.
        source: what answers call it.
        reason: why.
    """

    path: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartCounts:
    """How the photos of a part came out.

    Attributes:
        number: of the part.
        photos_sha256: of what its photos were taken for.
        with_faces: photos with a face.
        without: photos without one.
        faces: in all of them.
        failed: those that could not be read.
    """

    number: int
    photos_sha256: str = ""
    with_faces: int = 0
    without: int = 0
    faces: int = 0
    failed: tuple[Failed, ...] = ()

    @property
    def photos(self) -> int:
        """All of them."""
        return self.with_faces + self.without + len(self.failed)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> PartCounts:
        """What ``dataclasses.asdict`` gave."""
        failed = tuple(Failed(**each) for each in told["failed"])
        return cls(**{**told, "failed": failed})


@dataclass(frozen=True, slots=True)
class PartDone:
    """What a worker says of a part that it has written.

    Attributes:
        counts: of its photos.
        worker: a number of its own.
        cpu_s: processor time that the worker has used since it was started.
        peak_bytes: the most memory that it had resident.
        seconds: that steps took, by step.
        notes: what is to be said.
        refusal: why the worker can answer nothing at all; empty where it can.
    """

    counts: PartCounts
    worker: int = 0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refusal: str = ""

    def to_text(self) -> str:
        """As JSON, which every engine can carry."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> PartDone:
        """What :meth:`to_text` gave."""
        told = json.loads(text)
        counts = PartCounts.from_json(told["counts"])
        return cls(**{**told, "counts": counts, "notes": tuple(told["notes"])})


def part_content(schema: pa.Schema, rows: Sequence[tuple[Any, ...]], counts: PartCounts) -> bytes:
    """The file: rows in the columns' order, and the counts in its metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = {**(schema.metadata or {}), _KEY: json.dumps(asdict(counts)).encode()}
    schema = schema.with_metadata(told)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def part_counts(content: bytes, name: str) -> PartCounts:
    """How the photos of a part came out that was written earlier.

    Raises:
        DcrnetError: it is no part.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(pa.BufferReader(content)).metadata or {}
        return PartCounts.from_json(json.loads(metadata[_KEY]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DcrnetError(f"{name} is no part of a run: move it away, and start again") from error
