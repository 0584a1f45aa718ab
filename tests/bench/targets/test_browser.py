"""A phone's browser as a target: its report, who may give one, and a real Chromium."""

from __future__ import annotations

import json
import re
import secrets
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import chromium
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_bench.cli.bench import warn
from dcrnet_bench.host.device import Device
from dcrnet_bench.targets.browser.target import BrowserTarget, invitation
from dcrnet_bench.targets.browser.told import MAX_BYTES, PageReport
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.recognizer import Recognizer

pytest.importorskip("starlette", reason="needs the serve extra")
pytest.importorskip("uvicorn", reason="needs the serve extra")

from dcrnet_bench.targets.browser.session import Session

LOADED_S = 240
"""A network of 12 MB is compiled on a machine that has other work."""

GOOD: dict[str, Any] = {
    "user_agent": "A phone\u202e\n",
    "cores": 8,
    "threads": 2,
    "simd": "relaxed",
    "warm_up_rounds": 10,
    "answer": [0.25, 0.75],
    "model_ms": [10.0, 12.5, 11.0],
    "stages_ms": {name: [1, 2.5] for name in ("find", "prepare", "network", "whole", "rest")},
}


def test_a_report_is_read() -> None:
    report = PageReport.parse(json.dumps(GOOD).encode())
    assert report.user_agent == "A phone"
    assert (report.model.median, report.model.n) == (11.0, 3)
    assert report.stages[TimedStage.PREPARE].max == 2.5
    assert report.answer == (0.25, 0.75)


@pytest.mark.parametrize(
    "change",
    [
        {"user_agent": 7},
        {"cores": -1},
        {"threads": 2.5},
        {"threads": True},
        {"simd": "magic"},
        {"answer": [2.0]},
        {"model_ms": []},
        {"model_ms": [float("nan")]},
        {"model_ms": [-1]},
        {"model_ms": ["1"]},
        {"model_ms": [1] * 1501},
        {"stages_ms": {}},
        {"stages_ms": None},
    ],
)
def test_what_is_no_report_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no |missing|none of"):
        PageReport.parse(json.dumps({**GOOD, **change}).encode())


def test_a_report_that_is_nested_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="nested without an end"):
        PageReport.parse(b'{"cores":' + b"[" * 30_000)


def post(port: int, token: str, content: bytes) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/report", content, {"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_one_report_is_taken_from_who_has_the_token(tmp_path: Path) -> None:
    token = secrets.token_urlsafe(16)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    statuses: list[int] = []

    def visit() -> None:
        good = json.dumps(GOOD).encode()
        statuses.append(post(port, token[:-1], good))
        statuses.append(post(port, "", good))
        statuses.append(post(port, token, b" " * (MAX_BYTES + 1)))
        statuses.append(post(port, token, b"[]"))
        statuses.append(post(port, token, good))
        statuses.append(post(port, token, good))

    visitor = threading.Thread(target=visit)
    visitor.start()
    report = Session(tmp_path, token).wait(listening, 30)
    visitor.join()
    assert statuses == [401, 401, 413, 400, 200, 409]
    assert report.threads == 2


def test_nobody_is_waited_for_for_ever(tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with pytest.raises(DcrnetError, match="no report came from the phone"):
        Session(tmp_path, "token").wait(listening, 0.3)


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan([Path("a"), Path("b")]), "cannot be read"),
        (Plan([shipped_model(), shipped_model()]), "one model"),
        (Plan([shipped_model()], runs=5000), "`runs` 5000 is more"),
        (Plan([shipped_model()], runs=1), "the page runs TFLite"),
    ],
)
def test_what_cannot_be_measured_is_told(plan: Plan, told: str) -> None:
    with pytest.raises(DcrnetError, match=told):
        BrowserTarget(Device.PHONE, "127.0.0.1").measure(plan, lambda text: None)


def test_the_address_can_be_read_and_scanned_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("segno", reason="needs the bench extra")
    warn(invitation(45678, "192.0.2.7", 2, secrets.token_urlsafe(16)))
    lines = capsys.readouterr().err.splitlines()
    address = lines[1].strip()
    assert address.startswith("http://192.0.2.7:45678/?threads=2#report=")
    drawn = [line[2:] for line in lines if set(line.strip()) <= set("█▀▄ ")]
    upper = np.array([[sign in "█▀" for sign in line] for line in drawn])
    lower = np.array([[sign in "█▄" for sign in line] for line in drawn])
    light = np.stack([upper, lower], axis=1).reshape(-1, upper.shape[1])
    picture = np.kron(light, np.ones((8, 8))).astype(np.uint8) * 255
    scanned, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert scanned == address


@pytest.mark.skipif(chromium.PATH is None, reason="needs Chromium")
def test_a_browsers_latencies_become_a_report(
    page_engine: None, int8_file: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    picture = tmp_path / "portrait.png"
    cv2.imwrite(str(picture), portrait[:, :, ::-1])
    shown: list[str] = []
    phones: list[threading.Thread] = []

    def phone(address: str) -> None:
        with chromium.Tab(tmp_path / "profile") as tab:
            tab.open(address)
            tab.wait_for(
                "['sent', 'failed'].includes(document.getElementById('status')?.dataset.state)"
            )
            shown.append(tab.value("document.getElementById('status').textContent"))

    def told(text: str) -> None:
        address = re.findall(r"^http://localhost:\S+$", text, re.MULTILINE)[0]
        phones.append(threading.Thread(target=phone, args=(address,)))
        phones[0].start()

    target = BrowserTarget(Device.PHONE, "127.0.0.1", patience_s=300)
    report = target.measure(Plan([int8_file], runs=4, source=picture), told)
    phones[0].join()
    assert shown[0].startswith("Sent")
    (model,) = report.models
    assert model.latency_ms is not None
    assert (report.run.runs, model.latency_ms.n) == (4, 4)
    assert model.placement.runs_on.startswith("browser, LiteRT.js")
    assert any("target: browser" in note for note in report.notes)
    assert "Chrome" in report.host.system
    times = {row.stage: row.latency_ms for row in report.stages}
    assert times.keys() == set(TimedStage)
    assert type(report).from_json(report.to_json()) == report
    recognizer = Recognizer(load_model(int8_file), open_detector())
    frame = cv2.copyMakeBorder(
        cv2.resize(portrait, (480, 480)), 0, 0, 80, 80, cv2.BORDER_REPLICATE
    )
    (face,) = recognizer.recognize(frame)
    assert max(model.answer, key=lambda label: model.answer[label]) == face.label
