"""The whole loop: source in, observations out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame, write_clip
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.observation import Stage
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.tracking.mode import TrackMode
from dcrnet_runtime.video.capture import CaptureFacts, CaptureRequest


class FakeCamera:
    """Frames of a list at a rate; also what a user's own capture looks like."""

    def __init__(self, frames: list[NDArray[np.uint8]], fps: float) -> None:
        self.facts = CaptureFacts("fake", is_live=True, is_endless=False, fps=fps)
        self._frames = iter(frames)
        self._due_s = time.monotonic()

    def grab(self) -> bool:
        self._due_s += 1 / self.facts.fps
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._frame = next(self._frames, None)
        return self._frame is not None

    def retrieve(self) -> NDArray[np.uint8] | None:
        return self._frame

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        pass


class Film:
    """Frames with times of their own, as files have them."""

    def __init__(self, frames: list[NDArray[np.uint8]], fps: float) -> None:
        self.facts = CaptureFacts("film", is_live=False, is_endless=False, fps=fps)
        self._frames, self._index = frames, -1

    def grab(self) -> bool:
        self._index += 1
        return self._index < len(self._frames)

    def retrieve(self) -> NDArray[np.uint8] | None:
        return self._frames[self._index]

    def position_s(self) -> float | None:
        return self._index / self.facts.fps

    def close(self) -> None:
        pass


class FollowingDetector(FixedDetector):
    """Counts how often its landmark network is asked about a known face."""

    max_faces = 1
    follows = 0

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        return [] if known else super().find(rgb)

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        self.follows += 1
        return replace(face, landmarks=np.array(face.landmarks))


@pytest.fixture
def recognizer(tiny_model: TinyModel) -> Recognizer:
    return Recognizer(load_model(tiny_model()), FixedDetector(synthetic_face()))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.avi", 12)


def test_a_file_is_observed_frame_by_frame(recognizer: Recognizer, clip: Path) -> None:
    with Stream(recognizer, str(clip)) as stream:
        seen = list(stream)
    assert [o.frame.index for o in seen] == list(range(12))
    assert [round(o.frame.time_s, 3) for o in seen] == [n / 10 for n in range(12)]
    assert seen[-1].counters.frames == 12
    assert seen[-1].counters.dropped == 0
    for observation in seen:
        (face,) = observation.faces
        assert face.track_id == 1
        assert face.label in LABELS
        assert face.age_s == pytest.approx(observation.frame.time_s)
        assert face.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert observation.delay_ms > sum(
            observation.latency_ms[stage] for stage in (Stage.FIND, Stage.PREPARE, Stage.INFER)
        )
    assert set(seen[0].latency_ms) == set(Stage) - {Stage.PUBLISH}
    assert set(seen[1].latency_ms) == set(Stage)
    assert stream.facts is not None
    assert str(stream.facts) == f"{clip} gives 320x240 at 10 fps"


def test_the_stream_says_what_the_recognizer_says_of_a_photo(
    recognizer: Recognizer, clip: Path
) -> None:
    with Stream(recognizer, str(clip), StreamOptions(smoothing_s=0)) as stream:
        for observation in stream:
            (alone,) = recognizer.recognize(observation.frame.rgb)
            (face,) = observation.faces
            assert (face.probabilities == alone.probabilities).all()
            assert (face.recognition.probabilities == alone.probabilities).all()


@pytest.mark.parametrize(("track", "follows"), [(TrackMode.FAST, 5), (TrackMode.EXACT, 11)])
def test_the_landmark_network_looks_as_often_as_asked(
    tiny_model: TinyModel, track: TrackMode, follows: int
) -> None:
    """Found in the first of twelve frames; then the network in each, or in every second one."""
    detector = FollowingDetector(synthetic_face())
    recognizer = Recognizer(load_model(tiny_model()), detector)
    film = Film([synthetic_frame()] * 12, fps=20.0)
    options = StreamOptions(track=track)
    with Stream(recognizer, lambda: film, options) as stream:
        assert [len(each.faces) for each in stream] == [1] * 12
    assert detector.follows == follows


def test_a_path_is_a_source(recognizer: Recognizer, clip: Path) -> None:
    assert len(list(Stream(recognizer, clip))) == 12


def test_a_number_is_a_camera(recognizer: Recognizer) -> None:
    with pytest.raises(DcrnetError, match="camera 97 gave no frame"):
        list(Stream(recognizer, 97))


@pytest.mark.parametrize("source", [None, True, 1.5, b"clip.mp4", ["clip.mp4"]])
def test_what_is_no_source_is_refused(recognizer: Recognizer, source: Any) -> None:
    with pytest.raises(DcrnetError, match="of which no frame can be read: give a path"):
        Stream(recognizer, source)


def test_a_capture_of_another_kind_of_frames_is_told(recognizer: Recognizer) -> None:
    bgra = np.zeros((48, 64, 4), np.uint8)
    with pytest.raises(DcrnetError, match="of four channels"):
        list(Stream(recognizer, lambda: FakeCamera([bgra] * 3, 50.0)))


def test_a_label_below_the_least_confidence_is_none(tiny_model: TinyModel, clip: Path) -> None:
    model, detector = load_model(tiny_model()), FixedDetector(synthetic_face())
    unsure = Recognizer(model, detector, min_confidence=0.999)
    for observation in Stream(unsure, str(clip)):
        (face,) = observation.faces
        assert face.label is face.recognition.label is None
        assert face.probability == face.probabilities.max()
        assert observation.uncertain == 1


def test_a_slow_model_lowers_the_rate_and_not_the_delay(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify = recognizer.classify

    def slow(*arguments: object) -> object:
        time.sleep(0.1)
        return classify(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recognizer, "classify", slow)
    frames = [synthetic_frame()] * 60
    seen = list(Stream(recognizer, lambda: FakeCamera(frames, 50.0)))
    delays_ms = [o.delay_ms for o in seen]
    assert 5 <= len(seen) <= 13
    assert seen[-1].counters.dropped > 40
    assert np.median(delays_ms[len(seen) // 2 :]) < 100 + 2 * 1000 / 50 + 60


def test_a_frame_has_the_time_of_day_of_its_capture_and_durations_heed_no_clock(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of a board without a battery is set when the network comes: by years, at once."""
    ahead_s = 0.0
    of_day = time.time
    monkeypatch.setattr("time.time", lambda: of_day() + ahead_s)
    grabbed_s: list[float] = []

    class Camera(FakeCamera):
        def grab(self) -> bool:
            is_there = super().grab()
            grabbed_s.append(of_day())
            return is_there

    classify = recognizer.classify

    def slow(*arguments: object) -> object:
        time.sleep(0.15)
        return classify(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recognizer, "classify", slow)
    frames = [synthetic_frame()] * 40
    seen = []
    for observation in Stream(recognizer, lambda: Camera(frames, 20.0)):
        seen.append(observation)
        assert observation.captured_unix_s == pytest.approx(
            grabbed_s[observation.frame.index] + ahead_s, abs=0.1
        )
        if len(seen) == 4:
            ahead_s = -86400.0
    times_s = [o.frame.time_s for o in seen]
    assert times_s == sorted(times_s)
    assert times_s[0] == 0
    assert 1 < times_s[-1] < 4
    assert all(150 <= o.delay_ms < 1000 for o in seen)
    assert all(0 <= o.faces[0].age_s <= times_s[-1] for o in seen)


def test_the_delay_is_below_two_frame_times(recognizer: Recognizer) -> None:
    frames = [synthetic_frame()] * 25
    seen = list(Stream(recognizer, lambda: FakeCamera(frames, 20.0)))
    assert np.median([o.delay_ms for o in seen]) < 2 * 1000 / 20


def test_every_frame_of_a_live_source_on_request(recognizer: Recognizer) -> None:
    frames = [synthetic_frame()] * 30
    options = StreamOptions(keeps_every=True)
    seen = list(Stream(recognizer, lambda: FakeCamera(frames, 1000.0), options))
    assert [o.frame.index for o in seen] == list(range(30))


def test_a_change_of_size_begins_new_tracks(recognizer: Recognizer) -> None:
    frames = [synthetic_frame()] * 2 + [synthetic_frame(300, 400)] * 2
    options = StreamOptions(keeps_every=True)
    seen = list(Stream(recognizer, lambda: FakeCamera(frames, 100.0), options))
    assert [o.faces[0].track_id for o in seen] == [1, 1, 2, 2]


def test_absurd_faces_do_not_stop_the_loop(recognizer: Recognizer, clip: Path) -> None:
    detector = recognizer.detector
    assert isinstance(detector, FixedDetector)
    absurd = [Box(float("nan"), 0, 1, 1), Box(0, 0, 1e30, 1e30), Box(5000, 0, 10, 10)]
    detector.faces += [Face(box) for box in absurd] + [Face(Box(10, 10, 1e-9, 1e-9))]
    for observation in Stream(recognizer, str(clip)):
        assert len(observation.faces) == 1


def test_a_stop_ends_the_iteration(recognizer: Recognizer) -> None:
    frames = [synthetic_frame()] * 1000
    stream = Stream(recognizer, lambda: FakeCamera(frames, 100.0))
    for number, _ in enumerate(stream):
        if number == 5:
            stream.stop()
    assert number == 5


def test_outputs_failures_are_counted_with_the_rest(recognizer: Recognizer, clip: Path) -> None:
    failures = {"mqtt": 0}
    for observation in Stream(recognizer, str(clip), failures=failures):
        assert observation.counters.failures == failures
        failures["mqtt"] += 1


def test_photos_are_no_stream(recognizer: Recognizer, tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="photos are for Recognizer"):
        Stream(recognizer, str(tmp_path))


def test_a_rotation_that_is_none() -> None:
    with pytest.raises(DcrnetError, match="choose 0, 90, 180, 270"):
        CaptureRequest(rotation_deg=45)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A clip that ends in the middle of its twelfth frame."""
    whole = write_clip(tmp_path / "whole.avi", 12).read_bytes()
    last = whole.rindex(b"00dc", 0, whole.rindex(b"idx1"))
    path = tmp_path / "damaged.avi"
    path.write_bytes(whole[: last + 20])
    return path


def test_a_file_that_ends_in_a_broken_frame_is_read_up_to_it(
    recognizer: Recognizer, damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen = list(Stream(recognizer, str(damaged)))
    assert len(seen) == 11
    assert "damaged.avi is cut off or damaged: 1 of its frames" in caplog.text


def test_a_file_that_is_wanted_whole_and_is_not_is_an_error(
    recognizer: Recognizer, damaged: Path
) -> None:
    with pytest.raises(DcrnetError, match="1 of its frames could not be read; copy it again"):
        list(Stream(recognizer, str(damaged), wants_whole=True))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_clip_that_is_cut_anywhere_ends_in_order(
    recognizer: Recognizer, clip: Path, kept: float
) -> None:
    content = clip.read_bytes()
    clip.write_bytes(content[: int(len(content) * kept)])
    seen = list(Stream(recognizer, str(clip)))
    assert 0 < len(seen) <= 12
    assert [o.frame.index for o in seen] == list(range(len(seen)))


@pytest.mark.parametrize("seed", range(4))
def test_a_clip_with_damage_anywhere_ends_in_order(
    recognizer: Recognizer, clip: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    content = bytearray(clip.read_bytes())
    for at in rng.integers(0, len(content), 200):
        content[at] = rng.integers(0, 256)
    clip.write_bytes(content)
    try:
        seen = list(Stream(recognizer, str(clip), StreamOptions(stall_s=20, open_s=20)))
    except DcrnetError:
        return
    assert len(seen) <= 13
