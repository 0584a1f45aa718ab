"""Figures with their intervals, one below the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dcrnet_edge.studies.findings import Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTERS = 22
"""Of a name in a line; longer ones are broken, so that the figures keep their room."""
_WIDTH_IN = 4.6
"""A telephone shows letters of 9 points 10 px tall then."""
_LINE_IN = 0.2
_ROOM_IN = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure.

    Attributes:
        name: of what.
        value: as a fraction.
        low: of its 95 % interval.
        high: likewise.
    """

    name: str
    value: float
    low: float
    high: float


def interval_chart(
    caption: str, estimates: Sequence[Estimate], unit: str, mark: float | None = None
) -> Chart:
    """A dot with a line for each figure, the first on top.

    Args:
        caption: what they are.
        estimates: one or more, as fractions; drawn times 100.
        unit: of the axis, such as ``points``.
        mark: a fraction at which a dashed line stands.
    """
    names = [textwrap.fill(each.name, _LETTERS, break_on_hyphens=False) for each in estimates]
    lines = sum(name.count("\n") + 1 for name in names)

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        places = range(len(estimates))
        for place, each in zip(places, estimates, strict=True):
            axis.plot([100 * each.low, 100 * each.high], [place, place], color="#1f6feb")
            axis.plot(100 * each.value, place, "o", color="#1f6feb", markersize=4)
        if mark is not None:
            axis.axvline(100 * mark, color="#d1495b", linewidth=1, linestyle="--")
        axis.set_yticks(places, [name.replace("$", r"\$") for name in names], fontsize=9)
        axis.set_ylim(len(estimates) - 0.5, -0.5)
        axis.set_xlabel(unit)
        axis.grid(axis="x", alpha=0.3)

    return Chart(caption, draw, (_WIDTH_IN, _ROOM_IN + _LINE_IN * max(lines, len(estimates))))
