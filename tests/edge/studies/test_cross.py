"""What is lost on another data set, over one set of labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edge.studies.commands import refused, study
from generated import FixedDetector, TinyModel
from generated_trees import write_ckplus, write_folders

from dcrnet_edge.evaluation.metrics import compute_metrics
from dcrnet_edge.evaluation.predictions import Predictions, save_predictions
from dcrnet_edge.studies.findings import Findings
from dcrnet_edge.studies.kinds.cross import CROSS

LABELS = ("fear", "joy", "neutral")


def answers(labels: tuple[str, ...], subjects: int = 0, **rights: tuple[int, int]) -> Predictions:
    """So many images of each label, of which so many are right; of equal people or of nobody.

    Wrong answers are the last label, or the first one to the last; joy is the second choice.
    """
    truth, rows = [], []
    for label, (right, count) in rights.items():
        true, last = labels.index(label), len(labels) - 1
        wrong = 0 if true == last else last
        for number in range(count):
            row = np.full(len(labels), 0.01)
            row[labels.index("joy")] = 0.2
            row[true if number < right else wrong] = 0.7
            truth.append(true)
            rows.append(row / row.sum())
    names = tuple(str(i % subjects) if subjects else "" for i in range(len(truth)))
    probabilities = np.array(rows, np.float32)
    return Predictions(
        labels,
        tuple(f"{i}.png" for i in range(len(truth))),
        ("test",) * len(truth),
        names,
        np.ones(len(truth), bool),
        np.array(truth, np.int64),
        probabilities,
    )


def concluded(folder: Path, own: Predictions, foreign: Predictions, **labels: int) -> Findings:
    """A model of ``home`` on it and on ``away``, whose labels may be more than the answers'."""
    datasets = {}
    paths = {}
    for layout, each in (("home", own), ("away", foreign)):
        counts = {n: int((each.truth == i).sum()) for i, n in enumerate(each.labels)}
        more = labels if layout == "away" else {}
        datasets[layout] = {"images": len(each.truth), "labels": {**counts, **more}}
        paths[f"m--{layout}"] = folder / f"{layout}.csv"
        save_predictions(paths[f"m--{layout}"], each)
    settings: dict[str, Any] = {"models": {"m": {"trained_on": "home"}}, "datasets": datasets}
    return CROSS.conclude(settings, paths)


def test_both_figures_are_over_the_labels_that_both_have(tmp_path: Path) -> None:
    """Neutral is the easy label, and away has no photo of it."""
    own = answers(LABELS, fear=(10, 20), joy=(10, 20), neutral=(20, 20))
    foreign = answers(("fear", "joy"), fear=(5, 20), joy=(15, 20))
    found = concluded(tmp_path, own, foreign, contempt=7)
    loss = found.facts["m on away"]["loss"]
    assert loss["labels"] == ("fear", "joy")
    assert loss["left_out"] == ("contempt", "neutral")
    assert loss["images"] == (40, 40)
    # Where joy was taken for neutral, it is the most probable of the rest; fear becomes joy.
    assert loss["balanced"] == pytest.approx((0.75, 0.5))
    low, high = loss["balanced_interval"]
    assert low < -0.25 < high < 0
    told, treated = found.verdict
    assert told.startswith("m, trained on home: balanced accuracy -25.0 (")
    assert told.endswith("; both over 2 labels, without contempt, neutral.")
    assert "its most probable label of the rest counts" in treated
    rows = found.tables[0].rows
    assert rows[1][7] == "66.67 %"  # of all its labels, as before
    assert found.tables[1].rows[1][4:6] == ["contempt, neutral", "40 and 40"]


def test_a_label_without_photos_there_is_left_out(tmp_path: Path) -> None:
    own = answers(LABELS, fear=(0, 20), joy=(20, 20), neutral=(20, 20))
    foreign = answers(LABELS, joy=(20, 20), neutral=(20, 20))
    loss = concluded(tmp_path, own, foreign).facts["m on away"]["loss"]
    assert loss["left_out"] == ("fear",)
    assert loss["balanced"] == pytest.approx((1, 1))


def test_the_interval_is_of_both_sides(tmp_path: Path) -> None:
    """The standard error of a difference of two shares; people are drawn as a whole."""
    own = answers(("fear", "joy"), fear=(160, 200), joy=(160, 200))
    foreign = answers(("fear", "joy"), fear=(50, 100), joy=(50, 100))
    loss = concluded(tmp_path, own, foreign).facts["m on away"]["loss"]
    reach = 1.96 * (0.16 / 400 + 0.25 / 200) ** 0.5
    for name in ("balanced", "accuracy"):
        low, high = loss[f"{name}_interval"]
        assert (low, high) == pytest.approx((-0.3 - reach, -0.3 + reach), abs=0.01)
    each = compute_metrics(foreign)
    assert loss["balanced"][1] == pytest.approx(each.balanced_accuracy)
    few = answers(("fear", "joy"), 4, fear=(50, 100), joy=(50, 100))
    many = concluded(tmp_path, own, few).facts["m on away"]["loss"]
    assert many["accuracy_interval"] != loss["accuracy_interval"]


def test_nothing_is_compared_over_one_label(tmp_path: Path) -> None:
    own = answers(LABELS, fear=(10, 20), joy=(10, 20), neutral=(20, 20))
    foreign = answers(("fear", "joy"), joy=(5, 20))
    found = concluded(tmp_path, own, foreign)
    assert found.verdict[0].startswith("No model was asked about its own data set and another")
    assert "loss" not in found.facts["m on away"]


def test_a_file_of_faces_serves_the_data_set_that_it_is_of(
    tmp_path: Path, detector: FixedDetector, tiny_model: TinyModel
) -> None:
    from dcrnet_edge.cli.face_data import open_data
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan

    tree = write_folders(tmp_path / "tree", 5, ("train", "valid", "test"))
    faces, file = write_ckplus(tmp_path / "ckplus", 28), tmp_path / "tree.landmarks"
    data = open_data("folders", tree, SplitPlan(), None, 1, landmarks_cache=file)
    data.faces(Split.TEST)
    before = file.read_bytes()
    asked = ["--on", f"folders:{tree}", "--on", f"ckplus:{faces}", "--whole", "ckplus"]
    cache = ["--landmarks-cache", file, "--workers", 1]
    found = study("cross", tiny_model(), *asked, *cache, "--out", tmp_path / "out")
    assert set(found["settings"]["datasets"]) == {"folders", "ckplus"}
    assert file.read_bytes() == before
    told = refused("cross", tiny_model(), *asked, "--landmarks-cache", tmp_path / "none")
    assert "does not exist: make it with dcrnet-eval, or leave out --landmarks-cache" in told
    assert "--whole kdef has no folder: name it with --on" in refused(
        "cross", tiny_model(), *asked, "--whole", "kdef"
    )
