"""Metrics as tables for people: in the terminal, in Markdown, as pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dcrnet_edge.evaluation.bootstrap import Interval
from dcrnet_edge.evaluation.comparison import Comparison
from dcrnet_edge.evaluation.metrics import ECE_BINS, Metrics
from dcrnet_edge.evaluation.predictions import Predictions, save_predictions
from dcrnet_edge.evaluation.robustness import Loss
from dcrnet_edge.evaluation.rows import Rows, markdown
from dcrnet_runtime.outfile import written_beside


def summary_rows(found: Mapping[str, Metrics], sizes_mb: Mapping[str, float]) -> Rows:
    """One row a model: accuracy with its 95 % interval and the other figures.

    Args:
        found: by the model's name.
        sizes_mb: sizes of files in 10^6 bytes; the column is there where one is known.
    """
    size = ["MB"] if sizes_mb else []
    rows = [["model", *size, "accuracy", "balanced accuracy", "macro-F1", "calibration error"]]
    for name, metrics in found.items():
        size = [f"{sizes_mb[name]:.2f}" if name in sizes_mb else ""] if sizes_mb else []
        rows.append(
            [
                *(name, *size),
                _with_interval(metrics.accuracy, metrics.accuracy_interval, percent=True),
                _with_interval(
                    metrics.balanced_accuracy, metrics.balanced_accuracy_interval, percent=True
                ),
                _with_interval(metrics.macro_f1, metrics.macro_f1_interval, percent=False),
                f"{metrics.expected_calibration_error:.3f}",
            ]
        )
    return rows


def class_rows(metrics: Metrics) -> Rows:
    """Precision, recall, F1 and images of each class, with accuracy and means below."""
    rows = [["class", "precision", "recall", "F1", "images"]]
    for name, row in metrics.classes.items():
        if isinstance(row, Mapping):
            numbers = [f"{row[key]:.3f}" for key in ("precision", "recall", "f1-score")]
            rows.append([name, *numbers, f"{row['support']:.0f}"])
    total = ["accuracy", "", "", f"{metrics.accuracy:.3f}", str(metrics.images)]
    return [*rows[:-2], total, *rows[-2:]]


def path_rows(found: Mapping[str, Metrics]) -> Rows:
    """Each model's accuracy where landmarks were found and where they were not."""
    rows = [["model", "box only", "accuracy aligned by landmarks", "accuracy box only"]]
    for name, metrics in found.items():
        paths = (metrics.accuracy_aligned, metrics.accuracy_box_only)
        shown = ("" if each is None else f"{100 * each:.2f} %" for each in paths)
        rows.append([name, f"{100 * metrics.box_only_share:.1f} %", *shown])
    return rows


def comparison_rows(comparison: Comparison, first: str, second: str) -> Rows:
    """Whether two models differ, in one row."""
    low, high = comparison.interval
    return [
        ["difference", "95 % interval", f"only {first}", f"only {second}", "McNemar p (exact)"],
        [
            f"{100 * comparison.difference:+.2f} points",
            f"{100 * low:+.2f} to {100 * high:+.2f}",
            str(comparison.only_first),
            str(comparison.only_second),
            f"{comparison.p_value:.3g}",
        ],
    ]


def loss_rows(accuracy: float, losses: Mapping[str, Loss], title: str) -> Rows:
    """One row a kind of corruption.

    Args:
        accuracy: on the clean pictures.
        losses: by kind.
        title: of the kinds' column.
    """
    rows = [[title, "accuracy", "difference to clean", "95 % interval", "box only"]]
    rows.append(["(clean)", f"{100 * accuracy:.2f} %", "", "", ""])
    for kind, found in losses.items():
        low, high = found.interval
        rows.append(
            [
                kind,
                f"{100 * found.accuracy:.2f} %",
                f"{100 * found.difference:+.2f} points",
                f"{100 * low:+.2f} to {100 * high:+.2f}",
                f"{100 * found.box_only_share:.1f} %",
            ]
        )
    return rows


def write_report(folder: Path, title: str, metrics: Metrics, predictions: Predictions) -> None:
    """Write report.md, confusion.png, confusion.csv and predictions.csv into ``folder``."""
    save_predictions(folder / "predictions.csv", predictions)
    _write_confusion(folder / "confusion.csv", metrics.confusion, predictions.labels)
    _draw_confusion(folder / "confusion.png", metrics.confusion, predictions.labels)
    found = {title: metrics}
    tables = (summary_rows(found, {}), class_rows(metrics), path_rows(found))
    with written_beside(folder / "report.md") as beside:
        beside.write_text(
            f"# {title}\n\n{metrics.images} images; intervals: 95 % bootstrap over"
            f" {metrics.resampled}; calibration error: L1, {ECE_BINS} bins.\n\n"
            + "\n".join(map(markdown, tables))
            + "\n![Confusion matrix](confusion.png)\n"
        )


def _write_confusion(
    path: Path, confusion: Sequence[Sequence[int]], labels: Iterable[str]
) -> None:
    labels = list(labels)
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["true \\ predicted", *labels])
        writer.writerows([name, *row] for name, row in zip(labels, confusion, strict=True))


def _draw_confusion(path: Path, confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> None:
    import numpy as np
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    figure = Figure(figsize=(7, 6), layout="constrained")
    display = ConfusionMatrixDisplay(np.array(confusion), display_labels=labels)
    display.plot(ax=figure.subplots(), cmap="Blues", xticks_rotation=45, colorbar=False)
    with written_beside(path) as beside:
        figure.savefig(beside, dpi=120)


def _with_interval(value: float, interval: Interval | None, *, percent: bool) -> str:
    scale, digits = (100, 2) if percent else (1, 3)
    text = f"{scale * value:.{digits}f}" + " %" * percent
    if interval is None:
        return text
    low, high = (f"{scale * bound:.{digits - percent}f}" for bound in interval)
    return f"{text} ({low} to {high})"
