"""Local cameras, which OpenCV reads: pixel formats and what is said of them."""

from __future__ import annotations

import os
import time

import cv2
import numpy as np
import pytest

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.source import resolve


class FakeDevice:
    """OpenCV's capture of a USB camera, which gives MJPG only where it is asked for it."""

    def __init__(self, _: object) -> None:
        self.values: dict[int, float] = {
            cv2.CAP_PROP_FRAME_WIDTH: 1280,
            cv2.CAP_PROP_FRAME_HEIGHT: 720,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
        }
        self.order: list[int] = []

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, field: int, value: float) -> bool:
        self.order.append(field)
        is_unknown = field == cv2.CAP_PROP_FOURCC and value == cv2.VideoWriter.fourcc(*"NV12")
        if not is_unknown:
            self.values[field] = value
        return not is_unknown

    def get(self, field: int) -> float:
        if field == cv2.CAP_PROP_FPS:
            is_packed = self.values[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
            return 30.0 if is_packed else 5.0
        return self.values.get(field, 0.0)

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((720, 1280, 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeDevice)


def test_a_slow_uncompressed_camera_is_named(caplog: pytest.LogCaptureFixture) -> None:
    capture = resolve("0").opener(CaptureRequest())()
    assert capture.facts.fps == 5
    assert "camera 0 gives YUYV, which is not compressed, at 5 frames a second" in caplog.text
    assert "mjpg" in caplog.text


def test_the_pixel_format_is_asked_for_first(caplog: pytest.LogCaptureFixture) -> None:
    capture = resolve("0").opener(CaptureRequest(640, 480, pixel_format="mjpg"))()
    assert capture.facts.fps == 30
    assert capture._capture.order[0] == cv2.CAP_PROP_FOURCC  # type: ignore[attr-defined]
    assert caplog.text == ""


def test_a_format_that_the_camera_lacks_is_named(caplog: pytest.LogCaptureFixture) -> None:
    resolve("0").opener(CaptureRequest(pixel_format="nv12"))()
    assert "camera 0 gives YUYV, not nv12" in caplog.text
    with pytest.raises(DcrnetError, match="`pixel_format` yuv420p is none of a camera's"):
        resolve("0").opener(CaptureRequest(pixel_format="yuv420p"))()


class DamagedDevice(FakeDevice):
    """A camera of whose pictures libjpeg warns, as it does within OpenCV."""

    def __init__(self, address: object) -> None:
        super().__init__(address)
        self.values[cv2.CAP_PROP_FOURCC] = cv2.VideoWriter.fourcc(*"MJPG")
        self.count = 0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.count += 1
        if self.count == 3:
            os.write(2, b"somebody else\n")
        os.write(2, b"Corrupt JPEG data: %d extraneous bytes before marker 0xd9\n" % self.count)
        return True, np.zeros((48, 64, 3), np.uint8)


def test_damaged_pictures_of_a_camera_are_told_once_in_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", DamagedDevice)
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    capture = resolve("0").opener(CaptureRequest())()
    for _ in range(5):
        assert capture.retrieve() is not None
    told = [line for line in caplog.messages if "extraneous" in line]
    assert told == [
        "camera 0: 1 x Corrupt JPEG data: 1 extraneous bytes before marker 0xd9: pictures arrive"
        " damaged, try another cable, port or a smaller size"
    ]
    clock[0] += 10.0
    capture.retrieve()
    told = [line for line in caplog.messages if "extraneous" in line]
    assert len(told) == 2
    assert "camera 0: 5 x Corrupt JPEG data" in told[1]
    assert capfd.readouterr().err == "somebody else\n"
    capture.close()
    os.write(2, b"behind it\n")
    assert capfd.readouterr().err == "behind it\n"


def test_opencv_itself_writes_no_line_of_a_damaged_picture(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    damaged = np.frombuffer(jpeg[:-2] + b"xyz" + jpeg[-2:], np.uint8)
    monkeypatch.setattr(cv2, "VideoCapture", DamagedDevice)
    monkeypatch.setattr(DamagedDevice, "retrieve", lambda _: (True, cv2.imdecode(damaged, 1)))
    capture = resolve("0").opener(CaptureRequest())()
    rgb = capture.retrieve()
    assert rgb is not None
    assert rgb.shape == (48, 64, 3)
    assert capfd.readouterr().err == ""
    capture.close()


def test_pictures_are_decoded_where_standard_error_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", DamagedDevice)
    monkeypatch.setattr(
        DamagedDevice, "retrieve", lambda self: (True, np.ones((4, 4, 3), np.uint8))
    )
    capture = resolve("0").opener(CaptureRequest())()
    kept = os.dup(2)
    os.close(2)
    try:
        rgb = capture.retrieve()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert rgb is not None
    capture.close()
