"""The detector runs when it is needed, and no face is told twice or from nowhere."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from generated import FixedDetector, synthetic_face, synthetic_frame
from numpy.typing import NDArray

from dcrnet_runtime.detectors.detector import LandmarkTracker, open_detector
from dcrnet_runtime.detectors.litert import LiteRTDetector
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.tracking.mode import TrackMode
from dcrnet_runtime.tracking.scheduler import DetectionScheduler

FRAME = synthetic_frame()
FPS = 20


def face(x: float, score: float = 1.0) -> Face:
    return Face(Box(x, 50, 40, 40), score=score)


class World:
    """A detector that can follow; faces stand where they are until they are taken away."""

    name = "world"
    landmarks_sha256 = ""
    max_faces = 3

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)
        self.detections = self.follows = 0

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        self.detections += 1
        return [f for f in self.faces if f not in known]

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        self.follows += 1
        return face if face in self.faces else None


class Crowd(World):
    """Knows a face again that was told a little beside where it stands."""

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        self.follows += 1
        return max(self.faces, key=lambda known: known.box.overlap(face.box))


def watch(
    world: World, seconds: float, scheduler: DetectionScheduler, from_s: float = 0.0
) -> list[Face]:
    """The last frame's faces."""
    seen: list[Face] = []
    for number in range(round(seconds * FPS)):
        seen = scheduler.find(FRAME, seen, is_one_hidden=False, time_s=from_s + number / FPS)
    return seen


def test_known_faces_are_followed_and_new_ones_looked_for_seldom() -> None:
    world = World(face(10), face(200))
    assert len(watch(world, 2.0, DetectionScheduler(world, redetect_s=0.5))) == 2
    assert world.detections == 4
    assert world.follows == 2 * (2 * FPS - 1)


def test_without_a_face_every_frame_is_searched() -> None:
    world = World()
    watch(world, 1.0, DetectionScheduler(world, redetect_s=0.5))
    assert (world.detections, world.follows) == (FPS, 0)


def test_a_lost_face_is_looked_for_at_once() -> None:
    world = World(face(10), face(200))
    scheduler = DetectionScheduler(world, redetect_s=100.0)
    seen = scheduler.find(FRAME, [], is_one_hidden=False, time_s=0.0)
    world.faces = [face(120), seen[1]]
    found = scheduler.find(FRAME, seen, is_one_hidden=False, time_s=0.05)
    assert world.detections == 2
    assert {f.box.x for f in found} == {120, seen[1].box.x}
    scheduler.find(FRAME, found, is_one_hidden=True, time_s=0.1)
    assert world.detections == 3


def test_a_full_frame_needs_no_detector() -> None:
    world = World(face(10), face(100), face(200))
    watch(world, 3.0, DetectionScheduler(world, redetect_s=0.1))
    assert world.detections == 1


def test_fast_tracking_asks_the_landmark_network_in_every_second_frame() -> None:
    world = Crowd(synthetic_face())
    scheduler = DetectionScheduler(world, redetect_s=100.0, mode=TrackMode.FAST)
    assert len(watch(world, 1.0, scheduler)) == 1
    # A frame to detect, then motion and network by turns.
    assert (world.detections, world.follows) == (1, (FPS - 2) // 2)


def test_fast_tracking_of_frames_far_apart_is_exact() -> None:
    world = Crowd(synthetic_face())
    scheduler = DetectionScheduler(world, redetect_s=100.0, mode=TrackMode.FAST)
    seen: list[Face] = []
    for number in range(5):
        seen = scheduler.find(FRAME, seen, is_one_hidden=False, time_s=0.2 * number)
    assert world.follows == 4


def test_where_pixels_do_not_tell_the_network_looks() -> None:
    world = Crowd(synthetic_face())
    scheduler = DetectionScheduler(world, redetect_s=100.0, mode=TrackMode.FAST)
    seen: list[Face] = []
    for number in range(6):
        cut = synthetic_frame(seed=number)
        seen = scheduler.find(cut, seen, is_one_hidden=False, time_s=number / FPS)
    assert (len(seen), world.follows) == (1, 5)


def test_motion_is_told_between_two_looks() -> None:
    """A face that went on is where its pixels are, also for faces found beside it."""
    stays, goes = synthetic_face((80.0, 120.0), 80.0), synthetic_face((230.0, 120.0), 80.0)
    world = Crowd(stays, goes)
    smooth = np.asarray(cv2.GaussianBlur(FRAME, (0, 0), 3), np.uint8)
    scheduler = DetectionScheduler(world, redetect_s=100.0, mode=TrackMode.FAST)
    seen = scheduler.find(smooth, [], is_one_hidden=False, time_s=0.0)
    moved = smooth.copy()
    moved[:, 160:] = np.roll(smooth, 4, axis=0)[:, 160:]
    found = scheduler.find(moved, seen, is_one_hidden=False, time_s=1 / FPS)
    assert world.follows == 0
    by_x = sorted(found, key=lambda face: face.box.x)
    assert by_x[0].box.y == pytest.approx(stays.box.y, abs=0.2)
    assert by_x[1].box.y == pytest.approx(goes.box.y + 4, abs=0.2)


def test_a_full_frame_is_searched_now_and_then_to_tell_of_more() -> None:
    world = World(face(10), face(100), face(200))
    watch(world, 11.0, DetectionScheduler(world, redetect_s=0.1))
    assert world.detections == 3


def test_one_face_is_not_told_twice() -> None:
    detector = FixedDetector(face(100, 0.7), face(104, 0.9), face(200, 0.8))
    found = DetectionScheduler(detector, 0.5).find(FRAME, [], is_one_hidden=False, time_s=0.0)
    assert sorted(f.score for f in found) == [0.8, 0.9]


@pytest.mark.parametrize(
    "box",
    [
        Box(float("nan"), 0, 10, 10),
        Box(0, 0, float("inf"), 10),
        Box(0, 0, -5, 10),
        Box(0, 0, 0, 0),
        Box(9000, 9000, 50, 50),
        Box(-1e6, -1e6, 2e6, 2e6),
    ],
)
def test_boxes_that_no_face_can_have_are_left_out(box: Box) -> None:
    detector = FixedDetector(Face(box), face(100))
    (found,) = DetectionScheduler(detector, 0.5).find(FRAME, [], is_one_hidden=False, time_s=0.0)
    assert found.box == face(100).box


def test_the_landmark_network_follows_a_moving_face(portrait: NDArray[np.uint8]) -> None:
    """Over 40 frames of a shifted and turned portrait, within 2 % of a fresh detection."""
    detector = open_detector()
    assert isinstance(detector, LiteRTDetector)
    assert isinstance(detector, LandmarkTracker)

    def moved_at(number: int) -> NDArray[np.uint8]:
        matrix = cv2.getRotationMatrix2D((256, 256), 20 * np.sin(number / 8), 1.0)
        matrix[:, 2] += 3 * number - 60, 30 * np.sin(number / 5)
        return cv2.warpAffine(portrait, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)

    (followed,) = detector.find(moved_at(0))
    for number in range(1, 40):
        moved = moved_at(number)
        after = detector.follow(moved, followed)
        assert after is not None
        followed = after
    (fresh,) = detector.find(moved)
    assert followed.landmarks is not None
    assert fresh.landmarks is not None
    distance = np.linalg.norm(followed.landmarks - fresh.landmarks, axis=1).mean()
    assert distance < 0.02 * fresh.box.side
    assert detector.find(moved, [followed]) == []
    assert detector.follow(np.full_like(portrait, 90), followed) is None
