"""From checkpoint to file in one direction: each file is written once, and none is read back."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from export.fixtures import MakeFaces
from export.toy_networks import SeparableNet, save_toy

import dcrnet_export
from dcrnet_export import ArtifactKind, Precision, export, prepare_job
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.checks.verification import Outcome, verify

_watched: list[tuple[str, str]] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and event == "open" and isinstance(arguments[0], str):
        path, mode, _ = arguments
        _watched.append((path, "write" if mode and set(mode) & set("wax+") else "read"))


sys.addaudithook(_watch)


@contextmanager
def opened(*folders: Path) -> Iterator[Counter[tuple[str, str]]]:
    """Counts (file name, read or write) of what is opened in some folders."""
    global _watched
    counted: Counter[tuple[str, str]] = Counter()
    _watched = []
    try:
        yield counted
    finally:
        for path, how in _watched:
            if any(path.startswith(str(folder)) for folder in folders):
                counted[path.rpartition("/")[2], how] += 1
        _watched = None


@pytest.fixture(scope="module")
def toy_path(make_faces: MakeFaces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "toy.safetensors"
    save_toy(SeparableNet, path, make_faces(16))
    return path


@pytest.mark.parametrize("is_good", [True, False])
def test_each_file_is_written_once_and_read_never(
    toy_path: Path, tmp_path: Path, is_good: bool
) -> None:
    kinds = [ArtifactKind(form, Precision.FP32) for form in ("onnx", "tflite")]
    limits = Tolerances() if is_good else Tolerances(fp32_difference=-1.0)
    job = prepare_job(toy_path, kinds, tolerances=limits)
    with opened(tmp_path, toy_path.parent) as counted:
        done = list(export(job, kinds, tmp_path))
    assert [each.problem is None for each in done] == [is_good] * 2
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 4
    assert all(("rejected" in name) != is_good for name in names)
    assert {how for _, how in counted} == {"write"}
    assert sorted(counted.values()) == [1, 1, 1, 1]
    assert all(".tmp" in name for name, _ in counted)  # beside its place, and then renamed


def test_trials_of_mixed_precision_touch_no_file(toy_path: Path, tmp_path: Path) -> None:
    kinds = [ArtifactKind("onnx", Precision.INT8)]
    job = prepare_job(toy_path, kinds, tolerances=Tolerances(integer_difference=1e-9))
    with opened(tmp_path, toy_path.parent) as counted:
        [exported] = export(job, kinds, tmp_path / "out")
    assert exported.problem is not None
    assert exported.path is not None
    assert "still so with" in exported.problem
    assert exported.path.name == "toy_separable-64-int8.onnx.rejected"
    assert sorted(counted.values()) == [1, 1]
    assert next(verify(exported.path)).outcome is Outcome.FAILED


def test_checkpoint_is_read_once_for_weights_and_once_for_its_hash(toy_path: Path) -> None:
    with opened(toy_path.parent) as counted:
        prepare_job(toy_path, [ArtifactKind("onnx", Precision.FP32)])
    assert counted[toy_path.name, "read"] <= 2


def test_good_file_takes_the_place_of_a_rejected_one(toy_path: Path, tmp_path: Path) -> None:
    kinds = [ArtifactKind("onnx", Precision.FP32)]
    (tmp_path / "toy_separable-64-fp32.onnx.rejected").write_bytes(b"of an earlier export")
    list(export(prepare_job(toy_path, kinds), kinds, tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "toy_separable-64-fp32.onnx",
        "toy_separable-64-fp32.onnx.json",
    ]


def test_public_names() -> None:
    assert len(dcrnet_export.__all__) <= 12
    for name in dcrnet_export.__all__:
        assert getattr(dcrnet_export, name) is not None
    with pytest.raises(AttributeError):
        _ = dcrnet_export.nothing
