"""Numbers that stay with their faces: assignment, crossing, hiding, leaving."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.tracking.assignment import assign
from dcrnet_runtime.tracking.tracker import Tracker


def face(x: float, y: float, side: float = 60.0) -> Face:
    return Face(Box(x - side / 2, y - side / 2, side, side))


def cheapest(cost: NDArray[np.float64], gate: float) -> float:
    """The least total by trying everything; a row that is left alone costs the gate."""
    rows, columns = cost.shape
    choices = [*range(columns), *[None] * rows]
    return min(
        sum(gate if c is None else min(cost[r, c], gate) for r, c in enumerate(chosen))
        for chosen in itertools.permutations(choices, rows)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_no_assignment_is_cheaper(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).uniform(0, 2, (rows, columns))
    pairs = assign(cost, 1.0)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert all(cost[pair] < 1.0 for pair in pairs)
    total = sum(cost[pair] for pair in pairs) + (rows - len(pairs)) * 1.0
    assert total == pytest.approx(cheapest(cost, 1.0))


def test_the_whole_is_cheapest_not_the_first_pair() -> None:
    assert assign(np.array([[0.1, 0.2], [0.2, 0.9]]), 1.0) == [(0, 1), (1, 0)]


def test_nothing_is_assigned_to_nothing() -> None:
    assert assign(np.zeros((0, 3)), 1.0) == assign(np.zeros((3, 0)), 1.0) == []


@pytest.mark.parametrize(("gap_s", "ids"), [(0.1, [1, 1, 1]), (4.0, [1, 1, 1]), (11.0, [1, 2, 3])])
def test_a_face_keeps_its_number_however_slowly_frames_come(gap_s: float, ids: list[int]) -> None:
    tracker = Tracker(memory_s=1.0)
    found = [tracker.update([face(100 + 2 * i, 100)], i * gap_s)[0].track_id for i in range(3)]
    assert found == ids


def test_a_face_missing_in_a_slow_frame_was_hidden_too_long() -> None:
    tracker = Tracker(memory_s=1.0)
    tracker.update([face(100, 100), face(300, 100)], 0.0)
    assert [track.track_id for track in tracker.update([face(300, 100)], 4.0)] == [2]
    assert [track.track_id for track in tracker.update([face(100, 100)], 8.0)] == [3]


def test_a_hidden_face_gets_its_number_back_within_the_memory() -> None:
    tracker = Tracker(memory_s=1.0)
    (first,) = tracker.update([face(100, 100)], 0.0)
    assert tracker.update([], 0.5) == []
    (again,) = tracker.update([face(104, 100)], 0.9)
    assert (again.track_id, again.first_s) == (first.track_id, 0.0)
    tracker.update([], 1.5)
    (other,) = tracker.update([face(104, 100)], 2.5)
    assert other.track_id == 2


def test_numbers_are_never_given_twice() -> None:
    tracker = Tracker(memory_s=0.1)
    seen = []
    for second in range(20):
        seen.append(tracker.update([face(100, 100)], float(second))[0].track_id)
        tracker.update([], second + 0.5)
    assert seen == list(range(1, 21))
    tracker.forget()
    assert tracker.update([face(100, 100)], 20.0)[0].track_id == 21


def test_another_face_elsewhere_is_another_number() -> None:
    tracker = Tracker()
    tracker.update([face(100, 100)], 0.0)
    tracks = tracker.update([face(400, 100), face(101, 100)], 0.04)
    assert [track.track_id for track in tracks] == [2, 1]


def crossing(fps: float, seed: int, has_pillar: bool) -> tuple[list[list[Face]], list[list[str]]]:
    """Two faces that walk through each other, one that leaves, one that comes later.

    Where boxes overlap by a third only the nearer (larger) one is found, as detectors do;
    positions and sizes jitter by some px, and 3 % of the faces are missed. Behind the pillar,
    which stands where they cross, none is seen for two thirds of a second.
    """
    rng = np.random.default_rng(seed)
    frames, truth = [], []
    for number in range(round(6 * fps)):
        t = number / fps
        walkers = {
            "right": (100 + 90 * t, 200, 84.0),
            "left": (620 - 80 * t, 210, 70.0),
            "leaves": (500 + 60 * t, 420, 60.0) if t < 2 else None,
            "comes": (100 + 20 * (t - 3), 420, 66.0) if t > 3 else None,
        }
        found: dict[str, Face] = {}
        there = [(name, at) for name, at in walkers.items() if at is not None]
        for name, (x, y, side) in sorted(there, key=lambda one: -one[1][2]):
            jitter = rng.normal(0, 1.5, 3)
            one = face(x + jitter[0], y + jitter[1], side + jitter[2])
            is_hidden = any(one.box.overlap(other.box) > 0.33 for other in found.values())
            is_hidden |= has_pillar and 345 < x < 405
            if not is_hidden and rng.uniform() > 0.03:
                found[name] = one
        names = list(rng.permutation(list(found)))
        truth.append(names)
        frames.append([found[name] for name in names])
    return frames, truth


@pytest.mark.parametrize("fps", [8.0, 15.0, 30.0])
@pytest.mark.parametrize("has_pillar", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_crossing_and_leaving_faces_keep_their_numbers(
    fps: float, seed: int, has_pillar: bool
) -> None:
    tracker = Tracker()
    last: dict[str, int] = {}
    switches = 0
    frames, truth = crossing(fps, seed, has_pillar)
    for number, (faces, names) in enumerate(zip(frames, truth, strict=True)):
        for name, track in zip(names, tracker.update(faces, number / fps), strict=True):
            switches += last.get(name, track.track_id) != track.track_id
            last[name] = track.track_id
    assert switches == 0
    assert sorted(last.values()) == [1, 2, 3, 4]
