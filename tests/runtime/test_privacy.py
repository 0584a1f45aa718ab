"""Nothing leaves the device, and nothing is kept, unless it is asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from generated import TinyModel, write_clip

SPY = """
import socket, sys
def refuse(*arguments, **_):
    print("connection attempted:", arguments, file=sys.stderr)
    raise OSError("no network")
for owner, name in ((socket.socket, "connect"), (socket.socket, "connect_ex"),
                    (socket.socket, "sendto"), (socket, "getaddrinfo"),
                    (socket, "gethostbyname"), (socket, "create_connection")):
    setattr(owner, name, refuse)
from dcrnet_runtime.cli.run import app
app(sys.argv[1:])
"""
CONNECT = "connect(", "AF_INET"


def arguments(tiny_model: TinyModel, folder: Path) -> list[str]:
    clip = write_clip(folder / "clip.avi", 3)
    return ["--source", str(clip), "--model", str(tiny_model())]


def test_no_connection_is_attempted_and_nothing_is_written(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    wanted = arguments(tiny_model, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", SPY, *wanted],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
    )
    assert len(done.stdout.splitlines()) == 3
    assert "connection attempted" not in done.stderr
    assert "no identity is computed. Kept: nothing. Sent: nothing." in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_summary_asks_nobody_for_sources_that_are_no_files(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="needs the tables extra")
    face = {
        **{"box": [1, 2, 3, 4], "outside": 0.0, "aligned": True},
        **{"label": "a", "probability": 0.9, "probabilities": {"a": 0.9, "b": 0.1}},
    }
    places = ("http://user:pass@127.0.0.1:9/a.jpg", "rtsp://127.0.0.1:9/a", "0", "/dev/video0")
    lines = [
        json.dumps({"schema": 1, "source": place, "frame": 0, "time_s": 0.0, "faces": [face]})
        for place in places
    ]
    (tmp_path / "faces.jsonl").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", SPY, "summary", "faces.jsonl"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "connection attempted" not in done.stderr
    assert "Sent: nothing." in done.stderr
    page = (tmp_path / "faces.jsonl-summary.html").read_text()
    assert page.count("it was no file") == 2
    assert page.count("it is not there") == 2


def test_the_spy_sees_a_connection() -> None:
    code = SPY.split("from dcrnet_runtime")[0] + "socket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "connection attempted: (('127.0.0.1', 9),)" in done.stderr


@pytest.mark.slow
def test_the_kernel_sees_no_connection_either(tiny_model: TinyModel, tmp_path: Path) -> None:
    """Native code as well: no process of the command opens an internet socket."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    code = "from dcrnet_runtime.cli.run import app; import sys; app(sys.argv[1:])"
    log = tmp_path / "log"
    subprocess.run(
        [
            *(strace, "-f", "-e", "trace=%network", "-o", str(log)),
            *(sys.executable, "-c", code, *arguments(tiny_model, tmp_path)),
        ],
        check=True,
        capture_output=True,
    )
    lines = log.read_text().splitlines()
    assert not [line for line in lines if all(part in line for part in CONNECT)]
