"""Parquet and matrices of features: what they hold, and what a kill or a full disk leaves."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated import LABELS
from observed import boxed, observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation, TrackedFace
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, Publisher, open_publisher
from dcrnet_runtime.outputs.publisher import OutputFailedError
from dcrnet_runtime.outputs.tables.row_stream import stream_beside
from dcrnet_runtime.outputs.tables.specs import FeaturesSpec, ParquetSpec
from dcrnet_runtime.video.feed import Feed

pa = pytest.importorskip("pyarrow", reason="needs the parquet extra")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the parquet extra")

VIDEO = FrameFacts(
    LABELS, Feed.RECORDING, model_sha256="ab" * 32, feature_count=3, settings={"rotate": 90}
)
LIVE = replace(VIDEO, feed=Feed.LIVE)


def opened(facts: FrameFacts = VIDEO, positions: Any = None, **options: Any) -> Publisher:
    return open_publisher(OutputPlan.of(facts, jsonl=None, **options), positions=positions)


def with_features(face: TrackedFace, *values: float) -> TrackedFace:
    features = np.array(values, np.float32)
    return replace(face, recognition=replace(face.recognition, features=features))


def publish(publisher: Publisher, *observations: Observation) -> None:
    for each in observations:
        publisher.publish(each)


def frames(*indices: int) -> list[Observation]:
    return [
        observation(i, with_features(tracked(face=boxed(x=i)), i, i + 0.5, -i)) for i in indices
    ]


def held_frames(path: Path) -> list[int]:
    return pq.read_table(path)["frame"].to_pylist()


def test_a_row_a_face_with_types_and_units(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.parquet"
    publisher = opened(parquet=path)
    two = observation(
        3, tracked(1, face=boxed(-4.25, 60)), tracked(2, "anger"), name="a\udcff.mp4"
    )
    publish(publisher, two, observation(4))
    publisher.close()
    table = pq.read_table(path)
    assert table.num_rows == 2
    first, second = table.to_pylist()
    place = {"source": "a\\udcff.mp4", "frame": 3, "time_s": 0.12, "utc": None, "track": 1}
    assert {name: first[name] for name in place} == place
    assert (first["x"], first["y"], first["width"], first["height"]) == (-4.25, 60, 80, 80)
    assert first["aligned"] is False
    assert second["aligned"] is True
    assert (first["label"], second["label"]) == ("happiness", "anger")
    assert first["probability"] == np.float32(0.8)
    assert first["p_anger"] == pytest.approx(0.2 / 6)
    schema = table.schema
    assert schema.names[-len(LABELS) :] == [f"p_{label}" for label in LABELS]
    assert schema.field("time_s").type == pa.float64()
    assert schema.field("time_s").metadata[b"unit"] == b"s"
    assert schema.field("x").metadata[b"unit"] == b"px"
    assert schema.field("p_fear").type == pa.float32()
    assert schema.field("utc").type == pa.timestamp("ms", "UTC")
    assert all(field.metadata[b"description"] for field in schema)
    told = json.loads(schema.metadata[b"dcrnet"])
    assert told["model_sha256"] == "ab" * 32
    assert told["settings"] == {"rotate": 90}
    assert told["labels"] == list(LABELS)
    assert [each.name for each in path.parent.iterdir()] == ["a.parquet"]


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"older")
    publisher = opened(parquet=path)
    publish(publisher, *frames(0))
    assert path.read_bytes() == b"older"
    publisher.close()
    assert held_frames(path) == [0]
    nothing = opened(parquet=path)  # no frame: nothing is whole
    nothing.close()
    assert held_frames(path) == [0]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.parquet"]


def test_groups_of_rows_bound_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dcrnet_runtime.outputs.tables import table_files, table_writer

    monkeypatch.setattr(table_writer, "_FLUSH_ROWS", 4)
    monkeypatch.setattr(table_files, "GROUP_ROWS", 8)
    publisher = opened(parquet=tmp_path / "a.parquet")
    publish(publisher, *frames(*range(30)))
    publisher.close()
    metadata = pq.ParquetFile(tmp_path / "a.parquet").metadata
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sizes == [8, 8, 8, 6]
    assert held_frames(tmp_path / "a.parquet") == list(range(30))


@pytest.mark.parametrize("kept", [0, 1, 4, 5])
def test_a_killed_run_goes_on_at_its_position(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.parquet"
    killed = opened(positions={}, parquet=path)
    publish(killed, *frames(0, 1))
    assert killed.positions() == {"parquet": 2}
    publish(killed, *frames(2, 3, 4))
    assert killed.positions() == {"parquet": 5}
    stream = stream_beside(path)
    with stream.open("ab") as file:  # what a kill leaves of a batch
        file.write(b"\xff\xff\xff\xff\x80\x02\x00\x00half")
    assert not path.exists()
    assert ParquetSpec(path).extent() == 5
    again = opened(positions={"parquet": kept}, parquet=path)
    publish(again, *frames(7, 8))
    assert again.positions() == {"parquet": kept + 2}
    again.close()
    assert held_frames(path) == [*range(kept), 7, 8]
    assert not stream.exists()
    assert ParquetSpec(path).extent() == kept + 2


def test_a_finished_table_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    first = opened(positions={}, parquet=path)
    publish(first, *frames(0, 1, 2))
    first.close()
    second = opened(positions={"parquet": 2}, parquet=path)
    publish(second, *frames(9))
    second.close()
    assert held_frames(path) == [0, 1, 9]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"model_sha256": "cd" * 32}, "another model"),
        ({"settings": {"rotate": 0}}, "other settings"),
        ({"labels": LABELS[:3]}, "another schema"),
    ],
)
@pytest.mark.parametrize("is_finished", [True, False])
def test_rows_of_two_kinds_are_not_mixed(
    tmp_path: Path, other: dict[str, Any], what: str, is_finished: bool
) -> None:
    path = tmp_path / "a.parquet"
    first = opened(positions={}, parquet=path)
    publish(first, *frames(0))
    first.positions()
    if is_finished:
        first.close()
    with pytest.raises(DcrnetError, match=what):
        opened(replace(VIDEO, **other), positions={"parquet": 1}, parquet=path)
    if is_finished:
        assert held_frames(path) == [0]
        assert not stream_beside(path).exists()
    else:
        assert ParquetSpec(path).extent() == 1


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    with pytest.raises(DcrnetError, match="another schema"):
        opened(LIVE, parquet=path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DcrnetError, match="no Parquet file"):
        opened(LIVE, parquet=path)


def test_a_live_log_survives_restarts_and_has_times(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for index in (0, 1):
        publisher = opened(LIVE, parquet=path)
        publish(publisher, replace(frames(index)[0], captured_unix_s=1_700_000_000.2507))
        publisher.close()
    table = pq.read_table(path)
    assert table["frame"].to_pylist() == [0, 1]
    assert table["utc"].to_pylist()[0].isoformat() == "2023-11-14T22:13:20.250000+00:00"


def test_a_full_disk_is_told_and_loses_no_row_that_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    publisher = opened(positions={}, parquet=path)
    publish(publisher, *frames(0, 1))
    assert publisher.positions() == {"parquet": 2}
    publish(publisher, *frames(2))
    write = os.write

    def full(file: int, content: Any) -> int:
        if len(content) > 100:
            write(file, content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("dcrnet_runtime.outputs.tables.row_stream.os.write", full)
        assert publisher.positions() is None
        publish(publisher, *frames(3))
        with pytest.raises(OutputFailedError, match="No space left"):
            publisher.close()
    assert ParquetSpec(path).extent() == 2
    again = opened(positions={"parquet": 2}, parquet=path)
    publish(again, *frames(2, 3))
    again.close()
    assert held_frames(path) == [0, 1, 2, 3]


def test_a_recording_that_fails_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"older")
    publisher = opened(parquet=path)
    publish(publisher, *frames(0))

    def full(*_: object) -> Iterator[None]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputFailedError, match="No space left"):
        publisher.close()
    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("place", ["-", "/dev/null", "folder"])
def test_what_is_no_file_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / place if place == "folder" else Path(place)
    with pytest.raises(DcrnetError, match=r"no file|is a folder"):
        opened(parquet=path)


@pytest.mark.parametrize(("option", "ending"), [("parquet", "parquet"), ("features", "npy")])
def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, ending: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(DcrnetError, match=rf"`{option}` needs pyarrow: .*\[parquet\]"):
        opened(VIDEO, **{option: tmp_path / f"a.{ending}"})


def test_features_are_a_row_a_face(tmp_path: Path) -> None:
    publisher = opened(features=tmp_path / "f.parquet")
    publish(publisher, *frames(1, 2))
    publisher.close()
    table = pq.read_table(tmp_path / "f.parquet")
    assert table["features"].to_pylist() == [[1, 1.5, -1], [2, 2.5, -2]]
    assert table["frame"].to_pylist() == [1, 2]
    assert table.schema.field("features").type == pa.list_(pa.float32(), 3)
    assert "p_anger" not in table.schema.names
    publisher = opened(features=tmp_path / "f.npy")
    publish(publisher, *frames(1, 2))
    publisher.close()
    matrix = np.load(tmp_path / "f.npy")
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [[1, 1.5, -1], [2, 2.5, -2]])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["f.npy", "f.parquet"]


def test_a_killed_matrix_goes_on_and_a_finished_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "f.npy"
    killed = opened(positions={}, features=path)
    publish(killed, *frames(1))
    assert killed.positions() == {"features": 1}
    again = opened(positions={"features": FeaturesSpec(path).extent()}, features=path)
    publish(again, *frames(2))
    again.close()
    assert np.load(path)[:, 0].tolist() == [1, 2]
    assert FeaturesSpec(path).extent() == 2
    with pytest.raises(DcrnetError, match="cannot be gone on with"):
        opened(positions={"features": 2}, features=path)
    assert np.load(path)[:, 0].tolist() == [1, 2]


def test_features_that_nobody_gives_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"dcrnet-export .* --features"):
        opened(replace(VIDEO, feature_count=0), features=tmp_path / "f.npy")
    with pytest.raises(DcrnetError, match=r"neither \.parquet nor \.npy"):
        opened(features=tmp_path / "f.csv")


def test_the_notice_warns_of_features(tmp_path: Path) -> None:
    plan = OutputPlan.of(VIDEO, jsonl=None, features=tmp_path / "f.npy")
    assert "recognise people again" in plan.notice()
    assert plan.needs_features
    assert not OutputPlan.of(VIDEO, parquet=tmp_path / "a.parquet").needs_features
