"""Each study on a small tree of pictures, from the command to the figures."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edge.studies.commands import on, refused, study
from generated import FixedDetector, TinyModel
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from dcrnet_edge.evaluation.predictions import Predictions, read_predictions
from dcrnet_edge.studies.people.group_gaps import accuracy_gaps, share_gaps
from dcrnet_edge.studies.people.groups import large_groups
from dcrnet_edge.studies.people.pose_file import pose_rows, read_pose
from dcrnet_edge.studies.pictures.relative_losses import relative_loss
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.spec import PreprocessSpec


def test_robustness(tree: Path, tiny_model: TinyModel, tmp_path: Path) -> None:
    model, out = tiny_model(), tmp_path / "out"
    families = ["--family", "darkness", "--family", "mouth"]
    found = study("robustness", model, *on(tree), *families, "--out", out)
    answers = {path.stem: path for path in (out / "answers").iterdir()}
    assert set(answers) == {
        "pose",
        f"{model.name}--clean",
        *(f"{model.name}--{kind}-{s}" for kind in ("darkness", "mouth") for s in range(1, 6)),
    }
    clean = read_predictions(answers[f"{model.name}--clean"])
    dark = read_predictions(answers[f"{model.name}--darkness-5"])
    loss = found["facts"]["losses"][model.name]["darkness-5"]
    assert loss["difference"] == pytest.approx(dark.correct.mean() - clean.correct.mean())
    assert not np.array_equal(dark.probabilities, clean.probabilities)
    assert found["settings"]["strengths"]["darkness"] == [0.8, 0.65, 0.5, 0.35, 0.25]
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 1
    assert "By the head&#x27;s pose" in page
    assert not list((tmp_path / "cache" / "crops").glob("*"))[2:]  # corrupted crops are not kept


def test_models_are_compared_by_what_they_lose(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """Files of one name in two folders are two models; each is held to its own clean answers."""
    paths = []
    for number, side in enumerate((64, 48)):
        (tmp_path / f"run-{number}").mkdir()
        written = tiny_model(PreprocessSpec(size_px=side), name=f"run-{number}/model.onnx")
        paths.append(written)
    options = ["--family", "darkness", "--family", "blur", "--out", tmp_path / "out"]
    found = study("robustness", *paths, *on(tree), *options)
    names = ["run-0-model.onnx", "run-1-model.onnx"]
    assert list(found["settings"]["models"]) == names
    relative = found["facts"]["relative_losses"][" - ".join(names)]
    losses = [found["facts"]["losses"][name] for name in names]
    for family in ("darkness", "blur"):
        means = [
            np.mean([own[f"{family}-{s}"]["difference"] for s in range(1, 6)]) for own in losses
        ]
        assert relative[family]["difference"] == pytest.approx(means[0] - means[1])
    assert [(pair["first"], pair["second"]) for pair in found["facts"]["pairs"]] == [tuple(names)]
    captions = [table["caption"] for table in found["tables"]]
    assert "Each pair on clean pictures" in captions
    assert captions[-1].startswith("What the first loses less than the second")
    told = refused("robustness", paths[0], paths[0], *on(tree))
    assert "two models are called model.onnx" in told


def right(*answers: bool) -> Predictions:
    """Two labels; images by number."""
    truth = np.zeros(len(answers), np.int64)
    probabilities = np.where(np.array(answers)[:, None], (0.9, 0.1), (0.1, 0.9))
    images = tuple(f"{i}.png" for i in range(len(answers)))
    some = ("",) * len(answers)
    seen = np.ones(len(answers), bool)
    return Predictions(("a", "b"), images, some, some, seen, truth, probabilities)


def test_a_relative_loss_is_a_difference_of_changes() -> None:
    kept = {"clean": right(*[True] * 40), "dark-1": right(*[True] * 40)}
    lost = {"clean": right(*[True] * 40), "dark-1": right(*[True] * 20, *[False] * 20)}
    value, (low, high) = relative_loss(kept, lost, ["dark-1"])
    assert value == 0.5
    assert 0.3 < low < 0.5 < high < 0.7
    assert relative_loss(lost, kept, ["dark-1"])[0] == -0.5
    worse = {"clean": right(*[False] * 40), "dark-1": right(*[False] * 40)}
    value, (low, high) = relative_loss(kept, worse, ["dark-1"])
    assert value == 0
    assert low < 0 < high  # forty images that lose alike do not show that all do


@pytest.mark.parametrize("has_views", [True, False])
def test_accuracy_by_view_where_the_data_set_has_some(has_views: bool, tmp_path: Path) -> None:
    path = tmp_path / "pose.csv"
    header = "image,yaw_deg,pitch_deg" + ",view" * has_views
    views = ("straight", "full left")
    lines = [f"{i}.png,{2 * i},0" + f",{views[i % 2]}" * has_views for i in range(4)]
    path.write_text("\n".join([header, *lines]) + "\n")
    rows = pose_rows(right(True, False, True, False), read_pose(path))
    by_view = {row[0]: row[1:3] for row in rows if row[0].startswith("view")}
    told = {"view straight": ["2", "100.00 %"], "view full left": ["2", "0.00 %"]}
    assert by_view == (told if has_views else {})


@pytest.mark.parametrize(("people", "units"), [(False, 40), (True, 4)])
def test_views_are_as_sure_as_there_are_people(people: bool, units: int) -> None:
    """Of each of four people ten frontal faces are right, and ten from the side are."""
    found = right(*[True] * 80)
    subjects = tuple(f"S{i % 4}" for i in range(80)) if people else found.subjects
    poses = {image: (0.0, 0.0, ("a", "b")[i // 40]) for i, image in enumerate(found.images)}
    rows = pose_rows(replace(found, subjects=subjects), poses)
    (by_view,) = (row for row in rows if row[0] == "view b")
    low = proportion_confint(units, units, 0.05, method="beta")[0]
    assert by_view[1:] == ["40", "100.00 %", f"{100 * low:.1f} to 100.0"]


def test_maps_that_are_all_alike_are_no_certainty() -> None:
    """A share can be more or less, and of two models' difference both ends are open."""
    from dcrnet_edge.studies.kinds.attention import _mean_of

    others = 1 - 0.025 ** (1 / 20)
    share = (0.3, 0.3 - others * 0.3, 0.3 + others * 0.7)
    assert _mean_of([0.3] * 20) == pytest.approx(share)
    assert _mean_of([0.0] * 20, are_differences=True) == pytest.approx((0, -others, others))


def test_robustness_asks_for_what_it_needs(tree: Path, tiny_model: TinyModel) -> None:
    assert "name the data set's folder with --data" in refused("robustness", tiny_model())
    told = refused("robustness", tiny_model(), *on(tree), "--family", "fog")
    assert "--family fog is unknown: choose darkness" in told
    assert "--split best is unknown" in refused(
        "robustness", tiny_model(), *on(tree), "--split", "best"
    )


def test_a_sample_of_images_is_the_same_again(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, chosen = tiny_model(), []
    for name in ("a", "b"):
        out = tmp_path / name
        options = ["--family", "blur", "--images", 4, "--seed", 7]
        study("robustness", model, *on(tree), *options, "--out", out)
        chosen.append(read_predictions(out / "answers" / f"{model.name}--clean.csv").images)
    assert chosen[0] == chosen[1]
    assert len(set(chosen[0])) == 4


def test_quantization_compares_the_two_forms(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model = tiny_model()
    found = study(
        "quantization", "--float", model, "--int8", model, *on(tree), "--out", tmp_path / "out"
    )
    assert set(found["facts"]["flipped_share"].values()) == {0.0}
    assert set(found["facts"]["difference"].values()) == {0.0}
    assert len(found["facts"]["difference"]) == 1 + 13 * 2


def test_quantization_looks_for_no_face_that_robustness_has_found(
    tree: Path, tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faces are kept by pictures and what was done to them, whichever study asks."""
    looked: list[int] = []
    find = FixedDetector.find

    def counted(self: FixedDetector, rgb: NDArray[np.uint8]) -> list[Face]:
        looked.append(1)
        return find(self, rgb)

    monkeypatch.setattr(FixedDetector, "find", counted)
    model, some = tiny_model(), [*on(tree), "--images", 3]
    study("robustness", model, *some, "--out", tmp_path / "robustness")
    seen = len(looked)
    assert seen >= 13 * 5 * 3
    asked = ["--float", model, "--int8", model, *some]
    study("quantization", *asked, "--out", tmp_path / "quantization")
    assert len(looked) == seen


def test_cross_counts_what_only_one_side_knows(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    found = study("cross", tiny_model(), "--on", f"folders:{tree}", "--out", tmp_path / "out")
    (figures,) = found["facts"].values()
    assert figures["images"] <= found["settings"]["datasets"]["folders"]["images"]
    assert "once, as in ferplus:FOLDER" in refused("cross", tiny_model(), "--on", "moon:x")
    assert "name them with --on" in refused("cross", tiny_model())


def test_fairness_without_labels(tree: Path, tiny_model: TinyModel, tmp_path: Path) -> None:
    paths = sorted((tree / "test").rglob("*.png"))
    groups = tmp_path / "groups.csv"
    with groups.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "age", "side", "all alike"])
        for number, path in enumerate(paths):
            name = path.relative_to(tree)
            writer.writerow([name, "old" if number % 4 < 2 else "young", "LR"[number % 2], "x"])
    asked = ["--unlabelled", tree, "--groups", groups, "--workers", 1]
    found = study("fairness", tiny_model(), *asked, "--least", 4, "--out", tmp_path / "out")
    (by_attribute,) = found["facts"].values()
    assert set(by_attribute) == {"age", "side"}
    for shares in by_attribute["side"]["shares"].values():
        named = {name: share for name, share in shares.items() if name != "no landmarks"}
        assert sum(named.values()) == pytest.approx(1)
    assert found["settings"]["dataset"] == "unlabelled"
    assert "is no difference in errors" in found["verdict"][-1]
    chosen = study(
        *("fairness", tiny_model(), *asked, "--attribute", "age", "--least", 4),
        *("--out", tmp_path / "age"),
    )
    assert set(next(iter(chosen["facts"].values()))) == {"age"}
    assert "--attribute height is none" in refused(
        "fairness", tiny_model(), *asked, "--attribute", "height"
    )
    assert "two groups of 1000" in refused("fairness", tiny_model(), *asked, "--least", 1000)
    assert "--groups" in refused("fairness", tiny_model(), "--unlabelled", tree)
    paths[0].write_bytes(paths[-1].read_bytes())
    elsewhere = ["--least", 4, "--out", tmp_path / "out"]
    assert "data_sha256" in refused("fairness", tiny_model(), *asked, *elsewhere)
    groups.write_text("file,age\na.png,old,more\n")
    assert "more cells than columns" in refused("fairness", tiny_model(), *asked)
    groups.write_text("file,age\nnobody.png,old\nnone.png,young\n")
    assert "2 of 2 images" in refused("fairness", tiny_model(), *asked)


def rows(**counts: tuple[int, int]) -> list[dict[str, str]]:
    """Answers by group: how many are right, and of how many."""
    return [
        {"group": group, "label": "joy", "predicted": "joy" if i < right else "fear"}
        for group, (right, count) in counts.items()
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("worse", "told"), [(904, "surely less"), (750, "surely more"), (875, "not decided")]
)
def test_a_gap_is_told_by_its_interval(worse: int, told: str) -> None:
    gaps = accuracy_gaps(rows(a=(905, 1000), b=(worse, 1000), few=(0, 9)), "group", 100, 0.03)
    assert gaps is not None
    assert gaps.facts["gap"] == pytest.approx((905 - worse) / 1000)
    low, high = gaps.facts["gap_interval"]
    assert low < gaps.facts["gap"] < high
    assert told in gaps.sentences[0]
    assert [row[0] for row in gaps.tables[0][1][1:]] == ["a", "b"]
    assert accuracy_gaps(rows(a=(9, 9), few=(0, 9)), "group", 100, 0.03) is None


def test_shares_are_compared_at_equal_age() -> None:
    """Both groups smile by age alone; one of them is younger."""

    def person(group: str, age: str, answer: str) -> dict[str, str]:
        told = {"group": group, "age": age, "aligned": "1", "predicted": answer}
        return told | {"p_joy": "0.9", "p_calm": "0.1"}

    people = []
    for group, young, old in (("a", 300, 100), ("b", 100, 300)):
        people += [person(group, "young", "joy")] * young + [person(group, "old", "calm")] * old
    raw, fair = share_gaps(people, "group", 50, None), share_gaps(people, "group", 50, "age")
    assert raw is not None
    assert fair is not None
    assert raw.facts["gaps"]["joy"]["gap"] == pytest.approx(0.5)
    assert fair.facts["gaps"]["joy"]["gap"] == pytest.approx(0.0)
    assert fair.facts["shares"]["a"]["joy"] == pytest.approx(0.5)
    low, high = raw.facts["share_intervals"]["a"]["joy"]
    assert low < raw.facts["shares"]["a"]["joy"] == 0.75 < high


def test_groups_are_in_the_order_of_their_numbers() -> None:
    assert large_groups(["10-19", "3-9", "", "x", "3-9", "10-19", "x", "70+"], 2) == [
        *("3-9", "10-19", "x")
    ]


def test_confidence_has_an_interval_by_group() -> None:
    """Of one group all are equally sure, of the other one half are."""

    def person(group: str, p_joy: float) -> dict[str, str]:
        told = {"group": group, "aligned": "1", "predicted": "joy"}
        return told | {"p_joy": f"{p_joy}", "p_calm": f"{1 - p_joy:.2f}"}

    people = [person("a", 0.81)] * 100 + [person("b", 0.6), person("b", 1.0)] * 100
    gaps = share_gaps(people, "group", 50, None)
    assert gaps is not None
    sure = gaps.facts["confidence"]
    assert sure["a"]["mean"] == pytest.approx(0.81)
    # Up to 3.6 % of a group, of whom 100 are equally sure, may be so by any other probability.
    others = 1 - 0.025 ** (1 / 100)
    exact = [0.81 - others * 0.81, 0.81 + others * 0.19]
    assert sure["a"]["interval"] == pytest.approx(exact)
    assert sure["b"]["mean"] == pytest.approx(0.8)
    # Of 200 draws of two values 0.4 apart the mean has the standard error 0.2 / sqrt(200).
    reach = 1.96 * 0.2 / 200**0.5
    assert sure["b"]["interval"] == pytest.approx([0.8 - reach, 0.8 + reach], abs=0.004)
    low, high = gaps.facts["confidence_gap"]["interval"]
    assert low < 0 < gaps.facts["confidence_gap"]["gap"] < high
    assert gaps.tables[0][1][0] == ["group", "images", "confidence", "no landmarks", "joy"]
    assert gaps.tables[0][1][1][2] == "81.0 % (78.1 to 81.7)"
    assert [row[0] for row in gaps.tables[1][1][1:]] == ["confidence", "no landmarks", "joy"]
    assert set(gaps.facts["gaps"]) == {"no landmarks", "joy"}
