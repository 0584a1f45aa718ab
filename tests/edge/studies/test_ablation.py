"""The ablation: its networks, its statistics, and a small run of it."""

from __future__ import annotations

import math
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from edge.studies.commands import refused, study
from generated import LABELS
from scipy.stats import norm

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.evaluation.predictions import Predictions, save_predictions
from dcrnet_edge.models.attention import CBAM, SqueezeExcitation
from dcrnet_edge.models.dcrnet import ResidualBlock
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.studies.ablating.over_seeds import mean_over_seeds, seeded_difference
from dcrnet_edge.studies.ablating.variants import VARIANTS, Variant
from dcrnet_edge.studies.kinds.ablation import AblationOptions, _agreement, _told
from dcrnet_edge.training.interruption import RunEndedError
from dcrnet_edge.training.recipe import ComputePrecision, Keep, Schedule
from dcrnet_edge.training.run import Run
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import Alignment


def answers(right: list[bool], order: list[int] | None = None) -> Predictions:
    count = len(right)
    order = order or list(range(count))
    probabilities = np.array([[r, not r] for r in right], np.float32)[order]
    names = tuple(f"{i}.png" for i in order)
    empty = ("",) * count
    flags = np.ones(count, bool)
    truth = np.zeros(count, np.int64)
    return Predictions(("joy", "fear"), names, empty, empty, flags, truth, probabilities)


def test_each_row_has_the_parts_that_it_names() -> None:
    own = AblationOptions(Path("data"))
    kinds = (CBAM, SqueezeExcitation, ResidualBlock)
    parts: dict[Variant, tuple[int, ...]] = {}
    named = (Variant.BACKBONE, Variant.CBAM, Variant.FULL, Variant.SE, Variant.NO_ATTENTION)
    for variant in named:
        network = create_model("dcrnet", **own.config(variant, 0).network, labels=LABELS)
        modules = list(network.modules())
        parts[variant] = tuple(sum(isinstance(m, kind) for m in modules) for kind in kinds)
        assert network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 7)
    assert parts == {
        Variant.BACKBONE: (0, 0, 0),
        Variant.CBAM: (2, 0, 0),
        Variant.FULL: (4, 0, 6),
        Variant.SE: (0, 4, 6),
        Variant.NO_ATTENTION: (0, 0, 6),
    }
    specs = {v: own.config(v, 0).preprocess for v in Variant}
    backbone, gamma, full = (
        specs[v] for v in (Variant.BACKBONE, Variant.GAMMA, Variant.LANDMARKS)
    )
    assert (backbone.gamma_min, backbone.gamma_max) == (1.0, 1.0)
    assert backbone.alignment is gamma.alignment is Alignment.BOX
    assert (gamma.gamma_min, gamma.gamma_max) == (0.6, 1.4)
    assert (full.alignment, full.focus_strength) == (Alignment.LANDMARKS, 0.5)
    recipes = {v: own.config(v, 2).recipe for v in Variant}
    assert {r.seed for r in recipes.values()} == {2}
    assert not recipes[Variant.FULL].class_weights
    assert {r.ema_decay for r in recipes.values()} == {0.0}
    assert recipes[Variant.FULL].label_smoothing == 0.1
    assert recipes[Variant.NO_SMOOTHING].label_smoothing == 0.0
    assert recipes[Variant.WEIGHTS].class_weights
    assert recipes[Variant.OVERSAMPLING].oversampling_power == 0.5
    assert {r.precision for r in recipes.values()} == {ComputePrecision.FP32}
    fast = replace(own, bf16=True)
    assert {fast.config(v, 0).recipe.precision for v in Variant} == {ComputePrecision.BF16}


def test_rows_are_compared_with_a_neighbour_that_differs_in_one_thing() -> None:
    before = {v: spec.compared_with for v, spec in VARIANTS.items()}
    cumulative = list(Variant)[:5]
    assert [before[v] for v in cumulative] == [None, *cumulative[:-1]]
    assert {before[v] for v in list(Variant)[5:]} == {Variant.FULL}


def test_the_mean_over_seeds_has_students_interval() -> None:
    mean, interval = mean_over_seeds([0.70, 0.72, 0.74])
    assert mean == pytest.approx(0.72)
    assert interval == pytest.approx(
        (0.72 - 4.3027 * 0.02 / 3**0.5, 0.72 + 4.3027 * 0.02 / 3**0.5)
    )
    assert mean_over_seeds([0.7]) == (0.7, None)


def test_a_difference_is_paired_by_seed_and_image() -> None:
    better, worse = [True] * 6 + [False] * 4, [True] * 4 + [False] * 6
    order = list(range(10))[::-1]
    found = seeded_difference([answers(better)], [answers(worse, order)])
    assert found.difference == pytest.approx(0.2)
    assert found.interval is None
    assert list(found.p_values) == pytest.approx([0.5])  # two of two: 2 * 0.5^2
    spread = math.sqrt(0.2 - 0.2**2)
    expected = (norm.ppf(0.975) + norm.ppf(0.8)) * spread / math.sqrt(10)
    assert found.smallest == pytest.approx(expected)
    two = seeded_difference([answers(better), answers(worse)], [answers(worse), answers(worse)])
    assert two.difference == pytest.approx(0.1)
    assert two.interval is not None
    assert two.interval[0] < 0 < two.interval[1]
    assert two.smallest > found.smallest


def test_rows_that_answer_alike_show_nothing() -> None:
    same = [answers([True] * 5 + [False] * 5)] * 3
    found = seeded_difference(same, same)
    assert math.isnan(found.smallest)
    assert found.to_json()["smallest_detectable"] is None
    assert _told(found) == "the same answers to every image."
    assert _agreement(found, 0.0036) == "rows that answer alike cannot tell"


def test_images_are_a_sample_however_equal_the_seeds() -> None:
    """Three seeds that win one image each: the t interval alone would be from 0.1 to 0.1."""
    better, worse = [True] * 6 + [False] * 4, [True] * 5 + [False] * 5
    found = seeded_difference([answers(better)] * 3, [answers(worse)] * 3)
    assert found.interval == pytest.approx(
        (0.1 - norm.ppf(0.975) * 0.3 / 10**0.5, 0.1 + norm.ppf(0.975) * 0.3 / 10**0.5)
    )
    assert _agreement(found, 0.0036) == "this neither shows nor excludes it"


def test_rows_learn_alike_whatever_the_data_set_is_trained_by() -> None:
    recipe = AblationOptions(Path("data"), "affectnet").config(Variant.FULL, 0).recipe
    assert (recipe.keep, recipe.early_stop_patience) == (Keep.LAST, 0)
    assert recipe.schedule is Schedule.ONE_CYCLE


def test_a_small_run_goes_on_where_it_was_cut(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = ["--data", tree, "--dataset", "folders", "--workers", 1, "--from-scratch"]
    asked += ["--row", "backbone", "--row", "gamma", "--epochs", 1, "--seeds", 1]
    asked += ["--batch-size", 4, "--out", tmp_path / "out"]
    train, trained = Run.train, []

    def cut(self: Run, *, resume: bool = False) -> Path:
        trained.append(self.folder.name)
        if trained == ["backbone--seed-0", "gamma--seed-0"]:
            raise DcrnetError("the lights went out")
        return train(self, resume=resume)

    monkeypatch.setattr(Run, "train", cut)
    assert "the lights went out" in refused("ablation", *asked)
    with monkeypatch.context() as patch:
        ended = RunEndedError(signal.SIGTERM, "dcrnet-train --resume --out runs goes on")
        patch.setattr(Run, "train", Mock(side_effect=ended))
        told = refused("ablation", *asked, code=128 + signal.SIGTERM)
    assert told.strip().endswith("training was told to end (SIGTERM): the same command goes on")
    found = study("ablation", *asked)
    assert trained == ["backbone--seed-0", "gamma--seed-0", "gamma--seed-0"]
    rows = found["facts"]["accuracy"]
    assert rows["backbone"]["paper"] == [0.6412]
    assert set(rows) == {"backbone", "gamma"}
    gap = rows["gamma"]["mean"] - rows["backbone"]["mean"]
    assert found["facts"]["differences"]["gamma"]["difference"] == pytest.approx(gap)
    costs = found["settings"]["rows"]["backbone"]
    # DenseNet121's features, then 1024 -> 512 -> 256 -> 128 -> 2 with biases.
    assert costs["parameters"] == 6_953_856 + 524_800 + 131_328 + 32_896 + 258
    assert "two figures" in found["claim"]


def test_seeds_are_paired_and_a_kill_costs_one_training(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks that nobody trained: of twenty images gamma gets two more right by each seed."""
    trained: list[str] = []
    sizes: set[tuple[int, ...]] = set()

    def write(config: RunConfig, data: FaceData, start: object, root: Path, path: Path) -> None:
        trained.append(path.stem)
        sizes.add(tuple(len(data.samples(split)) for split in Split))
        if len(trained) == 3:
            raise DcrnetError("the lights went out")
        right = 10 - config.recipe.seed + 2 * (config.preprocess.gamma_min < 1)
        save_predictions(path, answers([i < right for i in range(20)]))

    monkeypatch.setattr("dcrnet_edge.studies.kinds.ablation._train", write)
    asked: list[Any] = ["--data", tree, "--dataset", "folders", "--workers", 1, "--from-scratch"]
    asked += ["--row", "backbone", "--row", "gamma", "--seeds", 2, "--out", tmp_path / "out"]
    asked += ["--train-images", 6]
    assert "the lights went out" in refused("ablation", *asked)
    found = study("ablation", *asked)
    first = ["backbone--seed-0", "gamma--seed-0", "backbone--seed-1"]
    assert trained == [*first, "backbone--seed-1", "gamma--seed-1"]
    assert sizes == {(6, 6, 10)}  # Valid in Train's proportion, Test whole
    assert found["settings"]["valid_images"] == 6
    assert found["facts"]["accuracy"]["gamma"]["by_seed"] == pytest.approx([0.6, 0.55])
    difference = found["facts"]["differences"]["gamma"]
    assert difference["difference"] == pytest.approx(0.1)
    assert difference["mcnemar_p"] == pytest.approx([0.5, 0.5])  # two of two: 2 * 0.5^2
    # By the mean over seeds one image is won whole and two by half; all seeds tell the same.
    spread = math.sqrt((1 + 2 * 0.25) / 20 - 0.1**2)
    smallest = (norm.ppf(0.975) + norm.ppf(0.8)) * spread / math.sqrt(20)
    assert difference["smallest_detectable"] == pytest.approx(smallest)
    reach = 100 * norm.ppf(0.975) * spread / math.sqrt(20)  # of the images: seeds have none
    told = found["verdict"][1]
    assert f"+10.00 points ({10 - reach:+.2f} to {10 + reach:+.2f}); a true " in told
    assert f"below {100 * smallest:.2f} is missed more often than one time in five." in told
    assert told.endswith("The paper has +0.36: this neither shows nor excludes it.")


def test_what_cannot_be_ablated_is_refused(tree: Path, tmp_path: Path) -> None:
    on = ["--data", tree, "--dataset", "folders", "--workers", 1]
    assert "--row head is unknown" in refused("ablation", *on, "--row", "head")
    told = refused("ablation", *on, "--start-from", tmp_path / "a.safetensors")
    assert "leave --start-from out" in told
