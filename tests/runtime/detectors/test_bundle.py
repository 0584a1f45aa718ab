"""A landmark bundle that is none, or one that unpacks to what no network is."""

from __future__ import annotations

import resource
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.landmarks import shipped_landmarks

NAMES = ("face_detector.tflite", "face_landmarks_detector.tflite")


def bundle_of(path: Path, megabytes: int) -> Path:
    """Networks of zeros, which take little room in the file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in NAMES:
            with bundle.open(name, "w", force_zip64=True) as member:
                for _ in range(megabytes):
                    member.write(bytes(1 << 20))
    return path


def test_a_zip_bomb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = bundle_of(tmp_path / "bomb.task", 100)
    assert path.stat().st_size < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DcrnetError, match=r"bomb\.task is not a .*has more than 64 MB"):
        FaceNetworks.from_task(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


@pytest.mark.parametrize("at", [0, 2000, -30, -10])
def test_a_damaged_bundle_is_refused_or_whole(at: int, tmp_path: Path) -> None:
    content = bytearray(shipped_landmarks().read_bytes())
    content[at] ^= 0xFF
    path = tmp_path / "damaged.task"
    path.write_bytes(content)
    with suppress(DcrnetError):
        assert FaceNetworks.from_task(path) == FaceNetworks.from_task(shipped_landmarks())
