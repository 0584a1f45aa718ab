"""Answers read back: the same frame whatever the format, and what is told of damaged files."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated import LABELS
from observed import boxed, observation, tracked

from dcrnet_runtime import read_answers
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.frame import Frame

pd = pytest.importorskip("pandas", reason="needs the tables extra")
pytest.importorskip("pyarrow.parquet", reason="needs the tables extra")

FACTS = FrameFacts(LABELS, Feed.RECORDING, model_sha256="ab" * 32, settings={"rotate": 0})
FORMATS = ("parquet", "csv", "jsonl")
NAMES = ("=1+1.mp4", "by\udcfftes.mp4", "two\nlines.mp4", "'quoted.mp4", "plain.mp4")
ALL = pytest.mark.parametrize("form", FORMATS)


def observations() -> list[Observation]:
    uncertain = replace(tracked(2), label=None)
    return [
        observation(0, tracked(1, face=boxed(-4.25, 60)), uncertain, name=NAMES[0]),
        observation(1, name=NAMES[0]),  # nobody
        *(observation(2 + i, tracked(3, "fear"), name=name) for i, name in enumerate(NAMES)),
    ]


def photo() -> Observation:
    probabilities = np.linspace(0, 2 / len(LABELS), len(LABELS)).astype(np.float32)
    frame = Frame(np.zeros((9, 9, 3), np.uint8), 7, 0.0, "photo.jpg", scale=2)
    return Observation.of_still(frame, [Recognition(boxed(), LABELS, probabilities)])


def written(folder: Path, seen: list[Observation], facts: FrameFacts = FACTS) -> dict[str, Path]:
    paths = {form: folder / f"a.{form}" for form in FORMATS}
    options: dict[str, Any] = {**paths, "jsonl": str(paths["jsonl"])}
    publisher = open_publisher(OutputPlan.of(facts, **options))
    for each in seen:
        publisher.publish(each)
    publisher.close()
    return paths


def test_frames_are_alike_whatever_the_format(tmp_path: Path) -> None:
    paths = written(tmp_path, [*observations(), photo()])
    frames = {form: read_answers(paths[form]) for form in FORMATS}
    whole = frames["parquet"]
    assert len(whole) == 8
    assert list(whole["source"][[0, 3, 4, 7]]) == [
        *("=1+1.mp4", "by\\udcfftes.mp4", "two\nlines.mp4", "photo.jpg")
    ]
    assert list(whole["track"]) == [1, 2, 3, 3, 3, 3, 3, 0]
    assert whole["label"].isna().tolist() == [False, True, *[False] * 6]
    assert list(whole["label"].cat.categories) == list(LABELS)
    assert whole["x"].iloc[-1] == 200  # of the photo itself, which was read at half its size
    assert whole.attrs["model_sha256"] == "ab" * 32
    assert whole.attrs["settings"] == {"rotate": 0}
    for form, frame in frames.items():
        assert frame.dtypes.to_dict() == whole.dtypes.to_dict(), form
        assert frame.attrs["labels"] == list(LABELS)
        same = ["source", "frame", "track", "aligned", "label", "utc"]
        pd.testing.assert_frame_equal(frame[same], whole[same])
        near = [name for name in whole if name.startswith("p_") or name == "probability"]
        pd.testing.assert_frame_equal(frame[near], whole[near], atol=5.1e-5, rtol=0)
        places = ["time_s", "age_s", "x", "y", "width", "height"]
        pd.testing.assert_frame_equal(frame[places], whole[places], atol=0.051, rtol=0)
    assert frames["csv"]["outside"].isna().all()
    assert not frames["jsonl"]["outside"].isna().any()
    expected = {"frame": "int64", "time_s": "float64", "x": "float32", "aligned": "bool"}
    assert {name: str(whole[name].dtype) for name in expected} == expected
    assert str(whole["utc"].dtype) == "datetime64[ms, UTC]"
    assert str(whole["label"].dtype) == "category"


@ALL
def test_live_answers_have_their_time_of_day(tmp_path: Path, form: str) -> None:
    seen = replace(observations()[0], captured_unix_s=1_700_000_000.25)
    paths = written(tmp_path, [seen], replace(FACTS, feed=Feed.LIVE))
    frame = read_answers(paths[form])
    assert list(frame["utc"]) == [pd.Timestamp("2023-11-14T22:13:20.250Z")] * 2


@ALL
def test_a_file_without_faces_has_the_columns(tmp_path: Path, form: str) -> None:
    frame = read_answers(written(tmp_path, [observation(0)])[form])
    assert len(frame) == 0
    assert {"source", "label", "probability"} <= set(frame)
    assert str(frame["probability"].dtype) == "float32"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_torn_lines_are_left_out_and_told(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, observations())[form]
    whole = read_answers(path)
    content = path.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    for cut in (last + 1, last + 40, len(content) - 2):
        path.write_bytes(content[:cut])
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            frame = read_answers(path)
        assert len(frame) == len(whole) - 1
        assert "half-written" in caplog.text
    # A power cut in the middle of a log that went on.
    path.write_bytes(content[: last + 40] + b"\n" + content[last:])
    assert len(read_answers(path)) == len(whole)


def test_a_torn_header_has_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path, observations())["csv"]
    path.write_bytes(path.read_bytes().partition(b"\n")[0])
    assert len(read_answers(path)) == 0


def test_json_lines_of_two_models_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, observations())["jsonl"]
    other = tmp_path / "other"
    other.mkdir()
    few = replace(tracked().recognition, labels=("calm", *LABELS[1:]))
    face = replace(tracked(), recognition=few, label="calm")
    more = written(other, [observation(0, face)], replace(FACTS, labels=few.labels))["jsonl"]
    path.write_bytes(path.read_bytes() + more.read_bytes())
    with pytest.raises(DcrnetError, match="several models"):
        read_answers(path)


def test_a_folder_holds_parts_of_one_model(tmp_path: Path) -> None:
    for part, sha256 in (("1", "ab"), ("2", "ab"), ("3", "cd")):
        (tmp_path / "made").mkdir(exist_ok=True)
        facts = replace(FACTS, model_sha256=sha256 * 32)
        made = written(tmp_path / "made", [observation(int(part), tracked())], facts)
        (tmp_path / "parts").mkdir(exist_ok=True)
        made["parquet"].rename(tmp_path / "parts" / f"part-{part}.parquet")
    with pytest.raises(DcrnetError, match="another model"):
        read_answers(tmp_path / "parts")
    (tmp_path / "parts" / "part-3.parquet").unlink()
    assert list(read_answers(tmp_path / "parts")["frame"]) == [1, 2]
    with pytest.raises(DcrnetError, match="without Parquet files"):
        read_answers(tmp_path / "made")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\r\n1,2\r\n",
        b'{"schema": 2, "faces": []}\n',
        b'{"schema": 1, "faces": [{"probabilities": {"a": 1}}]}\n',
        b'{"schema": 1, "faces": [4]}\n',
        b'{"a": 1}\n{"b": 2}\n',
        b"[1, 2]\n",
        b'{"schema": 1, "source": "a", "frame": 1e300, "time_s": 0, "utc": "never", "faces": ['
        b'{"box": [0, 0, 1, 1], "outside": 0, "aligned": true, "label": "a", "probability": 1,'
        b' "probabilities": {"a": 1}}]}\n',
        b"PAR1 and then nothing",
        b"\x00\x01\x02\xff" * 50,
        b'{"half": ' * 3,
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(DcrnetError, match=str(path)):
        read_answers(path)


def test_other_parquet_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DcrnetError, match="no answers that are known here"):
        read_answers(tmp_path / "a.parquet")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="No such file"):
        read_answers(tmp_path / "gone.csv")


def test_json_of_another_shape_is_no_traceback(tmp_path: Path) -> None:
    line = json.loads(written(tmp_path, observations())["jsonl"].read_text().splitlines()[0])
    for key, value in (("box", [1, 2]), ("label", {}), ("probabilities", [1]), ("aligned", None)):
        spoilt = json.loads(json.dumps(line))
        spoilt["faces"][0][key] = value
        spoilt["faces"][0].pop("track")
        (tmp_path / "spoilt.jsonl").write_text(json.dumps(spoilt) + "\n")
        with pytest.raises(DcrnetError, match="spoilt"):
            read_answers(tmp_path / "spoilt.jsonl")


def test_without_pandas_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DcrnetError, match=r"pandas: .*\[tables\]"):
        read_answers(tmp_path / "a.csv")


def test_parquet_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, observations())["parquet"]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DcrnetError, match=r"is Parquet: .*\[parquet\]"):
        read_answers(path)
