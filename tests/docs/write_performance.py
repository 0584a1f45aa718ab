"""Writes the README's performance table from docs/figures.

python tests/docs/write_performance.py
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcrnet_bench.profiling.graph import read_graph
from dcrnet_bench.profiling.macs import count_macs
from dcrnet_bench.report.files import read
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.models import shipped_model

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "figures"
README = ROOT / "README.md"
COMMAND = "python tests/docs/write_performance.py"
_SIZE_PX = "128"
_BLOCK = re.compile(rf"(?<=<!-- {re.escape(COMMAND)} -->\n).*?(?=<!-- end -->)", re.DOTALL)
_NOT_RECORDED = "-"
_NO_METER = "energy, for want of a meter"
_PAPER = (
    "The paper names no percentile, and its 4.2 G"
    " [cannot be reproduced](docs/model.md#the-network):"
    " at 224 px this network takes 6.0."
)


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of the shipped model on one machine.

    Attributes:
        title: of the machine.
        date: of the run, ISO 8601.
        inference: in ms, with what the figure is.
        frame: with one face, likewise.
        flops: of an inference, G.
        energy: net of an inference, J.
        energy_reason: why that is not known.
    """

    title: str
    date: str
    inference: str
    frame: str
    flops: str
    energy: str
    energy_reason: str


def table(figures: Path = FIGURES) -> str:
    """The table and what is to be said of it, Markdown.

    Raises:
        ValueError: a report is of no quiet machine, or was not taken by the full protocol.
    """
    document = json.loads((figures / "performance.json").read_text())
    columns = [_column(each, figures) for each in document["columns"]]
    paper = document["paper"]
    rows = {
        "one inference, ms": [*(c.inference for c in columns), paper["inference_ms"]],
        "a frame with one face, ms": [*(c.frame for c in columns), _NOT_RECORDED],
        "FLOPs (2 x MACs), G": [*(c.flops for c in columns), f"{paper['flops_g']}"],
        "net energy of an inference, J": [*(c.energy for c in columns), f"{paper['energy_j']}"],
    }
    titles = [*(f"{each.title}, {each.date}" for each in columns), paper["title"]]
    lines = [
        _row("shipped int8 at 128 px, one thread", titles),
        _row("---", ["---"] * len(titles)),
        *(_row(name, cells) for name, cells in rows.items()),
    ]
    return "\n".join([*lines, "", *_said(columns)])


def written(readme: str, figures: Path = FIGURES) -> str:
    """The README's text with the table of now.

    Raises:
        ValueError: it has no place for the table.
    """
    if not _BLOCK.search(readme):
        raise ValueError(f"README.md has no <!-- {COMMAND} --> with an <!-- end -->")
    return _BLOCK.sub(lambda _: f"\n{table(figures)}\n", readme)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join((name, *cells))} |"


def _said(columns: Sequence[Column]) -> list[str]:
    """What could not be measured, and why, and how far the paper can be compared."""
    missing = []
    if any(each.frame == _NOT_RECORDED for each in columns):
        missing.append("frames, in runs before the bench's present protocol")
    reasons = dict.fromkeys(each.energy_reason for each in columns if each.energy_reason)
    missing += reasons
    sentences = [f"Not measured: {'; '.join(missing)}."] if missing else []
    return textwrap.wrap(" ".join([*sentences, _PAPER]), 99, break_on_hyphens=False)


def _column(entry: dict[str, str], figures: Path) -> Column:
    path = figures / entry["report"]
    if path.is_file():
        return _of_report(entry["title"], read(path), path)
    return _of_earlier(entry["title"], entry["earlier"], figures)


def _of_report(title: str, report: Report, path: Path) -> Column:
    doubts = [each.text for each in report.preflight.doubts] if report.preflight else ["no record"]
    if report.run.protocol is not Protocol.FULL or doubts:
        raise ValueError(
            f"{path} cannot be published: protocol {report.run.protocol}, {'; '.join(doubts)}"
        )
    (model,) = (each for each in report.models if each.name == shipped_model().name)
    whole = {
        each.model: each.latency_ms for each in report.stages if each.stage is TimedStage.WHOLE
    }
    net_j = model.energy.net_j
    return Column(
        title=title,
        date=report.run.date[:10],
        inference=_ms(model.latency_ms),
        frame=_ms(whole[model.name]),
        flops=f"{(model.flops or 0) / 1e9:.2f}",
        energy=_NOT_RECORDED if net_j is None else f"{net_j:.3f}",
        energy_reason=model.energy.reason if model.energy.meter else _NO_METER,
    )


def _of_earlier(title: str, name: str, figures: Path) -> Column:
    """The median of a run that recorded nothing else; work is counted from the file."""
    machines: list[dict[str, Any]] = json.loads((figures / "latency.json").read_text())["machines"]
    (machine,) = (each for each in machines if each["name"] == name)
    macs = sum(each.macs for each in count_macs(read_graph(shipped_model(), ModelFormat.ONNX)))
    return Column(
        title=title,
        date=machine["date"],
        inference=f"median {machine['latency_ms'][_SIZE_PX]['int8 ONNX']}",
        frame=_NOT_RECORDED,
        flops=f"{2 * macs / 1e9:.2f}",
        energy=_NOT_RECORDED,
        energy_reason=_NO_METER,
    )


def _ms(latency: Latency | None) -> str:
    if latency is None:
        return _NOT_RECORDED
    return f"p90 {latency.p90:.1f}, median {latency.median:.1f}"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    sys.stdout.write(f"{README}\n")
