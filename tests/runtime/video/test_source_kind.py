"""A kind of source is one entry: this one is added here, and read by the command and the loop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime import Recognizer, Stream, load_model
from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video import source as sources
from dcrnet_runtime.video.capture import CaptureFacts, CaptureRequest
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.kind import Source, SourceKind


class NoiseCapture:
    """``noise:N`` gives N frames of noise and ends."""

    def __init__(self, source: Source) -> None:
        self.facts = CaptureFacts(source.name, is_live=False, is_endless=False, fps=10.0)
        self._left = int(source.address.partition(":")[2])

    def grab(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def retrieve(self) -> NDArray[np.uint8]:
        return synthetic_frame(seed=self._left)

    def position_s(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def open_noise(
    source: Source, request: CaptureRequest, open_s: float, read_s: float
) -> NoiseCapture:
    return NoiseCapture(source)


NOISE = SourceKind(
    "noise",
    Feed.RECORDING,
    claims=lambda address: address.startswith("noise:"),
    unreadable="{name} gave no noise",
    open=open_noise,
)


@pytest.fixture(autouse=True)
def noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SOURCE_KINDS", list(sources.SOURCE_KINDS))
    sources.register(NOISE)


def test_the_loop_reads_a_new_kind(tiny_model: TinyModel) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector(synthetic_face()))
    with Stream(recognizer, "noise:4") as stream:
        assert [seen.frame.index for seen in stream] == [0, 1, 2, 3]


def test_the_command_reads_a_new_kind(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: FixedDetector()
    )
    result = CliRunner().invoke(
        cli.app, ["--source", "noise:3", "--model", str(tiny_model()), "--jsonl", "-"]
    )
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["source"] for line in lines] == ["noise:3"] * 3


def test_photos_are_no_stream(tiny_model: TinyModel, tmp_path: Path) -> None:
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector())
    with pytest.raises(DcrnetError, match=r"photos are for Recognizer\.recognize"):
        Stream(recognizer, str(tmp_path))


@pytest.mark.parametrize("address", ["a\0b", "\ud800.jpg", "/dev/\ud800"])
def test_what_no_file_can_be_called_is_refused(address: str) -> None:
    with pytest.raises(DcrnetError, match="does not exist or is no file"):
        sources.resolve(address)
