"""Where maps lie, and the study of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from edge.studies.commands import on, study
from generated import LABELS, TinyModel, synthetic_face
from numpy.typing import NDArray

from dcrnet_edge.models.attention import CBAM
from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.studies.attention_maps.map_file import read_maps
from dcrnet_edge.studies.attention_maps.regions import REGIONS, region_masks, shares
from dcrnet_edge.studies.attention_maps.viewers import OCCLUSION, Viewer
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.sensitivity import GRID, occlusion_sensitivity
from dcrnet_runtime.preprocess.spec import PreprocessSpec

SPEC = PreprocessSpec(size_px=64)


def checkpoint(path: Path, attention: str) -> Path:
    network = create_model("dcrnet", labels=LABELS, attention=attention)
    save_checkpoint(path, Checkpoint(network.eval(), ModelCard(LABELS, SPEC)))
    return path


def by_one_corner(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Sure of its answer as far as the top left eighth is bright."""
    sure = crops[:, :8, :8].mean(axis=(1, 2, 3)) / 255
    return np.stack([sure, 1 - sure], axis=1).astype(np.float32)


def test_sensitivity_is_where_the_answer_comes_from() -> None:
    crop = np.full((64, 64, 3), 255, np.uint8)
    probabilities, falls = occlusion_sensitivity(by_one_corner, crop, 0)
    assert probabilities == pytest.approx([1, 0])
    assert falls.shape == (GRID, GRID)
    assert falls[0, 0] == pytest.approx(1)  # covered whole
    # The cover reaches half a place past its own: half of the corner, or a quarter.
    assert falls[0, 1] == pytest.approx(0.5)
    assert falls[1, 1] == pytest.approx(0.25)
    falls[:2, :2] = 0
    assert not falls.any()


def test_regions_are_where_landmarks_are_and_share_nothing() -> None:
    masks = region_masks(synthetic_face(), SPEC)
    assert set(masks) == set(REGIONS)
    assert np.sum([mask.astype(int) for mask in masks.values()], axis=0).max() == 1
    assert all(mask.any() for mask in masks.values())


def test_shares_are_of_the_positive_weight() -> None:
    left = np.zeros((64, 64), bool)
    left[:, :32] = True
    masks = {"left": left, "top": np.rot90(left, 3)}
    assert shares(np.ones((1, 1), np.float32), masks) == pytest.approx({"left": 0.5, "top": 0.5})
    half = np.array([[1, -5]], np.float32).repeat(2, axis=0)
    fine = np.maximum(cv2.resize(np.maximum(half, 0), (64, 64)), 0)
    told = shares(half, masks)
    assert told["left"] == pytest.approx(fine[:, :32].sum() / fine.sum())
    assert told["left"] > 0.8
    assert told["top"] == pytest.approx(0.5)
    assert all(np.isnan(share) for share in shares(-half.clip(0), masks).values())


@pytest.mark.parametrize(("attention", "gates"), [("cbam", 4), ("se", 0), ("none", 0)])
def test_gates_are_those_of_cbam(attention: str, gates: int, tmp_path: Path) -> None:
    viewer = Viewer(checkpoint(tmp_path / "a.safetensors", attention))
    assert viewer.attention == attention
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    view = viewer.look(crop)
    assert len(view.maps) == 1 + gates
    assert view.maps.pop(OCCLUSION).shape == (GRID, GRID)
    for gate in view.maps.values():
        assert gate.ndim == 2
        assert gate.min() > 0
        assert gate.max() < 1
    assert viewer._network is not None
    hooked = [m for m in viewer._network.modules() if isinstance(m, CBAM)]
    assert not any(module.spatial._forward_hooks for module in hooked)


def test_the_study(tree: Path, tiny_model: TinyModel, tmp_path: Path) -> None:
    model, out = tiny_model(), tmp_path / "out"
    weights = checkpoint(tmp_path / "weights.safetensors", "cbam")
    found = study("attention", model, weights, *on(tree), "--examples", 2, "--out", out)
    assert set(found["facts"]["shares"]) == {model.name, weights.name}
    assert found["settings"]["models"][weights.name]["attention"] == "cbam"
    assert set(found["facts"]["shares"][weights.name]) == {
        *(OCCLUSION, "conv1", "conv2", "residual1", "residual2")
    }
    maps = read_maps([out / "answers" / f"{model.name}--000.csv"])
    assert len(maps) == found["settings"]["faces"] == 10
    figures = found["facts"]["shares"][model.name][OCCLUSION]
    known = [each.share for each in maps if not np.isnan(each.share)]
    assert figures["faces"] == len(known) > 0
    assert figures["share"] == pytest.approx(np.mean(known))
    assert figures["lift"] == pytest.approx(figures["share"] / figures["area"])
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 2
    # The mean face alone and under each map, and two faces.
    assert page.count("<image") == (1 + 1 + 2) + (1 + 5 + 2)


def test_no_face_is_shown_that_was_not_asked_for(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, out = tiny_model(), tmp_path / "out"
    study("attention", model, *on(tree), "--images", 3, "--out", out)
    lines = (out / "answers" / f"{model.name}--faces.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["image", "mean"]
    # A mean of three faces may still be somebody's: not for publishing.
    assert '<figure class="data">' in (out / "report.html").read_text()
