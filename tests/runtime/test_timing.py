"""Turns and medians, on a clock that the tests move."""

from __future__ import annotations

import gc

import pytest

from dcrnet_runtime.timing import collector_paused, interleaved_ns, medians_ms


def test_tasks_take_turns_and_each_has_its_own_time() -> None:
    order: list[str] = []
    now_ns = 0

    def work(name: str, duration_ns: int) -> None:
        nonlocal now_ns
        order.append(name)
        now_ns += duration_ns

    tasks = [lambda: work("A", 2), lambda: work("B", 5)]
    assert interleaved_ns(tasks, 3, lambda: now_ns) == [[2, 5]] * 3
    assert order == ["A", "B"] * 3


def test_medians_are_of_each_task_in_ms() -> None:
    assert medians_ms([[1_000_000, 7], [3_000_000, 7], [90_000_000, 7]]) == [3.0, 7e-6]


def test_collector_comes_back_after_a_failure() -> None:
    def fail() -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interleaved_ns([fail], 1)
    assert gc.isenabled()


def test_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
