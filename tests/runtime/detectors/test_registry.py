"""A detector is one entry: this one is added here, and used by name in code and on the command."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import TinyModel, synthetic_frame
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime import open_detector
from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.detectors import detector as detectors
from dcrnet_runtime.detectors.detector import DetectorOptions
from dcrnet_runtime.face import Box, Face


class MiddleDetector:
    """Takes the middle of every frame for a face, and then some to its right."""

    name = "middle"
    landmarks_sha256 = ""

    def __init__(self, options: DetectorOptions) -> None:
        self._max_faces = options.max_faces

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        height, width = rgb.shape[:2]
        box = Box(width / 4, height / 4, width / 2, height / 2)
        return [Face(Box(box.x + i, box.y, box.width, box.height)) for i in range(5)][
            : self._max_faces
        ]


@pytest.fixture(autouse=True)
def middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, "DETECTORS", dict(detectors.DETECTORS))
    detectors.register("middle", MiddleDetector)


def test_it_is_opened_by_name_with_its_options() -> None:
    detector = open_detector("middle", max_faces=2)
    assert len(detector.find(synthetic_frame())) == 2


def test_the_command_takes_it(tiny_model: TinyModel, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), synthetic_frame(240, 320))
    options = ("--model", tiny_model(), "--detector", "middle", "--max-faces", 1)
    result = CliRunner().invoke(cli.app, ["--source", str(photo), *map(str, options)])
    assert result.exit_code == 0, result.output
    (face,) = json.loads(result.stdout)["faces"]
    assert face["box"] == [80, 60, 160, 120]
