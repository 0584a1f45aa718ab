"""Outputs in files: whole lines, playable videos, and no loop that waits for them."""

from __future__ import annotations

import csv
import importlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import LABELS, synthetic_frame
from numpy.typing import NDArray
from observed import boxed, observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Counters, Observation
from dcrnet_runtime.outputs import Feed, FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.outputs.output import ReaderLeftError
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur
from dcrnet_runtime.outputs.pictures.video_file import VideoFile
from dcrnet_runtime.outputs.worker import Worker


def publish(plan: OutputPlan, *observations: Observation) -> None:
    publisher = open_publisher(plan)
    for each in observations:
        publisher.publish(each)
    publisher.close()


RECORDING = FrameFacts(LABELS, Feed.RECORDING, fps=25.0)


def recorded(tmp_path: Path, facts: FrameFacts = RECORDING, **options: Any) -> OutputPlan:
    """Outputs of a recording that print nothing."""
    return OutputPlan.of(facts, **{"jsonl": None, **options})


def live(tmp_path: Path, **options: Any) -> OutputPlan:
    """Outputs of a live source that print nothing."""
    return recorded(tmp_path, FrameFacts(LABELS), **options)


def video_frames(path: Path) -> list[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def test_json_lines_tell_the_frame_and_the_track(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    publish(recorded(tmp_path, jsonl=str(path)), observation(4, tracked(7)), observation(5))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    (face,) = first["faces"]
    assert first["schema"] == 1
    assert (first["frame"], first["time_s"]) == (4, 0.16)
    assert face["label"] == "neutral"  # this frame's own
    assert face["track"]["label"] == "happiness"  # smoothed
    assert face["track"]["id"] == 7
    assert face["track"]["probability"] == pytest.approx(0.8)
    assert sum(face["track"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    latency_ms = {"capture": 1.25, "publish": 0.5, "find": 4.5, "prepare": 0.7, "infer": 4.75}
    assert first["latency_ms"] == latency_ms
    assert first["delay_ms"] == 11.5
    assert first["counters"]["dropped"] == 3
    assert "utc" not in first
    assert second["faces"] == []


def test_the_documented_fields_are_those_written(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    publish(live(tmp_path, jsonl=str(path)), observation(0, tracked()))
    documented = (Path(__file__).parents[3] / "docs" / "outputs.md").read_text()

    def names(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in LABELS:
                    yield name
                    yield from names(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from names(inner)

    for name in names(json.loads(path.read_text())):
        assert f"`{name}`" in documented


def test_csv_has_a_row_a_face(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    faces = tracked(1), tracked(2, "fear", boxed(5, 6, 50))
    publish(recorded(tmp_path, csv=path), observation(0), observation(1, *faces))
    rows = list(csv.DictReader(path.open()))
    assert [row["track"] for row in rows] == ["1", "2"]
    assert [row["label"] for row in rows] == ["happiness", "fear"]
    assert [row["aligned"] for row in rows] == ["1", "0"]
    assert (rows[1]["x"], rows[1]["y"], rows[1]["width"]) == ("5", "6", "50")
    assert float(rows[1]["p_fear"]) == pytest.approx(0.8)
    assert all(float(row["time_s"]) == 0.04 and row["utc"] == "" for row in rows)


def test_a_live_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    options = live(tmp_path, jsonl=str(lines), csv=table)
    publish(options, observation(0, tracked()))
    with lines.open("a") as log:
        log.write('{"schema": 1, "cut by a power')  # as a power cut leaves it
    publish(options, observation(1, tracked()))
    first, _, last = lines.read_text().splitlines()
    assert (json.loads(first)["frame"], json.loads(last)["frame"]) == (0, 1)
    assert json.loads(last)["utc"].endswith("Z")
    assert [row["frame"] for row in csv.DictReader(table.open())] == ["0", "1"]


def test_a_log_with_other_columns_stays(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    table.write_text("name,age\n")
    with pytest.raises(DcrnetError, match="holds other columns"):
        open_publisher(live(tmp_path, csv=table))
    assert table.read_text() == "name,age\n"


def test_a_recordings_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("older\n")
    publisher = open_publisher(recorded(tmp_path, jsonl=str(path)))
    publisher.publish(observation(0))
    assert path.read_text() == "older\n"
    publisher.close()
    assert json.loads(path.read_text())["frame"] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_nothing_is_replaced_when_another_output_cannot_open(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    table.write_text("older\n")
    with pytest.raises(DcrnetError, match="names no video"):
        open_publisher(recorded(tmp_path, csv=table, save=tmp_path / "a.txt"))
    assert table.read_text() == "older\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_outputs_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "same"
    with pytest.raises(DcrnetError, match=r"`csv` .* would overwrite what `jsonl` writes"):
        open_publisher(recorded(tmp_path, jsonl=str(path), csv=path))
    with pytest.raises(DcrnetError, match="would overwrite the source"):
        open_publisher(recorded(tmp_path, replace(RECORDING, inputs=(path,)), csv=path))


def test_a_pipe_without_a_reader_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DcrnetError, match="could not be written"):
        open_publisher(live(tmp_path, jsonl=str(tmp_path / "pipe")))


def test_a_device_takes_lines(tmp_path: Path) -> None:
    publish(recorded(tmp_path, jsonl="/dev/null"), observation(0))
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_a_video_has_every_frame_of_a_recording(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    publish(
        recorded(tmp_path, save=path), *(observation(i, tracked(face=boxed())) for i in range(30))
    )
    frames = video_frames(path)
    assert len(frames) == 30
    blue, green, red = (int(v) for v in frames[9][60:140, 99:101].mean(axis=(0, 1)))
    assert green > max(blue, red) + 30  # the box
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_live_video_plays_as_fast_as_it_happened(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "out.mp4", fps=0, is_live=True, blur_faces=False)
    for index in [*range(20), *range(620, 640)]:  # two seconds at 10 a second, a minute between
        video.write(observation(index, fps=10), 0)
    for index in range(60):  # opened again: one second at 60 a second
        video.write(observation(index, fps=60), 0)
    video.close(is_whole=True)
    assert len(video_frames(tmp_path / "out.mp4")) / 25 == pytest.approx(5, abs=0.3)


def test_frames_of_another_size_are_fitted_in(tmp_path: Path) -> None:
    path = tmp_path / "out.avi"
    white = np.full((100, 100, 3), 255, np.uint8)
    publish(
        recorded(tmp_path, save=path),
        observation(0, rgb=synthetic_frame(240, 320)),
        observation(1, rgb=white),
    )
    first, second = video_frames(path)
    assert first.shape == second.shape == (240, 320, 3)
    assert second[:, 60:260].mean() > 240  # 240 px wide in the middle
    assert second[:, :30].mean() < 15


def test_blurred_faces_are_gone_and_stay_so_for_a_moment() -> None:
    rgb = synthetic_frame(240, 320)
    blur = FaceBlur()
    blur.note(observation(0, tracked(face=boxed(100, 60, 80)), rgb=rgb))
    hidden = blur.blurred(rgb)
    face = np.s_[60:140, 100:180]
    assert _detail(hidden[face]) < 0.05 * _detail(rgb[face])
    assert (hidden[:, 250:] == rgb[:, 250:]).all()
    blur.note(observation(20, rgb=rgb))  # 0.8 s later the detector has missed it
    assert _detail(blur.blurred(rgb)[face]) < 0.05 * _detail(rgb[face])
    blur.note(observation(60, rgb=rgb))
    assert (blur.blurred(rgb) == rgb).all()


def _detail(rgb: NDArray[np.uint8]) -> float:
    return float(np.abs(np.diff(rgb.astype(float), axis=1)).mean())


@pytest.mark.parametrize("box", [(1e30, 0, 5), (-1e30, 5, 1e31), (float("nan"), 0, 4), (9, 9, 0)])
def test_absurd_boxes_are_drawn_and_blurred_without_harm(
    box: tuple[float, float, float], tmp_path: Path
) -> None:
    path = tmp_path / "out.mp4"
    faces = tracked(face=boxed(*box))
    publish(recorded(tmp_path, save=path, blur_faces=True), observation(0, faces))
    assert len(video_frames(path)) == 1


def test_photos_are_drawn_into_files(tmp_path: Path) -> None:
    rgb = synthetic_frame()
    facts = FrameFacts(LABELS, Feed.PHOTOS)
    options = recorded(tmp_path, facts, save=tmp_path / "drawn")
    seen = observation(0, tracked(), rgb=rgb, name="a.png")
    publish(options, replace(seen, counters=Counters()))
    drawn = cv2.imread(str(tmp_path / "drawn" / "a.png"))
    assert drawn.shape == rgb.shape
    assert (drawn[:, :, ::-1] != rgb).any()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files cannot grow past ``size`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_disk_that_fills_leaves_no_corrupt_video(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    publisher = open_publisher(recorded(tmp_path, save=path))
    with file_size_limit(100_000):
        for index in range(8):
            publisher.publish(observation(index, rgb=synthetic_frame(seed=index)))
        with pytest.raises(DcrnetError, match=r"video: .* make room"):
            publisher.close()
    assert list(tmp_path.iterdir()) == []
    assert publisher.failures["video"] > 0


def test_a_video_ends_in_time_when_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.mp4"
    free = iter([10**9] * 12)

    class Usage:
        def __init__(self) -> None:
            self.free = next(free, 10**6)

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    publisher = open_publisher(recorded(tmp_path, save=path))
    for index in range(20):
        publisher.publish(observation(index))
    with pytest.raises(DcrnetError, match="is full: the video ends there"):
        publisher.close()
    assert len(video_frames(path)) == 12


@pytest.mark.parametrize("is_live", [True, False])
def test_a_disk_that_fills_leaves_whole_lines(is_live: bool, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"older": true}\n')
    feed = Feed.LIVE if is_live else Feed.RECORDING
    publisher = open_publisher(OutputPlan.of(FrameFacts(LABELS, feed), jsonl=str(path)))
    with file_size_limit(5_000):
        for index in range(50):
            publisher.publish(observation(index, tracked()))
        with pytest.raises(DcrnetError, match="could not be written"):
            publisher.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"older": True}
    assert [line["frame"] for line in lines[1:]] == list(range(len(lines) - 1))
    assert (len(lines) > 1) == is_live
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


class Stuck:
    """A writer that writes nothing until it is let go."""

    name = "stuck"
    takes_pixels = False

    def __init__(self) -> None:
        self.go = threading.Event()
        self.written: list[int] = []

    def write(self, seen: Observation, unix_s: float) -> None:
        self.go.wait(10)
        self.written.append(seen.frame.index)

    def close(self, *, is_whole: bool) -> None:
        self.is_whole = is_whole


def test_a_slow_output_of_a_live_source_loses_its_oldest_frames() -> None:
    writer = Stuck()
    worker = Worker(writer, depth=3, is_lossless=False)
    started = time.monotonic()
    for index in range(100):
        worker.offer(observation(index), 0)
    assert time.monotonic() - started < 1
    writer.go.set()
    worker.close()
    assert writer.written[-3:] == [97, 98, 99]
    assert worker.failures == 100 - len(writer.written)


def test_a_slow_output_of_a_recording_loses_nothing() -> None:
    writer = Stuck()
    worker = Worker(writer, depth=3, is_lossless=True)
    threading.Timer(0.3, writer.go.set).start()
    for index in range(50):
        worker.offer(observation(index), 0)
    worker.close()
    assert writer.written == list(range(50))
    assert writer.is_whole
    assert worker.failures == 0


def test_a_stop_does_not_wait_for_a_stuck_output() -> None:
    writer = Stuck()
    is_stopping = threading.Event()
    threading.Timer(0.2, is_stopping.set).start()
    worker = Worker(writer, depth=2, is_lossless=True, is_stopping=is_stopping.is_set, grace_s=0.3)
    started = time.monotonic()
    for index in range(10):
        worker.offer(observation(index), 0)
    worker.close()
    assert time.monotonic() - started < 3
    assert worker.error is not None
    writer.go.set()


def test_a_queue_of_lines_holds_no_pictures() -> None:
    sizes = []

    class Sizes(Stuck):
        def write(self, seen: Observation, unix_s: float) -> None:
            sizes.append(seen.frame.rgb.size)

    worker = Worker(Sizes(), depth=2, is_lossless=True)
    worker.offer(observation(0), 0)
    worker.close()
    assert sizes == [0]


def test_an_output_that_fails_leaves_the_others_running(tmp_path: Path) -> None:
    class Failing(Stuck):
        def write(self, seen: Observation, unix_s: float) -> None:
            raise ZeroDivisionError("a defect")

    worker = Worker(Failing(), depth=4, is_lossless=True)
    for index in range(20):
        worker.offer(observation(index), 0)
    worker.close()
    assert worker.error == "ZeroDivisionError: a defect"
    assert worker.failures > 0
    assert not worker.wants_stop


def test_a_reader_that_leaves_ends_the_run() -> None:
    class Left(Stuck):
        def write(self, seen: Observation, unix_s: float) -> None:
            raise ReaderLeftError

    worker = Worker(Left(), depth=4, is_lossless=True)
    worker.offer(observation(0), 0)
    worker.close()
    assert worker.wants_stop
    assert worker.error is None


_PRINT = """
import sys, time
from observed import observation, tracked
from dcrnet_runtime.outputs import Feed, FrameFacts, OutputPlan, open_publisher
publisher = open_publisher(OutputPlan.of(FrameFacts(feed=Feed({feed!r}))))
for index in range({frames}):
    publisher.publish(observation(index, tracked()))
    if publisher.wants_stop:
        break
    time.sleep({pause_s})
sys.stderr.write(f"published {{index}}\\n")
publisher.close()
"""


@contextmanager
def printing(feed: Feed, frames: int, pause_s: float = 0) -> Iterator[subprocess.Popen[str]]:
    """A program that publishes to standard output, and says on standard error when it has."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    run = subprocess.Popen(
        [sys.executable, "-c", _PRINT.format(feed=str(feed), frames=frames, pause_s=pause_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    overdue = threading.Timer(60, run.kill)
    overdue.start()
    try:
        with run:
            yield run
    finally:
        overdue.cancel()
    assert run.returncode == 0


def test_every_line_of_a_recording_reaches_a_slow_reader() -> None:
    with printing(Feed.RECORDING, frames=600) as run:
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(0.5)  # the pipe holds 64 KB, some sixty lines
        lines = run.stdout.read().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == list(range(1, 600))


def test_a_reader_of_standard_output_may_leave() -> None:
    with printing(Feed.LIVE, frames=10_000, pause_s=0.002) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        (line,) = run.stderr.read().splitlines()
    assert line.startswith("published ")
    assert line != "published 9999"


def test_a_live_loop_does_not_wait_for_a_reader_that_stops() -> None:
    with printing(Feed.LIVE, frames=600) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stderr.readline() == "published 599\n"  # and nothing has been read
        frames = [json.loads(line)["frame"] for line in run.stdout.read().splitlines()]
    assert frames == sorted(frames)
    assert len(frames) < 600
    assert frames[-1] == 599


def test_the_notice_names_what_is_kept_and_sent(tmp_path: Path) -> None:
    assert "Kept: nothing. Sent: nothing." in OutputPlan.of().notice()
    text = OutputPlan.of(
        jsonl="log.jsonl",
        save=Path("a.mp4"),
        mqtt="mqtt://me:secret@hub/kitchen",
        serve="0.0.0.0:8080",
        token="0123456789abcdef",
    ).notice()
    for part in (
        "no identity is computed",
        "jsonl log.jsonl",
        "save a.mp4 (faces recognisable)",
        "MQTT broker hub:1883 in the clear",
        "to the network",
    ):
        assert part in text
    assert "secret" not in text
    assert "0123456789abcdef" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mqtt_discovery": True}, "needs a broker"),
        ({"blur_faces": True}, "needs a picture to blur"),
    ],
)
def test_options_that_lack_another(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DcrnetError, match=message):
        open_publisher(OutputPlan.of(**options))


def test_the_package_and_options_of_before_still_work() -> None:
    with pytest.warns(DeprecationWarning, match=r"sinks is now dcrnet_runtime\.outputs"):
        sinks = importlib.import_module("dcrnet_runtime.sinks")
    with pytest.warns(DeprecationWarning, match=r"OutputPlan\.of"):
        plan = sinks.SinkOptions(jsonl=None, labels=("a",), window=True)
    assert (sinks.open_publisher, sinks.Feed) == (open_publisher, Feed)
    assert plan.facts.labels == ("a",)
    assert [type(spec).__name__ for spec in plan.wanted] == ["WindowSpec"]
