"""A format that a test registers can be asked for, and its files are made and described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export import ArtifactKind, FileFormat, Precision, lower, register
from dcrnet_export.artifacts.files import write_artifact
from dcrnet_export.artifacts.inspection import describe
from dcrnet_export.artifacts.kind import build_content
from dcrnet_export.artifacts.selection import selected_kinds
from dcrnet_export.formats.registry import FORMATS
from dcrnet_export.ir.graph import Graph

MARK = b"TOY "


def listed(graph: Graph, batch: int | None) -> bytes:
    """The names of all operations."""
    return MARK + json.dumps([node.name for node in graph.nodes]).encode()


def card_text(content: bytes) -> str | None:
    if not content.startswith(MARK):
        raise ValueError("no toy")
    return content.partition(b"\n")[2].decode() or None


TOY = FileFormat(
    name="toy",
    float_emitters={Precision.FP32: listed},
    integer_emitters={Precision.INT8: lambda quantized, batch: listed(quantized.graph, batch)},
    with_card=lambda content, card: content + b"\n" + card.to_json().encode(),
    card_text=card_text,
    structure_problem=lambda content, card: None,
)


@pytest.fixture
def toy() -> Iterator[FileFormat]:
    register(TOY)
    yield TOY
    del FORMATS["toy"]


def test_registered_format_is_selected_written_and_described(
    toy: FileFormat, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    kinds = selected_kinds(["toy"], [Precision.INT8], None, "1")
    assert kinds == [ArtifactKind("toy", each) for each in (Precision.FP32, Precision.INT8)]
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    for kind in kinds:
        path = tmp_path / kind.file_name("dcrnet", 64)
        write_artifact(path, build_content(kind, graph, checkpoint.card), checkpoint.card)
        described = describe(path)
        assert described.format == "toy"
        assert described.card == checkpoint.card
        assert path.name.endswith(".toy")
