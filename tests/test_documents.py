"""The scripts that make the documents' tables run, on generated material."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

DOCS = Path(__file__).parents[1] / "docs"


def run_script(name: str, *arguments: str | Path) -> list[str]:
    """The lines that a script of the documents prints."""
    done = subprocess.run(
        [sys.executable, str(DOCS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_photos_count_a_face_that_is_not_there_as_wrong(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "happy-nobody.png"), np.full((120, 160, 3), 90, np.uint8))
    lines = run_script("photos.py", tmp_path / "happy-nobody.png")
    document = json.loads(lines[-1])
    [result] = document["results"]
    assert document["versions"] == 25
    assert len(result["wrong"]) == 25
    assert lines[2].startswith("| happy-nobody | dcrnet-int8.onnx | 0 of 25 |")
