"""Worker processes: the same answers as one process gives, also when some of them are ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from deadly import DeadlySpec
from generated import TinyModel, synthetic_frame, write_clip

from dcrnet_runtime.archive import recognize_files
from dcrnet_runtime.archive.answering import ReadOptions
from dcrnet_runtime.archive.engine import Engine, LocalEngine
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.part import Part, Step
from dcrnet_runtime.archive.processes import pool as pool_module
from dcrnet_runtime.archive.processes.pool import WorkerPool
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.record import frame_record


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Photos, a clip, a file that is none, and more photos."""
    folder = tmp_path / "items"
    folder.mkdir()
    frame = synthetic_frame()
    for number in range(8):
        assert cv2.imwrite(str(folder / f"{number}.png"), np.roll(frame, 9 * number, axis=2))
    write_clip(folder / "3.avi", 70)
    (folder / "4.jpg").write_bytes(b"nothing")
    return [Item(path, path.name) for path in sorted(folder.iterdir())]


def answers(engine: Engine, items: Sequence[Item]) -> list[tuple[str, Any]]:
    """Every answer and failure of each item, in the order in which they come."""
    told: list[tuple[str, Any]] = []
    for part in engine.parts(items, lambda: False):
        if part.index < 0:
            continue
        name = items[part.index].name
        for seen in part.observations:
            record = frame_record(seen.frame, [face.recognition for face in seen.faces])
            smoothed = [face.probabilities.tobytes() for face in seen.faces]
            told.append((name, (json.dumps(record), smoothed)))
        if part.is_last:
            told.append((name, part.failure))
    return told


def spec(model: Path, tmp_path: Path, deaths: int = 0) -> DeadlySpec:
    return DeadlySpec(model=model, deaths=deaths, marks=tmp_path / "marks")


def white(path: Path) -> Item:
    assert cv2.imwrite(str(path), np.full((64, 64, 3), 255, np.uint8))
    return Item(path, path.name)


def test_answers_are_those_of_one_process(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = spec(tiny_model(), tmp_path)
    alone = answers(LocalEngine(of.open(), ReadOptions()), items)
    assert [name for name, _ in alone] == sorted(name for name, _ in alone)
    assert sum(name == "3.avi" for name, _ in alone) == 71
    assert sum(isinstance(told, tuple) for _, told in alone) == 78
    (failure,) = [told for _, told in alone if isinstance(told, str) and told]
    assert "4.jpg is no image" in failure
    assert answers(WorkerPool(of, ReadOptions(), 3), items) == alone
    monkeypatch.setattr(pool_module, "_MOST_WAITING", 1)  # nothing may be held back for its turn
    assert answers(WorkerPool(of, ReadOptions(), 2), items) == alone


def test_what_a_killed_worker_had_is_done_once_more(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path
) -> None:
    items.insert(2, white(tmp_path / "white.png"))
    of = spec(tiny_model(), tmp_path, deaths=1)
    pool = WorkerPool(of, ReadOptions(), 2)
    parts = list(pool.parts(items, lambda: False))
    notes = [note for part in parts for note in part.notes if note.startswith("Worker")]
    assert len(notes) == 1
    assert "was ended by SIGKILL at " in notes[0]
    assert notes[0].endswith("white.png, which is done again.")
    alone = answers(LocalEngine(of.open(), ReadOptions()), items)  # it has died often enough
    assert [part.index for part in parts if part.is_last] == list(range(len(items)))
    assert sum(len(part.observations) for part in parts) == 79
    assert answers(WorkerPool(of, ReadOptions(), 2), items) == alone


def test_a_recording_that_a_worker_died_in_is_told_once(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 10, (320, 240))
    for number in range(80):
        is_white = number == 70
        frame = np.full((240, 320, 3), 255, np.uint8) if is_white else synthetic_frame()
        writer.write(frame)
    writer.release()
    pool = WorkerPool(spec(tiny_model(), tmp_path, deaths=1), ReadOptions(), 1)
    parts = list(pool.parts([Item(path, path.name)], lambda: False))
    told = [seen.frame.index for part in parts for seen in part.observations]
    assert told == list(range(80))
    assert (tmp_path / "marks").stat().st_size >= 2


def test_what_kills_every_worker_is_given_up(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path
) -> None:
    items.insert(2, white(tmp_path / "white.png"))
    pool = WorkerPool(spec(tiny_model(), tmp_path, deaths=99), ReadOptions(), 2)
    parts = list(pool.parts(items, lambda: False))
    failures = {items[part.index].name: part.failure for part in parts if part.failure}
    assert set(failures) == {"white.png", "4.jpg"}
    assert "the process that tried was ended by SIGKILL, twice" in failures["white.png"]
    assert [part.index for part in parts if part.is_last] == list(range(len(items)))
    assert (tmp_path / "marks").stat().st_size == 2


def test_a_worker_that_cannot_begin_says_why(items: list[Item], tmp_path: Path) -> None:
    pool = WorkerPool(spec(tmp_path / "none.onnx", tmp_path), ReadOptions(), 2)
    with pytest.raises(DcrnetError, match=r"none\.onnx cannot be read"):
        next(pool.parts(items, lambda: False))


def test_another_model_in_a_worker_is_refused(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path
) -> None:
    pool = WorkerPool(spec(tiny_model(), tmp_path), ReadOptions(), 2, model_sha256="other")
    with pytest.raises(DcrnetError, match="model's file was changed"):
        next(pool.parts(items, lambda: False))


def test_workers_end_when_nobody_wants_more(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path
) -> None:
    pool = WorkerPool(spec(tiny_model(), tmp_path), ReadOptions(), 2)
    parts: Iterator[Part]
    with closing(pool.parts(items, lambda: False)) as parts:
        next(parts)
        processes = [member.process for member in pool._members]
        assert len(processes) == 2
        assert all(process.poll() is None for process in processes)
    assert not any(process.poll() is None for process in processes)


def test_steps_and_use_are_told(items: list[Item], tiny_model: TinyModel, tmp_path: Path) -> None:
    of = spec(tiny_model(), tmp_path)
    for engine in (LocalEngine(of.open(), ReadOptions()), WorkerPool(of, ReadOptions(), 2)):
        parts = list(engine.parts(items, lambda: False))
        for name in ("0.png", "3.avi"):
            own = [part for part in parts if items[part.index].name == name]
            for step in Step:
                assert sum(part.seconds.get(step, 0.0) for part in own) > 0, (name, step)
        usage = [part.usage for part in parts if part.usage is not None]
        assert all(each.cpu_s > 0 and each.peak_bytes > 30e6 for each in usage)


def test_files_are_answered_from_python(
    items: list[Item], tiny_model: TinyModel, tmp_path: Path
) -> None:
    of = spec(tiny_model(), tmp_path)
    paths = [item.path for item in items]
    both = []
    for workers in (1, 2):
        told = list(recognize_files([*paths, tmp_path / "gone.png"], workers=workers, spec=of))
        both.append([(answer.path, [face.label for face in answer.faces]) for answer in told])
        errors = {answer.path.name: answer.error for answer in told if answer.error}
        assert set(errors) == {"4.jpg", "gone.png"}
        assert sum(answer.observation is not None for answer in told) == 78
    assert both[0] == both[1]
    with pytest.raises(DcrnetError, match="`workers` 0 is no number of processes"):
        list(recognize_files(paths, workers=0, spec=of))
