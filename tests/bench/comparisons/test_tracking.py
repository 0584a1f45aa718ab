"""Fast tracking beside exact, on the portrait in motion."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import write_clip
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_bench.comparisons.tracking import app


def compare(clip: Path) -> Result:
    return CliRunner().invoke(app, [str(clip), "--frames", "12", "--rounds", "1"])


def test_fast_tracking_moves_between_looks_and_stays_near(
    tmp_path: Path, portrait: NDArray[np.uint8]
) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 25, (512, 512))
    for number in range(12):
        writer.write(np.roll(portrait[..., ::-1], 2 * number, axis=1))
    writer.release()
    result = compare(clip)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| `")] == [
        "| `--track fast`",
        "| `--track exact`",
    ]
    document = json.loads(lines[-1])
    [turn] = document["turns"]
    assert turn["fast"]["networks_cpu_ms"] > 0
    assert turn["fast"]["inference_cpu_ms"] > 0
    change = document["change"]
    assert change["frames"] == 12
    # A slow machine exceeds the longest time without a look, and then never moves: no error then.
    assert change["moved"] <= 11
    assert change["error_percent"] < 2
    assert (change["error_percent"] > 0) == (change["moved"] > 0)
    assert change["labels"] == change["shown_labels"] == 0


def test_a_clip_without_a_face_is_refused(tmp_path: Path) -> None:
    result = compare(write_clip(tmp_path / "clip.avi", 4))
    assert result.exit_code == 2
    assert "no face is found in the clip: name one of a face" in result.stderr


@pytest.mark.parametrize("frames", ["1", "none"])
def test_too_few_frames_are_refused(frames: str, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", 2)
    assert CliRunner().invoke(app, [str(clip), "--frames", frames]).exit_code == 2
