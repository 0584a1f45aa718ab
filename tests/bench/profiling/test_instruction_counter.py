"""Counts of the emulator's plug-in, read by the program that it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.profiling import instruction_counter as module
from dcrnet_bench.profiling.instruction_counter import InstructionCounter
from dcrnet_runtime.errors import DcrnetError


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstructionCounter:
    """Each mark executes 3 others; the file holds lines of an earlier model."""
    file = tmp_path / "counts"
    file.write_text("9 9 9 9 9 9 9\n")
    executed = [10, 0, 0, 0, 0, 0, 0]

    def mark() -> None:
        executed[6] += 3
        with file.open("a") as lines:
            lines.write(" ".join(map(str, executed)) + "\n")

    def infer() -> None:
        infer.runs += 1  # type: ignore[attr-defined]
        executed[0] += 1000
        executed[4] += 200 + (50 if infer.runs == 4 else 0)  # type: ignore[attr-defined]

    infer.runs = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "_mark", mark)
    monkeypatch.setattr(InstructionCounter, "infer", staticmethod(infer), raising=False)
    found = InstructionCounter.find({"DCRNET_INSTRUCTION_COUNTS": str(file)} | CORE)
    assert found is not None
    return found


CORE = {"DCRNET_EMULATED_CORE": "cortex-a76"}


def test_the_least_run_counts_without_the_marks(counter: InstructionCounter) -> None:
    told = counter.executed_by(counter.infer)  # type: ignore[attr-defined]
    assert (told.core, told.total) == ("cortex-a76", 1200)
    assert told.by_kind == {
        **{"dot": 1000, "matrix": 0, "fmla": 0, "widening": 0},
        **{"load": 200, "store": 0, "other": 0},
    }


def test_a_second_model_is_counted_alone(counter: InstructionCounter) -> None:
    counter.executed_by(counter.infer)  # type: ignore[attr-defined]
    assert counter.executed_by(counter.infer).total == 1200  # type: ignore[attr-defined]


def test_without_an_emulator_there_is_none() -> None:
    assert InstructionCounter.find({}) is None


def test_a_plug_in_that_does_not_count_is_told(tmp_path: Path) -> None:
    counter = InstructionCounter(tmp_path / "counts", "cortex-a76")
    with pytest.raises(DcrnetError, match="has no file"):
        counter.executed_by(lambda: None)
    counter.file.touch()
    with pytest.raises(DcrnetError, match="wrote 0 lines"):
        counter.executed_by(lambda: None)
