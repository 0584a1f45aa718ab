"""Figures against known values."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from statsmodels.stats.proportion import proportion_confint
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.evaluation import model_refs
from dcrnet_edge.evaluation.bootstrap import SHARES, mean_interval
from dcrnet_edge.evaluation.comparison import compare
from dcrnet_edge.evaluation.metrics import compute_metrics, resampled_metrics
from dcrnet_edge.evaluation.predictions import Predictions, read_predictions, save_predictions
from dcrnet_edge.evaluation.report import class_rows, path_rows, summary_rows, write_report
from dcrnet_edge.evaluation.rows import markdown, print_rows
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped, shipped_model

LABELS = ("anger", "fear", "neutral")


def predictions_of(truth: list[int], predicted: list[int], confidence: float = 0.8) -> Predictions:
    count = len(truth)
    probabilities = np.full((count, 3), (1 - confidence) / 2, np.float32)
    probabilities[np.arange(count), predicted] = confidence
    images = tuple(f"a/{i}.png" for i in range(count))
    aligned = np.arange(count) % 2 == 0
    parts, subjects = ("test",) * count, ("S001",) * count
    return Predictions(LABELS, images, parts, subjects, aligned, np.array(truth), probabilities)


@pytest.fixture
def some() -> Predictions:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    predicted = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 3, 200))
    return predictions_of(truth.tolist(), predicted.tolist())


def test_brackets_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([["only a[v1]"], ["b[v2].onnx"]])
    printed = capsys.readouterr().out
    assert "only a[v1]" in printed
    assert "b[v2].onnx" in printed


def test_metrics_are_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        truth, predicted = rng.integers(0, 4, 30), rng.integers(0, 3, 30)
        accuracy, balanced, macro_f1 = resampled_metrics(truth, predicted, 6)
        assert accuracy == pytest.approx((truth == predicted).mean())
        assert balanced == pytest.approx(balanced_accuracy_score(truth, predicted))
        expected = f1_score(truth, predicted, average="macro", zero_division=0)
        assert macro_f1 == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    """Answers of 80 % that are right half the time are off by 0.3."""
    found = compute_metrics(predictions_of([0, 0, 1, 1], [0, 1, 1, 0]))
    assert found.expected_calibration_error == pytest.approx(0.3, abs=1e-5)
    assert found.log_loss == pytest.approx(-(math.log(0.8) + math.log(0.1)) / 2, abs=1e-5)
    assert found.accuracy == 0.5
    assert found.confusion == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert found.accuracy_aligned == 1.0
    assert found.accuracy_box_only == 0.0


def test_intervals_hold_the_figure_and_are_repeatable(some: Predictions) -> None:
    found = compute_metrics(some)
    assert found.accuracy_interval is not None
    low, high = found.accuracy_interval
    assert low < found.accuracy < high
    standard_error = math.sqrt(found.accuracy * (1 - found.accuracy) / 200)
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    assert compute_metrics(some) == found


def test_ten_right_answers_are_no_certainty() -> None:
    found = compute_metrics(predictions_of([0, 1] * 5, [0, 1] * 5))
    assert found.accuracy_interval == pytest.approx((0.025 ** (1 / 10), 1.0))


def test_people_are_resampled_where_they_are_known(some: Predictions, tmp_path: Path) -> None:
    """Twenty people of ten images, each all right or all wrong, count as twenty."""
    right = np.repeat([True] * 13 + [False] * 7, 10)
    truth = np.tile([0, 1], 100)
    people = tuple(f"S{index // 10:03}" for index in range(200))
    found = replace(
        predictions_of(truth.tolist(), np.where(right, truth, 2).tolist()), subjects=people
    )
    by_people = compute_metrics(found)
    assert by_people.resampled == "20 subjects"
    assert by_people.accuracy_interval is not None
    low, high = by_people.accuracy_interval
    standard_error = math.sqrt(0.65 * 0.35 / 20)
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    by_images = compute_metrics(replace(found, subjects=("",) * 200))
    assert by_images.resampled == "200 images"
    assert by_images.accuracy == by_people.accuracy
    assert by_images.accuracy_interval is not None
    narrow_low, narrow_high = by_images.accuracy_interval
    assert narrow_high - narrow_low < (high - low) / 2.5

    other = replace(found, probabilities=np.full((200, 3), [0.4, 0.3, 0.3], np.float32))
    difference = compare(found, other)
    images_alone = compare(replace(found, subjects=("",) * 200), other)
    assert difference.p_value == images_alone.p_value
    assert np.ptp(difference.interval) > 2 * np.ptp(images_alone.interval)

    write_report(tmp_path, "model", by_people, found)
    assert "95 % bootstrap over 20 subjects" in (tmp_path / "report.md").read_text()


def test_mcnemar_and_the_paired_difference_by_hand() -> None:
    """Six images only the first gets right, one only the second: p = 2 * 8 / 128."""
    truth = [0] * 20
    first = predictions_of(truth, [0] * 16 + [1] * 4)
    second = predictions_of(truth, [1] * 6 + [0] * 11 + [1] * 3)
    found = compare(first, second)
    assert (found.only_first, found.only_second) == (6, 1)
    assert found.p_value == pytest.approx(2 * 8 / 128)
    assert found.difference == pytest.approx(0.25)
    assert found.interval[0] < 0.25 < found.interval[1]
    same = compare(first, first)
    assert (same.difference, same.p_value) == (0, 1)
    exact = proportion_confint(0, 20, 0.05, method="beta")[1]
    assert same.interval == pytest.approx((-exact, exact))
    people = replace(first, subjects=tuple(f"S{i % 4}" for i in range(20)))
    assert compare(people, people).interval[1] == pytest.approx(1 - 0.025 ** (1 / 4))


@pytest.mark.parametrize("right", [0, 30])
def test_shares_that_are_all_alike_have_exact_intervals(right: int) -> None:
    values = np.full(30, right / 30)
    exact = proportion_confint(right, 30, 0.05, method="beta")
    assert mean_interval(values, None, SHARES) == pytest.approx(exact)
    by_people = proportion_confint(right / 6, 5, 0.05, method="beta")
    people = np.repeat([1, 3, 4, 7, 9], 6)  # numbers of some of ten
    assert mean_interval(values, people, SHARES) == pytest.approx(by_people)


def test_values_between_the_bounds_that_are_all_alike() -> None:
    """One in ten may have another value: any of those that are possible."""
    low, high = mean_interval(np.full(30, 0.7), None, SHARES)
    others = 1 - 0.025 ** (1 / 30)
    assert (low, high) == pytest.approx((0.7 * (1 - others), 0.7 + 0.3 * others))
    # People who differ in nothing, though their images do.
    halves = np.tile([0.0, 1.0], 5)
    low, high = mean_interval(halves, np.repeat(np.arange(5), 2), SHARES)
    assert high - low == pytest.approx(1 - 0.025 ** (1 / 5))


def test_different_images_are_not_compared() -> None:
    two = predictions_of([0, 1], [0, 1])
    with pytest.raises(DcrnetError, match="answer about different images"):
        compare(two, predictions_of([0], [0]))
    with pytest.raises(DcrnetError, match="an image is answered twice"):
        compare(two, Predictions.joined([two, two]))


def test_a_file_keeps_every_figure(some: Predictions, tmp_path: Path) -> None:
    save_predictions(tmp_path / "p.csv", some)
    again = compute_metrics(read_predictions(tmp_path / "p.csv"))
    for name, value in compute_metrics(some).to_json().items():
        if isinstance(value, float):
            assert getattr(again, name) == pytest.approx(value, abs=1e-4), name
    assert again.confusion == compute_metrics(some).confusion


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("p_fear", "fear", "has a damaged row|states labels"),
        ("predicted", "answer", "lacks predicted"),
        (",anger,", ",anger,anger,", "has a damaged row|states labels"),
        ("0.8000", "x", "has a damaged row"),
        ("0.8000", "1.8000", "outside 0 to 1"),
        ("0.8000", "0.0000", "not the most probable"),
        (",neutral,", ",calm,", "has a damaged row"),
    ],
)
def test_a_damaged_file(
    old: str, new: str, expected: str, some: Predictions, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    save_predictions(path, some)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DcrnetError, match=expected):
        read_predictions(path)


def test_labels_in_common() -> None:
    found = predictions_of([0, 1, 2], [0, 0, 2]).among(("anger", "neutral"))
    assert found.images == ("a/0.png", "a/2.png")
    assert found.truth.tolist() == [0, 1]
    assert found.probabilities.sum(axis=1) == pytest.approx([1, 1])


def test_joined_folds(some: Predictions) -> None:
    """One fold behind the other, each image with its own truth and answer."""
    other = replace(
        predictions_of([0, 1, 2], [2, 1, 0]),
        images=("b/0.png", "b/1.png", "b/2.png"),
        parts=("fold-1",) * 3,
    )
    joined = Predictions.joined([some, other])
    assert joined.images == some.images + other.images
    assert joined.parts == some.parts + other.parts
    assert joined.truth.tolist() == [*some.truth.tolist(), 0, 1, 2]
    assert joined.predicted.tolist() == [*some.predicted.tolist(), 2, 1, 0]
    assert np.array_equal(joined.probabilities[200:], other.probabilities)
    with pytest.raises(DcrnetError, match="different labels cannot be joined"):
        Predictions.joined([some, replace(other, labels=("anger", "fear", "joy"))])


def test_tables(some: Predictions, tmp_path: Path) -> None:
    found = compute_metrics(some)
    summary = summary_rows({"model.onnx": found}, {"model.onnx": 12.44})
    low, high = found.accuracy_interval or (0.0, 0.0)
    assert summary[0][:3] == ["model", "MB", "accuracy"]
    assert summary[1][:3] == [
        *("model.onnx", "12.44"),
        f"{100 * found.accuracy:.2f} % ({100 * low:.1f} to {100 * high:.1f})",
    ]
    assert summary_rows({"model.onnx": found}, {})[1] == [summary[1][0], *summary[1][2:]]
    assert summary[1][-1] == f"{found.expected_calibration_error:.3f}"
    header, line, row = markdown(summary).splitlines()
    assert header == f"| {' | '.join(summary[0])} |"
    assert line.count("---") == row.replace("||", "").count("|") - 1 == len(summary[0])
    right = predictions_of([0, 1, 2, 0], [0, 1, 0, 1])  # the first and the third are aligned
    assert path_rows({"model.onnx": compute_metrics(right)}) == [
        ["model", "box only", "accuracy aligned by landmarks", "accuracy box only"],
        ["model.onnx", "50.0 %", "50.00 %", "50.00 %"],
    ]
    recall = {row[0]: row[2] for row in class_rows(compute_metrics(right))}
    assert (recall["anger"], recall["fear"], recall["neutral"]) == ("0.500", "1.000", "0.000")
    assert [row[0] for row in class_rows(found)][-3:] == ["accuracy", "macro avg", "weighted avg"]
    write_report(tmp_path / "report", "model.onnx", found, some)
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"report.md", "confusion.png", "confusion.csv", "predictions.csv"}
    with (tmp_path / "report" / "confusion.csv").open() as file:
        names_row, *rows = csv.reader(file)
    assert names_row == ["true \\ predicted", *some.labels]
    assert [[int(cell) for cell in row[1:]] for row in rows] == found.confusion
    assert sum(int(row[1 + i]) for i, row in enumerate(rows)) == some.correct.sum()


def test_predictions_need_no_data(some: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    save_predictions(path, some)
    arguments = [str(path), "--markdown", "--against", str(path), "--json", str(tmp_path / "j")]
    result = CliRunner().invoke(eval_cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "| p.csv | 7" in result.stdout
    assert "McNemar" in result.stdout
    written = json.loads((tmp_path / "j").read_text())
    assert written["sha256"] == {"p.csv": sha256(path.read_bytes()).hexdigest()}
    assert written["models"]["p.csv"]["images"] == 200


def test_what_is_judged_has_names_that_tell_it_apart() -> None:
    shipped = model_refs.shipped(())
    files = {shipped_checkpoint(name) for name in Shipped} | {
        shipped_model(name) for name in Shipped
    }
    assert {each.path for each in shipped} == files
    accurate_px, fast_px = (load_checkpoint(shipped_checkpoint(n)).trained_px for n in Shipped)
    assert model_refs.names_of(shipped) == [
        *(f"dcrnet.safetensors at {size_px} px" for size_px in accurate_px),
        "dcrnet-int8.onnx",
        *(f"efficientnet-lite0.safetensors at {size_px} px" for size_px in fast_px),
        "efficientnet-lite0-int8.onnx",
    ]
    paths = [Path("a/m.safetensors"), Path("b/m.safetensors"), Path("m.onnx"), Path("p.csv")]
    asked = model_refs.asked(paths[:1] + paths[2:], (224, 128))
    assert model_refs.names_of(asked) == [
        *("m.safetensors at 224 px", "m.safetensors at 128 px", "m.onnx", "p.csv")
    ]
    assert [each.size_px for each in model_refs.asked(paths[2:], (128,))] == [128, None]
    assert model_refs.names_of(model_refs.asked(paths[:2], ())) == [str(p) for p in paths[:2]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--split", "all"], "--split all is unknown: choose train, valid, test"),
        (["none.onnx"], "name them with --data"),
        (["none.csv"], "none.csv cannot be read"),
        (["m.onnx", "--data", ".", "--protocol", "best"], "--protocol best is unknown"),
        (["m.onnx", "--data", ".", "--dataset", "x"], "--dataset x is unknown"),
        (["m.onnx", "--data", ".", "--fold", "12"], "fold 12 does not exist: give 0 to 9"),
    ],
)
def test_bad_evaluation_arguments(arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(eval_cli.app, arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
