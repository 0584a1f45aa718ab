"""Outputs in files: whole lines, playable videos, and no loop that waits for them."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import chromium
import cv2
import numpy as np
import pytest
from generated import LABELS, synthetic_frame
from numpy.typing import NDArray
from observed import boxed, observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Counters, Observation
from dcrnet_runtime.outputs import Feed, FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.outputs import page as outputs_page
from dcrnet_runtime.outputs import publisher as publisher_module
from dcrnet_runtime.outputs import worker as worker_module
from dcrnet_runtime.outputs.output import ReaderLeftError
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur, annotated
from dcrnet_runtime.outputs.pictures.palette import INK, colour_of
from dcrnet_runtime.outputs.pictures.video_file import VideoFile
from dcrnet_runtime.outputs.publisher import OutputFailedError
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


def video_times(path: Path) -> list[float]:
    """When each frame is shown, and when the last one ends, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert container.duration is not None
        assert stream.time_base is not None
        ticks = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
        times = [float(tick * stream.time_base) for tick in ticks]
        return [*times, container.duration / av.time_base]


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


def test_a_line_has_the_time_of_day_of_the_capture(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    captured = replace(observation(0), captured_unix_s=1_700_000_000.25)  # years ago
    publish(live(tmp_path, jsonl=str(path)), captured)
    assert json.loads(path.read_text())["utc"] == "2023-11-14T22:13:20.250Z"


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


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "h264"), (".mov", "h264"), (".mkv", "h264"), (".avi", "h264"), (".webm", "vp9")],
)
def test_a_video_has_every_frame_of_a_recording(suffix: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    publish(
        recorded(tmp_path, save=path), *(observation(i, tracked(face=boxed())) for i in range(30))
    )
    frames = video_frames(path)
    assert len(frames) == 30
    rgb = frames[9][60:140, 99:101, ::-1].mean(axis=(0, 1))
    assert rgb == pytest.approx(colour_of("happiness", LABELS), abs=35)  # the box
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    first_s, *times_s = video_times(path)
    assert first_s == pytest.approx(0.04 if suffix == ".avi" else 0, abs=0.002)
    assert times_s[:29] == pytest.approx([first_s + i / 25 for i in range(1, 30)], abs=0.002)
    assert times_s[29] == pytest.approx(1.2, abs=0.002)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == codec
        assert stream.codec_context.pix_fmt == "yuv420p"  # what browsers decode


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_video_keeps_the_times_of_its_recording(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    times_s = [100.0, 100.04, 100.2, 101.9, 101.95, 105.0]  # a variable rate, from 100 s on
    publish(recorded(tmp_path, save=path), *(at(time_s) for time_s in times_s))
    shown_s = [*(time_s - 100 for time_s in times_s), 5.04]
    assert video_times(path) == pytest.approx(shown_s, abs=0.002)


def test_times_that_stand_still_or_go_back_are_shown_in_order(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    publish(recorded(tmp_path, save=path), *(at(time_s) for time_s in (0, 0.5, 0.5, 0.1, 0.2)))
    shown_s = [0, 0.5, 0.54, 0.58, 0.68, 0.72]
    assert video_times(path) == pytest.approx(shown_s, abs=0.002)


def at(time_s: float) -> Observation:
    """A frame of such a time."""
    seen = observation(0, rgb=np.full((48, 64, 3), 90, np.uint8))
    return replace(seen, frame=replace(seen.frame, time_s=time_s))


def test_odd_sizes_grow_by_a_pixel(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    publish(recorded(tmp_path, save=path), observation(0, rgb=synthetic_frame(241, 321)))
    (frame,) = video_frames(path)
    assert frame.shape == (242, 322, 3)
    assert np.abs(frame[:, 320].astype(int) - frame[:, 321]).mean() < 12


def test_a_browser_plays_what_is_saved(tmp_path: Path) -> None:
    if chromium.PATH is None:
        pytest.skip("needs Chromium (Debian's package chromium)")
    for name in ("out.mp4", "out.webm"):
        seen = [at(time_s) for time_s in (0.0, 0.5, 2.5)]
        publish(recorded(tmp_path, save=tmp_path / name), *seen)
        page = tmp_path / f"{name}.html"
        page.write_text(f"<video id=v src={name} muted preload=auto></video>")
        with chromium.Tab(tmp_path / f"profile-{name}") as tab:
            tab.open(page.as_uri())
            tab.wait_for("document.getElementById('v')?.readyState >= 2")
            assert tab.value("document.getElementById('v').videoWidth") == 64
            assert tab.value("document.getElementById('v').duration") == pytest.approx(
                2.54, abs=0.01
            )


def test_a_live_video_plays_as_fast_as_it_happened(tmp_path: Path) -> None:
    video = VideoFile(tmp_path / "out.mp4", fps=0, is_live=True, blur_faces=False)
    for index in [*range(20), *range(620, 640)]:  # two seconds at 10 a second, a minute between
        video.write(observation(index, fps=10), 0)
    for index in range(60):  # opened again: one second at 60 a second
        video.write(observation(index, fps=60), 0)
    video.close(is_whole=True)
    *times, end_s = video_times(tmp_path / "out.mp4")
    assert len(times) == 100
    assert end_s == pytest.approx(5, abs=0.1)


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
    drawn = np.asarray(cv2.imread(str(tmp_path / "drawn" / "a.png")), np.uint8)
    assert drawn.shape == rgb.shape
    assert (drawn[:, :, ::-1] != rgb).any()


@pytest.mark.parametrize(
    ("feed", "name", "message"),
    [
        (
            Feed.PHOTOS,
            "x.mp4",
            "is the name of a video, and several files are saved into a folder",
        ),
        (Feed.PHOTOS, "x.jpg", "is the name of one photo, and several files are saved into"),
        (Feed.PHOTO, "x.webm", "is the name of a video, and the source is a photo"),
        (Feed.PHOTO, "x.txt", "names no image format"),
        (Feed.RECORDING, "x.jpg", "names no video: end it in .avi, .mkv, .mov, .mp4, .webm"),
    ],
)
def test_a_name_of_another_kind_is_refused_and_nothing_made(
    feed: Feed, name: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DcrnetError, match=message):
        open_publisher(recorded(tmp_path, FrameFacts(LABELS, feed), save=tmp_path / name))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("width", [160, 640, 1920, 7680])
@pytest.mark.parametrize("place", ["top left", "middle", "bottom right", "fills", "outside"])
def test_a_label_stands_whole_in_the_picture(width: int, place: str) -> None:
    height = width * 3 // 4
    side = width / 5
    corner = {
        "top left": (-side / 2, -side / 2),
        "middle": (width / 2, height / 2),
        "bottom right": (width - side / 2, height - side / 2),
        "fills": (0, 0),
        "outside": (3 * width, 3 * height),
    }[place]
    box = boxed(*corner, width if place == "fills" else side)
    white = np.full((height, width, 3), 255, np.uint8)
    seen = observation(0, tracked(12, "surprise", box), rgb=white)
    drawn = annotated(seen)
    band = (drawn == colour_of("surprise", LABELS)).all(axis=2)
    rows, columns = np.flatnonzero(band.mean(axis=1) > 0.15), np.flatnonzero(band.any(axis=0))
    assert len(rows) >= max(12, width // 40)  # of letters on their band
    assert columns[-1] - columns[0] > 6 * len(rows) * 0.5
    ink = drawn[rows[0] : rows[-1]].sum(axis=2) < sum(INK) + 120
    assert ink.sum() > 40
    assert not ink[:, [0, -1]].any()  # no letter is cut off at the sides


def test_pictures_and_the_page_have_one_palette() -> None:
    page = Path(outputs_page.__file__).parent / "static" / "page.css"
    dark = page.read_text().partition("prefers-color-scheme: dark")[2].partition("* {")[0]
    shown = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})", dark))
    known = [*LABELS, "contempt"]
    for label in known:
        assert bytes(colour_of(label, known)).hex() == shown[label]
    for index in range(8):
        others = [f"label {n}" for n in range(8)]
        assert bytes(colour_of(others[index], others)).hex() == shown[f"other-{index % 4}"]


@pytest.mark.parametrize("label", [*LABELS, "contempt", "a", "b", "c", "d"])
def test_letters_stand_out_from_their_band(label: str) -> None:
    def luminance(rgb: tuple[int, int, int]) -> float:
        linear = [((v / 255 + 0.055) / 1.055) ** 2.4 if v > 10 else v / 3294.6 for v in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    band = luminance(colour_of(label, [*"abcd"]))
    assert (band + 0.05) / (luminance(INK) + 0.05) > 5.5


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files cannot grow past ``size`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
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
        with pytest.raises(DcrnetError, match=r"jsonl: .* could not be written"):
            publisher.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"older": True}
    assert [line["frame"] for line in lines[1:]] == list(range(len(lines) - 1))
    assert (len(lines) > 1) == is_live
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_live_log_goes_on_when_room_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_module, "_RETRY_S", 0.05)
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    publisher = open_publisher(live(tmp_path, jsonl=str(lines), csv=table))
    index = 0

    def play_until(condition: Callable[[], bool]) -> None:
        nonlocal index
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            publisher.publish(observation(index, tracked()))
            index += 1
            time.sleep(0.005)

    with file_size_limit(5_000):
        play_until(lambda: caplog.text.count("fails, trying on") == 2)
        play_until(lambda: min(publisher.failures.get(o, 0) for o in ("jsonl", "csv")) > 3)
        assert not publisher.wants_stop
    play_until(lambda: caplog.text.count("works again") == 2)
    publisher.close()  # whole again: no error
    seen = [json.loads(line)["frame"] for line in lines.read_text().splitlines()]
    assert index - len(seen) == publisher.failures["jsonl"]
    rows = [int(row["frame"]) for row in csv.DictReader(table.open())]
    assert index - len(rows) == publisher.failures["csv"]
    assert seen[-1] == rows[-1] == index - 1
    assert caplog.text.count("out.jsonl could not be written (File too large)") == 1


def test_a_run_ends_when_no_output_has_worked_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_RETRY_S", 0.02)
    monkeypatch.setattr(publisher_module, "PATIENCE_S", 1.0)
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    publisher = open_publisher(live(tmp_path, jsonl=str(lines), csv=table))
    with file_size_limit(400):  # the table's header has room, not a row more than some
        started = time.monotonic()
        while not publisher.wants_stop and time.monotonic() - started < 20:
            publisher.publish(observation(0, tracked()))
            time.sleep(0.01)
        assert 1 < time.monotonic() - started < 5
        with pytest.raises(DcrnetError, match=r"^no output has worked for 1 s: jsonl: .*; csv: "):
            publisher.close()


def test_one_output_that_works_keeps_the_run_going(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_RETRY_S", 0.02)
    monkeypatch.setattr(publisher_module, "PATIENCE_S", 0.2)
    publisher = open_publisher(live(tmp_path, jsonl="/dev/full", csv=tmp_path / "out.csv"))
    for _ in range(50):
        publisher.publish(observation(0, tracked()))
        time.sleep(0.01)
    assert not publisher.wants_stop
    with pytest.raises(DcrnetError, match=r"^jsonl: /dev/full could not be written"):
        publisher.close()


def test_a_recording_ends_when_its_only_output_has(tmp_path: Path) -> None:
    publisher = open_publisher(recorded(tmp_path, jsonl="/dev/full"))
    deadline = time.monotonic() + 10
    while not publisher.wants_stop:
        publisher.publish(observation(0))
        assert time.monotonic() < deadline
    with pytest.raises(DcrnetError, match="No space left on device"):
        publisher.close()


def test_what_ends_an_output_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    early = open_publisher(recorded(tmp_path, jsonl="/dev/full", csv=tmp_path / "a.csv"))
    deadline = time.monotonic() + 10
    while not caplog.records:
        early.publish(observation(0))
        assert time.monotonic() < deadline
    early.publish(observation(1))
    with pytest.raises(OutputFailedError) as told:
        early.close()
    assert told.value.is_told
    assert len(caplog.records) == 1
    caplog.clear()
    late = open_publisher(recorded(tmp_path, jsonl="/dev/full"))
    late.publish(observation(0))
    with pytest.raises(OutputFailedError) as told:
        late.close()
    assert not told.value.is_told
    assert caplog.records == []


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
from dcrnet_runtime.outputs import publisher as publisher_module
from dcrnet_runtime.outputs import worker as worker_module
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
