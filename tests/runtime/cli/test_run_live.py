"""``dcrnet-run`` on live sources: orderly ends, and the exit codes that are documented."""

from __future__ import annotations

import json
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from generated import FixedDetector, TinyModel, synthetic_frame, write_clip
from mjpeg_server import MjpegServer, jpeg_of
from typer.testing import CliRunner, Result

from dcrnet_runtime.cli import run as cli

COMMAND = [sys.executable, "-c", "from dcrnet_runtime.cli.run import app; app()"]


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    running = MjpegServer()
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: FixedDetector()
    )


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_a_lost_source_is_exit_code_3(server: MjpegServer, tiny_model: TinyModel) -> None:
    server.kill_after(40)
    result = run("--source", server.address, "--model", tiny_model(), "--max-reconnects", 1)
    assert result.exit_code == 3, result.output
    assert "error: http://127.0.0.1" in result.stderr
    assert "1 reconnects brought no frame" in result.stderr
    assert "gives 64x48" in result.stderr
    assert len(result.stdout.splitlines()) > 3


def test_a_recording_that_is_cut_off_is_answered_so_far_with_exit_code_2(
    tmp_path: Path, tiny_model: TinyModel
) -> None:
    clip, out = write_clip(tmp_path / "clip.avi", 12), tmp_path / "a.csv"
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    result = run(clip, "--model", tiny_model(), "--csv", out, "--jsonl", "-")
    assert result.exit_code == 2, result.output
    assert "error: clip.avi is cut off or damaged" in result.stderr
    assert "WARNING" not in result.stderr
    assert out.is_file()
    assert 2 < len(result.stdout.splitlines()) < 12


def test_a_source_that_is_not_there_is_exit_code_2(
    server: MjpegServer, tiny_model: TinyModel
) -> None:
    server.kill()
    result = run("--source", server.address, "--model", tiny_model())
    assert result.exit_code == 2
    assert "gave no frame: nothing listens there (connection refused)" in result.stderr
    server.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_in_order(
    number: signal.Signals, server: MjpegServer, tiny_model: TinyModel, tmp_path: Path
) -> None:
    video, printed = tmp_path / "drawn.avi", tmp_path / "printed.jsonl"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [
                *(*COMMAND, "--source", server.address, "--model", str(tiny_model())),
                *("--detector", "cascade", "--save", str(video)),
            ],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
        while printed.stat().st_size == 0:
            assert process.poll() is None
            time.sleep(0.02)
        server.is_stalled.set()  # the loop waits for a frame when the signal comes
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    server.is_stalled.clear()
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in printed.read_text().splitlines()]
    assert "Stopping." in err
    assert lines
    assert cv2.VideoCapture(str(video)).read()[0]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.load
def test_a_stop_takes_under_half_a_second(
    server: MjpegServer, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """From SIGTERM to the end of the process, with a page, lines and a video."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    taken_s = []
    for number in range(5):
        lines, video = tmp_path / f"{number}.jsonl", tmp_path / f"{number}.mp4"
        words = ["--source", server.address, "--model", str(tiny_model()), "--detector", "cascade"]
        words += ["--serve", str(port), "--jsonl", str(lines), "--save", str(video)]
        with subprocess.Popen([*COMMAND, *words], stderr=subprocess.DEVNULL) as process:
            while not lines.exists() or len(lines.read_text().splitlines()) < 20:
                assert process.poll() is None
                time.sleep(0.05)
            begun = time.monotonic()
            process.terminate()
            assert process.wait(30) == 0
            taken_s.append(time.monotonic() - begun)
    usual_s = statistics.median(taken_s)
    sys.stdout.write(f"\nSIGTERM to the end: {usual_s:.2f} s, at most {max(taken_s):.2f} s\n")
    assert usual_s < 0.5


def test_pictures_on_standard_input(tiny_model: TinyModel) -> None:
    done = subprocess.run(
        [
            *(*COMMAND, "--source", "-", "--model", str(tiny_model())),
            *("--detector", "cascade", "--every-frame"),
        ],
        input=b"".join(jpeg_of(number) for number in range(8)),
        capture_output=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(8))
    assert lines[0]["source"] == "standard input"


def test_photos_by_a_pattern_and_a_turned_clip(tiny_model: TinyModel, tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), synthetic_frame())
    result = run("--source", f"{tmp_path}/a*.png", "--model", tiny_model())
    assert [json.loads(line)["source"] for line in result.stdout.splitlines()] == [
        "a1.png",
        "a2.png",
    ]
    clip = write_clip(tmp_path / "clip.avi", 1)
    result = run("--source", clip, "--model", tiny_model(), "--rotate", 90)
    assert "clip.avi gives 240x320 at 10 fps" in result.stderr


def test_unknown_choices_are_named(tiny_model: TinyModel) -> None:
    for option, text, expected in (
        ("--backend", "tensorflow", "choose onnxruntime, litert, tflite-runtime"),
        ("--provider", "warp", "ONNX Runtime has no provider warp"),
    ):
        result = run("--camera", 97, "--model", tiny_model(), option, text)
        assert result.exit_code == 2
        assert expected in result.stderr
    result = run("--camera", 97, "--model", tiny_model(), "--track", "wild")
    assert result.exit_code == 2
    assert "fast" in result.stderr
    assert "exact" in result.stderr
    result = run("--camera", 97, "--model", tiny_model(), "--rotate", 30)
    assert result.exit_code == 2
    assert "choose 0, 90, 180, 270" in result.stderr
