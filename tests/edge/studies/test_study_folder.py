"""Several processes in one study's folder; here threads, which locks keep apart as well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.studies.study_folder import StudyFolder
from dcrnet_runtime.errors import DcrnetError

LIMIT_S = 20.0


def plan(write: Callable[[Path], None]) -> Plan:
    return Plan({"sides": 6}, [Unit(name, write) for name in ("one", "two", "three")])


def silent(name: str, done: int, units: int) -> None:
    pass


def begun(root: Path, work: Plan) -> StudyFolder:
    folder = StudyFolder(root)
    folder.begin("dice", work)
    return folder


def joined(
    pool: ThreadPoolExecutor,
    folder: StudyFolder,
    first: Callable[[Path], None],
    is_at_one: threading.Event,
    second: Callable[[Path], None],
) -> Future[None]:
    """The first's work, when a second one that joined it in its first unit is through."""
    one = pool.submit(folder.work, plan(first), silent)
    assert is_at_one.wait(LIMIT_S)
    pool.submit(folder.work, plan(second), silent).result(LIMIT_S)
    return one


def test_a_second_process_starts_at_the_other_end_and_does_nothing_twice(tmp_path: Path) -> None:
    done: dict[str, list[str]] = {"first": [], "second": []}
    first_is_at_one, second_is_through = threading.Event(), threading.Event()

    def first(path: Path) -> None:
        done["first"].append(path.stem)
        first_is_at_one.set()
        assert second_is_through.wait(LIMIT_S)
        path.write_text("3")

    def second(path: Path) -> None:
        done["second"].append(path.stem)
        path.write_text("4")
        if path.stem == "two":
            second_is_through.set()

    folder = begun(tmp_path, plan(first))
    with ThreadPoolExecutor(2) as pool:
        one = joined(pool, folder, first, first_is_at_one, second)
        assert list(folder.answers()) == ["one", "two", "three"]
        one.result(LIMIT_S)
    assert done == {"first": ["one"], "second": ["three", "two"]}


def test_a_unit_whose_process_failed_is_done_by_the_other(tmp_path: Path) -> None:
    is_at_one, other_is_waiting = threading.Event(), threading.Event()

    def failing(path: Path) -> None:
        is_at_one.set()
        assert other_is_waiting.wait(LIMIT_S)
        raise DcrnetError("the die has fallen off the table")

    def whole(path: Path) -> None:
        path.write_text("4")
        if path.stem == "two":
            other_is_waiting.set()

    folder = begun(tmp_path, plan(failing))
    with ThreadPoolExecutor(2) as pool:
        one = joined(pool, folder, failing, is_at_one, whole)
        with pytest.raises(DcrnetError, match="off the table"):
            one.result(LIMIT_S)
    assert {path.read_text() for path in folder.answers().values()} == {"4"}


def test_a_unit_waits_for_those_whose_files_it_reads(tmp_path: Path) -> None:
    """Also in the process that starts from the end."""
    done: list[str] = []

    def write(path: Path) -> None:
        done.append(path.stem)
        path.write_text("3")

    units = [Unit("one", write), Unit("two", write, ("one",)), Unit("three", write, ("two",))]
    work = Plan({"sides": 6}, units[::-1])
    begun(tmp_path, work).work(work, silent)
    assert done == ["one", "two", "three"]


def test_a_model_file_may_be_called_anything(tmp_path: Path) -> None:
    name = "accurate (1)/für alle: 50 %.onnx"

    def write(path: Path) -> None:
        path.write_text("3")

    work = Plan({"sides": 6}, [Unit(name, write)])
    folder = begun(tmp_path, work)
    folder.work(work, silent)
    (path,) = folder.answers().values()
    assert list(folder.answers()) == [name]
    assert path.parent == tmp_path / "answers"
    assert path.read_text() == "3"


def test_tables_are_not_made_while_somebody_works(tmp_path: Path) -> None:
    refusals: list[str] = []

    def write(path: Path) -> None:
        with pytest.raises(DcrnetError) as refused, folder.locked():
            pass
        refusals.append(str(refused.value))
        path.write_text("3")

    folder = begun(tmp_path, plan(write))
    folder.work(plan(write), silent)
    assert len(refusals) == 3
    assert "is being worked on by another process" in refusals[0]
    with folder.locked():
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            ".lock",
            "answers",
            "study.json",
        ]
