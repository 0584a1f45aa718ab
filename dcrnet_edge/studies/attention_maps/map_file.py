"""Maps and their shares as CSV files, from which tables and pictures are made again."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.studies.attention_maps.regions import REGIONS
from dcrnet_runtime.outfile import written_beside

_AREA = "area_"


@dataclass(frozen=True, slots=True, eq=False)
class FaceMap:
    """One map of one face.

    Attributes:
        image: which.
        label: the true one.
        predicted: the model's.
        name: of the map.
        shares: of its weight, by region, 0..1; NaN where the map has none.
        areas: of the crop, by region, 0..1.
        values: (n, n) float32.
    """

    image: str
    label: str
    predicted: str
    name: str
    shares: dict[str, float]
    areas: dict[str, float]
    values: NDArray[np.float32]

    @property
    def share(self) -> float:
        """In all regions together."""
        return sum(self.shares.values())

    @property
    def area(self) -> float:
        """Of all regions together."""
        return sum(self.areas.values())


def save_maps(path: Path, maps: Iterable[FaceMap]) -> None:
    """One row a map."""
    header = ["image", "label", "predicted", "map", *REGIONS, *(_AREA + n for n in REGIONS)]
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, "values"])
        for each in maps:
            cells = [*(each.shares[n] for n in REGIONS), *(each.areas[n] for n in REGIONS)]
            writer.writerow(
                [
                    *(each.image, each.label, each.predicted, each.name),
                    *(f"{cell:.4f}" for cell in cells),
                    " ".join(f"{value:.4f}" for value in each.values.ravel()),
                ]
            )


def read_maps(paths: Sequence[Path]) -> list[FaceMap]:
    """What :func:`save_maps` wrote."""
    found = []
    for path in paths:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                values = np.array([float(each) for each in row["values"].split()], np.float32)
                side = round(len(values) ** 0.5)
                found.append(
                    FaceMap(
                        *(row["image"], row["label"], row["predicted"], row["map"]),
                        {name: float(row[name]) for name in REGIONS},
                        {name: float(row[_AREA + name]) for name in REGIONS},
                        values.reshape(side, side),
                    )
                )
    return found
