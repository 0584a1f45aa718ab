"""Local cameras, which OpenCV reads: pixel formats and what is said of them."""

from __future__ import annotations

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

    def retrieve(self) -> tuple[bool, np.ndarray]:  # type: ignore[type-arg]
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
