"""The whole training loop on a generated tree, in seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generated import FixedFinder, synthetic_face, write_ferplus

from dcrnet_edge.augment import AugmentConfig, random_jitter, sample_generator
from dcrnet_edge.checkpoint import load_checkpoint
from dcrnet_edge.datasets.ferplus import read_ferplus
from dcrnet_edge.datasets.sample import Sample, Split
from dcrnet_edge.evaluation import evaluate
from dcrnet_edge.loader import AugmentedFaces, BalancedOrder
from dcrnet_edge.run import RunPaths, train
from dcrnet_edge.training import TrainConfig
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.spec import PreprocessSpec

SPEC = PreprocessSpec(size_px=64)


def test_a_run_learns_and_describes_itself(tmp_path: Path) -> None:
    """Two kinds of image that differ by brightness are told apart after a few epochs."""
    dataset = read_ferplus(write_ferplus(tmp_path / "data", images=18))
    finder = FixedFinder(
        synthetic_face(centre=(36.0, 36.0), side=40.0), landmarks_sha256="ee" * 32
    )
    config = TrainConfig(epochs=3, batch_size=8, ema_decay=0.5, dropout_scale=0.1)
    paths = RunPaths(tmp_path / "run", tmp_path / "faces")
    path = train(dataset, finder, SPEC, config, paths, terms="generated")
    card = load_checkpoint(path).card
    assert card.labels == dataset.labels
    assert card.preprocess.landmarks_sha256 == "ee" * 32
    assert card.provenance["dataset"] == "ferplus"
    assert card.provenance["recipe"]["epochs"] == 3
    assert card.terms == "generated"
    assert json.loads((paths.run / "config.json").read_text())["repeats_dropped"] == 1
    samples = dataset.splits[Split.TEST]
    whole = [Face(Box(0, 0, 48, 48))] * len(samples)
    figures = evaluate(path, dataset.labels, samples, whole).figures()
    assert figures["images"] == 18
    assert figures["accuracy"] == figures["accuracy_box_only"]
    assert figures["accuracy_aligned"] is None
    assert 0 < card.figures["valid_accuracy"] <= 1
    with pytest.raises(DcrnetError, match="holds a run with another recipe"):
        train(dataset, finder, SPEC, replace(config, seed=9), paths)
    with pytest.raises(DcrnetError, match="do not fill one batch of 64"):
        train(dataset, finder, SPEC, TrainConfig(), RunPaths(tmp_path / "other", paths.faces))
    with pytest.raises(DcrnetError, match="choose a model trained on these labels"):
        evaluate(path, ("calm", "angry"), samples, whole)


def test_augmentation_is_seeded_by_seed_epoch_and_sample(tmp_path: Path) -> None:
    samples = read_ferplus(write_ferplus(tmp_path)).splits[Split.TRAIN]
    faces = [Face(Box(0, 0, 48, 48))] * len(samples)
    first, again, other = (
        AugmentedFaces(samples, faces, SPEC, AugmentConfig(), seed, [0.0]) for seed in (1, 1, 2)
    )
    codes = first[(0, 1)][0]
    assert (codes == again[(0, 1)][0]).all()
    assert (codes != first[(1, 1)][0]).any()
    assert (codes != other[(0, 1)][0]).any()


def test_balance_draws_rare_classes_more_often() -> None:
    samples = [Sample(Path(), int(i >= 900), (1.0, 0.0)) for i in range(1000)]
    shares = []
    for balance in (0.0, 0.5, 1.0):
        order = BalancedOrder(samples, 2, balance, seed=0)
        shares.append(np.mean([samples[index].label for _, index in order]))
    assert shares[0] == pytest.approx(0.1)
    assert shares[1] == pytest.approx(0.25, abs=0.05)
    assert shares[2] == pytest.approx(0.5, abs=0.05)


def test_an_epochs_order_is_its_own() -> None:
    samples = [Sample(Path(), 0, (1.0,)) for _ in range(50)]
    order = BalancedOrder(samples, 1, 0.0, seed=0)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    assert sorted(index for _, index in first) == sorted(index for _, index in second)
    assert [index for _, index in first] != [index for _, index in second]
    assert {epoch for epoch, _ in second} == {1}


def test_jitter_stays_within_its_ranges() -> None:
    config = AugmentConfig(rotation_deg=5, scale=0.1, shift=0.02, shear=0.0, flip=0.0)
    for index in range(50):
        matrix = random_jitter(sample_generator(0, 0, index), config, 100)
        zoom = np.hypot(matrix[0, 0], matrix[1, 0])
        angle = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
        middle = matrix @ [49.5, 49.5, 1]
        assert 0.9 <= zoom <= 1.1
        assert abs(angle) <= 5
        assert np.abs(middle - 49.5).max() <= 2
