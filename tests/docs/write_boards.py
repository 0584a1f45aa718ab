"""Writes the arithmetic on frames a second by board into docs/arm.md, from docs/figures.

python tests/docs/write_boards.py
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "figures"
PAGE = ROOT / "docs" / "arm.md"
COMMAND = "python tests/docs/write_boards.py"
MODELS = {
    "accurate": "dcrnet-int8.onnx",
    "fast": "efficientnet-lite0-int8.onnx",
}
NOT_COUNTED = "not counted"
_BLOCK = re.compile(rf"(?<=<!-- {re.escape(COMMAND)} -->\n).*?(?=<!-- end -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Board:
    """One core of a board, and what it can begin in a cycle at most.

    Attributes:
        board: its name.
        core: the core's.
        clock_ghz: the highest that its maker states.
        counts: the emulated core whose instructions it is reckoned by.
        issue: instructions a cycle.
        vector: products' vector instructions a cycle; None where Arm states none.
        widening: of those the widening ones; None likewise.
        memory: loads and stores a cycle; None likewise.
    """

    board: str
    core: str
    clock_ghz: float
    counts: str
    issue: int
    vector: int | None
    widening: int | None
    memory: int | None

    def least_cycles(self, by_kind: Mapping[str, int]) -> float:
        """The cycles that instructions of these kinds need at least."""
        vector = by_kind["dot"] + by_kind["matrix"] + by_kind["fmla"] + by_kind["widening"]
        loads_and_stores = by_kind["load"] + by_kind["store"]
        return max(
            sum(by_kind.values()) / self.issue,
            vector / self.vector if self.vector else 0.0,
            by_kind["widening"] / self.widening if self.widening else 0.0,
            loads_and_stores / self.memory if self.memory else 0.0,
        )

    def most_fps(self, by_kind: Mapping[str, int]) -> float:
        """Frames a second that no such core at this clock can exceed with these instructions."""
        return self.clock_ghz * 1e9 / self.least_cycles(by_kind)

    def fps_at_one_a_cycle(self, by_kind: Mapping[str, int]) -> float:
        """Frames a second, were one instruction a cycle completed."""
        return self.clock_ghz * 1e9 / sum(by_kind.values())


def boards(figures: Path = FIGURES) -> list[Board]:
    """Those of the table."""
    return [Board(**each) for each in json.loads((figures / "boards.json").read_text())]


def table(figures: Path = FIGURES) -> str:
    """The table and the counts behind it, Markdown."""
    counted = json.loads((figures / "instructions.json").read_text())
    heads = [
        f"`{name}`, {what}"
        for name in MODELS
        for what in ("at most", "at one instruction a cycle")
    ]
    lines = [_row("board", "core", "GHz", *heads), f"|{'---|' * (3 + len(heads))}"]
    for board in boards(figures):
        cells = []
        for file in MODELS.values():
            core = counted["cores"].get(board.counts)
            if core is None:
                cells += [NOT_COUNTED] * 2
                continue
            by_kind = core[file]["frame"]["by_kind"]
            cells += [f"{board.most_fps(by_kind):.0f}", f"{board.fps_at_one_a_cycle(by_kind):.0f}"]
        lines.append(_row(board.board, board.core, f"{board.clock_ghz}", *cells))
    return "\n".join([*lines, "", *_counts(counted)])


def _counts(counted: Mapping[str, Any]) -> list[str]:
    """What was counted, in millions."""
    kinds = ("dot", "fmla", "widening", "load", "store", "other")
    lines = [
        f"Millions of instructions of a frame, counted on {counted['date']}:",
        "",
        _row("emulated core", "model", "frame", *kinds, "of it inference"),
        f"|{'---|' * (4 + len(kinds))}",
    ]
    for core, models in counted["cores"].items():
        for name, file in MODELS.items():
            frame, inference = (models[file][part] for part in ("frame", "inference"))
            cells = [_millions(frame["by_kind"][kind]) for kind in kinds]
            whole = (_millions(each["total"]) for each in (frame, inference))
            total, alone = whole
            lines.append(_row(core, f"`{name}`", total, *cells, alone))
    return lines


def _millions(number: int) -> str:
    return f"{number / 1e6:.1f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def written(page: str, figures: Path = FIGURES) -> str:
    """The page's text with the table of now.

    Raises:
        ValueError: it has no place for the table.
    """
    if not _BLOCK.search(page):
        raise ValueError(f"docs/arm.md has no <!-- {COMMAND} --> with an <!-- end -->")
    return _BLOCK.sub(lambda _: f"\n{table(figures)}\n", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE}\n")
