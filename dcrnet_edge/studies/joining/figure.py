"""One figure of one model, and the CSV file of many."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path

from dcrnet_runtime.outfile import written_beside

DIGITS = 8
"""Of a hash, beside a name."""


class Quantity(StrEnum):
    """What is joined, in the order of the page."""

    SIZE = "size_mb"
    ACCURACY = "accuracy"
    ROBUSTNESS = "robustness"
    FAIRNESS = "fairness"
    ATTENTION = "attention"
    LATENCY = "latency_ms"
    ENERGY = "energy_j"


@dataclass(frozen=True, slots=True)
class JoinedFigure:
    """One figure of one model.

    Attributes:
        sha256: of the model's file, by which figures are joined.
        model: the file's name.
        quantity: what it is.
        where: on which data or machine: figures are compared within one alone.
        value: in the quantity's unit, shares as 0..1; None where it was not measured.
        low: of its 95 % interval; None where it has none.
        high: see ``low``.
        remark: what belongs to it, such as why it was not measured.
        source: file or folder.
        data: the data set's name; empty of what is no answer.
        data_sha256: of its images, labels and split; empty where it is not known.
    """

    sha256: str
    model: str
    quantity: Quantity
    where: str
    value: float | None
    low: float | None = None
    high: float | None = None
    remark: str = ""
    source: str = ""
    data: str = ""
    data_sha256: str = ""


def told_apart(figures: Sequence[JoinedFigure]) -> list[JoinedFigure]:
    """The figures, with the first digits of the data's hash where two have one name."""
    hashes: dict[str, set[str]] = {}
    for each in figures:
        if each.data_sha256:
            hashes.setdefault(each.data, set()).add(each.data_sha256)
    return [
        replace(each, where=f"{each.where}, data {each.data_sha256[:DIGITS]}")
        if each.data_sha256 and len(hashes[each.data]) > 1
        else each
        for each in figures
    ]


def save_figures(path: Path, figures: Iterable[JoinedFigure]) -> None:
    """One row a figure; what is None is empty."""
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        names = [field.name for field in fields(JoinedFigure)]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(each) for each in figures)


def read_figures(path: Path) -> list[JoinedFigure]:
    """What :func:`save_figures` wrote."""
    with path.open(newline="") as file:
        return [
            JoinedFigure(
                row["sha256"],
                row["model"],
                Quantity(row["quantity"]),
                row["where"],
                _number(row["value"]),
                _number(row["low"]),
                _number(row["high"]),
                row["remark"],
                row["source"],
                row.get("data", ""),  # which older files do not have
                row.get("data_sha256", ""),
            )
            for row in csv.DictReader(file)
        ]


def _number(text: str) -> float | None:
    return float(text) if text else None
