"""``dcrnet-run`` with its outputs: all at once, on photos, and those that cannot be."""

from __future__ import annotations

import csv
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame, write_clip
from mjpeg_server import MjpegServer
from typer.testing import CliRunner, Result

from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.installation import extra_command, package_command

COMMAND = [sys.executable, "-c", "from dcrnet_runtime.cli.run import app; app()"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.avi", 12)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_every_output_at_once(
    clip: Path, tiny_model: TinyModel, tmp_path: Path, one_face: None
) -> None:
    for extra in ("starlette", "uvicorn", "prometheus_client", "paho.mqtt"):
        pytest.importorskip(extra, reason="needs the serve and mqtt extras")
    out = tmp_path / "out"
    result = run(
        *("--source", clip, "--model", tiny_model(), "--jsonl", out / "a.jsonl"),
        *("--csv", out / "a.csv", "--save", out / "a.mp4", "--blur-faces"),
        *("--mqtt", f"mqtt://127.0.0.1:{free_port()}", "--mqtt-discovery"),  # nobody is there
        *("--serve", free_port()),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    lines = [json.loads(line) for line in (out / "a.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(12))
    assert {line["faces"][0]["track"]["id"] for line in lines} == {1}
    assert lines[-1]["counters"]["failures"]["mqtt"] > 0
    rows = list(csv.DictReader((out / "a.csv").open()))
    assert [int(row["frame"]) for row in rows] == list(range(12))
    assert cv2.VideoCapture(str(out / "a.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "a.jsonl", "a.mp4"]
    (notice,) = [line for line in result.stderr.splitlines() if line.startswith("Estimating")]
    for part in ("a.jsonl", "a.csv", "a.mp4 (faces blurred)", "MQTT broker", "to this machine"):
        assert part in notice


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    running = MjpegServer()
    yield running
    running.kill()


def test_a_served_camera_ends_in_order_and_tells_systemd(
    server: MjpegServer, tiny_model: TinyModel, tmp_path: Path
) -> None:
    pytest.importorskip("starlette", reason="needs the serve extra")
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        process = subprocess.Popen(
            [
                *(*COMMAND, "--source", server.address, "--model", str(tiny_model())),
                *(
                    "--detector",
                    "cascade",
                    "--save",
                    str(tmp_path / "a.mp4"),
                    "--serve",
                    str(port),
                ),
                *("--jsonl", str(tmp_path / "a.jsonl")),
            ],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "3000000",
            },
        )
        told = [manager.recv(4096).decode()]
        while not told[-1].startswith("READY=1"):
            told.append(manager.recv(4096).decode())
        told.append(manager.recv(4096).decode())
        assert "WATCHDOG=1" in told
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/stream")
        stream = connection.getresponse()
        assert stream.status == 200
        process.send_signal(signal.SIGTERM)  # while a browser looks, which then stops reading
        _, err = process.communicate(timeout=60)
        while told[-1] != "STOPPING=1":
            told.append(manager.recv(4096).decode())
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert cv2.VideoCapture(str(tmp_path / "a.mp4")).read()[0]
    for line in (tmp_path / "a.jsonl").read_text().splitlines():
        assert "utc" in json.loads(line)
    assert list(tmp_path.glob(".*")) == []


def test_a_full_disk_ends_the_recording_and_not_the_loop(
    clip: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    mounted = tmp_path / "tiny"
    mounted.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(mounted)], capture_output=True
        ).returncode
    ):
        pytest.skip("may not mount a small disk")
    try:
        (mounted / "a.jsonl").write_text("older\n")
        done = subprocess.run(
            [
                *(*COMMAND, "--source", str(clip), "--model", str(tiny_model())),
                *("--detector", "cascade", "--save", str(mounted / "a.mp4")),
            ],
            capture_output=True,
            text=True,
        )
        assert len(done.stdout.splitlines()) == 12
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if "is full" in line]  # told once
        assert re.match(r"(error: video|WARNING: output video has ended): the disk of ", line)
        assert "Traceback" not in done.stderr
        assert [path.name for path in mounted.iterdir()] == ["a.jsonl"]
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


def test_photos_have_rows_and_blurred_copies(
    tiny_model: TinyModel, tmp_path: Path, one_face: None
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(photos / name), synthetic_frame())
    out = tmp_path / "out"
    result = run(
        *("--source", photos, "--model", tiny_model(), "--csv", out / "a.csv"),
        *("--save", out / "drawn", "--blur-faces"),
    )
    assert result.exit_code == 0, result.output
    assert ["track" in json.loads(line)["faces"][0] for line in result.stdout.splitlines()] == [
        False,
        False,
    ]
    rows = list(csv.DictReader((out / "a.csv").open()))
    assert [row["source"] for row in rows] == ["a.png", "b.png"]
    assert {(row["track"], float(row["age_s"])) for row in rows} == {("0", 0.0)}
    drawn = np.asarray(cv2.imread(str(out / "drawn" / "b.png")), np.uint8).astype(float)
    plain = np.asarray(cv2.imread(str(photos / "b.png")), np.uint8).astype(float)
    face = slice(100, 140), slice(130, 170)
    assert abs(drawn[face][:, 1:] - drawn[face][:, :-1]).mean() < 5
    assert abs(plain[face][:, 1:] - plain[face][:, :-1]).mean() > 20


@pytest.mark.parametrize("pattern", ["photos", "photos/*.png"])
def test_photos_are_never_overwritten(
    pattern: str, tiny_model: TinyModel, tmp_path: Path, one_face: None
) -> None:
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "a.png"), synthetic_frame())
    before = (tmp_path / "photos" / "a.png").read_bytes()
    for option in ("--save", "--csv"):
        place = tmp_path / "photos" if option == "--save" else tmp_path / "photos" / "a.png"
        result = run("--source", tmp_path / pattern, "--model", tiny_model(), option, place)
        assert result.exit_code == 2
        assert "would overwrite the source" in result.stderr
    assert (tmp_path / "photos" / "a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--serve", "0.0.0.0:8080"], "needs a token of 12 or more"),
        (["--serve", "here"], "is no [ADDR:]PORT"),
        (["--mqtt", "hub"], "--mqtt wants mqtt://HOST"),
        (["--mqtt-discovery"], "--mqtt-discovery needs a broker"),
        (["--blur-faces"], "--blur-faces needs a picture to blur"),
        (["--csv", "{clip}"], "would overwrite the source"),
        (["--csv", "{clip}/a.csv"], "could not be written"),
        (["--save", "a.txt"], "names no video: end it in .avi, .mkv, .mov, .mp4"),
    ],
)
def test_outputs_that_cannot_be(
    options: list[str], message: str, clip: Path, tiny_model: TinyModel, one_face: None
) -> None:
    given = [option.replace("{clip}", str(clip)) for option in options]
    result = run("--source", clip, "--model", tiny_model(), *given)
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert message in line
    assert "Traceback" not in result.output


def test_outputs_are_checked_before_the_model_is_loaded(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "a.png"), synthetic_frame())
    save = tmp_path / "x.mp4"
    result = run("--source", photos, "--model", tmp_path / "none.onnx", "--save", save)
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert "is the name of a video, and several files are saved into a folder" in line
    assert not save.exists()


def test_a_photo_that_cannot_be_saved_is_told_before_it_is_looked_at_and_once(
    tiny_model: TinyModel, tmp_path: Path, one_face: None
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), synthetic_frame())
    place = tmp_path / "a.png" / "drawn.jpg"
    result = run("--source", tmp_path / "a.png", "--model", tiny_model(), "--save", place)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("drawn.jpg could not be written") == 1


@pytest.mark.parametrize(
    ("module", "options", "extra"),
    [
        ("paho.mqtt.client", ["--mqtt", "mqtt://hub"], "mqtt"),
        ("uvicorn", ["--serve", "8080"], "serve"),
    ],
)
def test_a_missing_extra_is_named(
    module: str,
    options: list[str],
    extra: str,
    clip: Path,
    tiny_model: TinyModel,
    one_face: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for ours in ("page.server", "mqtt.client"):
        monkeypatch.delitem(sys.modules, f"dcrnet_runtime.outputs.{ours}", raising=False)
    result = run("--source", clip, "--model", tiny_model(), *options)
    assert result.exit_code == 2
    assert extra_command(extra) in result.stderr


def test_without_pyav_a_video_is_refused_and_a_photo_drawn(
    clip: Path,
    tiny_model: TinyModel,
    one_face: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for ours in ("video_file", "video_writer"):
        monkeypatch.delitem(sys.modules, f"dcrnet_runtime.outputs.pictures.{ours}", raising=False)
    result = run("--source", clip, "--model", tiny_model(), "--save", tmp_path / "x.mp4")
    assert result.exit_code == 2
    assert f"--save writes video with PyAV: {package_command('av')}" in result.stderr
    cv2.imwrite(str(tmp_path / "a.png"), synthetic_frame())
    drawn = tmp_path / "drawn.png"
    result = run("--source", tmp_path / "a.png", "--model", tiny_model(), "--save", drawn)
    assert result.exit_code == 0, result.stderr
    assert cv2.imread(str(drawn)) is not None


@pytest.mark.parametrize("display", ["", ":9876"])
def test_a_window_without_a_screen_is_refused(
    display: str,
    clip: Path,
    tiny_model: TinyModel,
    one_face: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    result = run("--source", clip, "--model", tiny_model(), "--show")
    assert result.exit_code == 2
    assert re.search("--show (found no screen|needs an OpenCV with windows)", result.stderr)
    monkeypatch.setattr("cv2.getBuildInformation", lambda: "  GUI:             NONE\n")
    result = run("--source", clip, "--model", tiny_model(), "--show")
    assert "this one is headless" in result.stderr
    assert "pip install --force-reinstall --no-deps opencv-python==4." in result.stderr


_XVFB = shutil.which("Xvfb")


@pytest.mark.skipif(_XVFB is None, reason="needs Xvfb (Debian's package xvfb)")
def test_closing_the_window_ends_the_run(
    server: MjpegServer, tiny_model: TinyModel, tmp_path: Path
) -> None:
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        pytest.skip("needs an OpenCV with windows")
    assert _XVFB is not None
    read_end, write_end = os.pipe()
    screen = subprocess.Popen(
        [_XVFB, "-displayfd", str(write_end), "-screen", "0", "640x480x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    display = f":{os.read(read_end, 16).decode().strip()}"
    script = """
import cv2, sys
from dcrnet_runtime.cli import run as cli
shown = []
show = cv2.imshow
def close_the_third(title, picture):
    show(title, picture)
    shown.append(picture.shape)
    if len(shown) == 3:
        cv2.destroyWindow(title)  # as its cross does
cv2.imshow = close_the_third
try:
    cli.app()
finally:
    sys.stderr.write(f"shown {shown}\\n")
"""
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-c", script, "--source", server.address, "--show"),
                *("--model", str(tiny_model()), "--detector", "cascade"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "DISPLAY": display},
        )
    finally:
        screen.terminate()
        screen.wait()
        os.close(read_end)
        os.close(write_end)
    assert done.returncode == 0, done.stderr
    assert "shown [(48, 64, 3), (48, 64, 3), (48, 64, 3)]" in done.stderr


def test_a_stop_is_quick_when_nobody_reads_standard_output(
    server: MjpegServer, tiny_model: TinyModel
) -> None:
    process = subprocess.Popen(
        [
            *(*COMMAND, "--source", server.address, "--model", str(tiny_model())),
            *("--detector", "cascade"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0  # what fits into the pipe has been written
