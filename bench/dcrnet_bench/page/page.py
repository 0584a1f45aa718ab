"""Writes a report as one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.report.report import Report
from dcrnet_runtime.cli.extra import require_extra
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

PAGE_NAME = "index.html"
_TEMPLATE = Path(__file__).parent / "page.html"


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its words.

    Attributes:
        title: above it.
        svg: itself; empty where there is nothing to draw.
        text: below it: what it shows, or why there is none.
    """

    title: str
    svg: str
    text: str


def check_page(folder: Path) -> None:
    """Make sure that the page can be written before minutes are spent on measuring.

    Raises:
        DcrnetError: the bench extra is not installed, or ``folder`` cannot be made.
    """
    require_extra("bench", ["matplotlib", "jinja2"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DcrnetError(
            f"`report` {folder} cannot be made ({error.strerror}): name a folder"
        ) from error


def write_page(report: Report, folder: Path) -> Path:
    """Write ``index.html`` into ``folder``.

    Raises:
        DcrnetError: it cannot be written.
    """
    path = folder / PAGE_NAME
    with written_beside(path) as beside:
        beside.write_text(page_text(report), encoding="utf-8")
    return path


def page_text(report: Report) -> str:
    """The page; it loads nothing and runs no script."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=_number, percent=_percent, millions=_millions)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(report=report, plots=_plots(report)) + "\n"


def _plots(report: Report) -> list[Plot]:
    from dcrnet_bench.page import plots

    if report.emulated:
        return []
    made = [
        Plot(
            "Latency of the model alone",
            plots.latency_svg(report),
            "Share of the inferences that took at most so long; the dot is the 90th percentile."
            " The slowest 2.5 % lie beyond the edge where it is cut.",
        ),
        Plot(
            "A face's way through the pipeline",
            plots.stages_svg(report),
            "Medians of the stages within a frame.",
        ),
        Plot(
            "Roofline",
            plots.roofline_svg(report),
            "The lines are what this machine managed in the same run: a product of 512 x 512"
            " matrices and a copy. Bytes are counted as if every node read its inputs and wrote"
            " its outputs, an upper bound.",
        ),
        Plot("Accuracy, latency, energy", plots.tradeoff_svg(report), _tradeoff_text(report)),
    ]
    if report.sustained:
        made.append(
            Plot("Under load", plots.sustained_svg(report), "Inference after inference, no pause.")
        )
    return made


def _tradeoff_text(report: Report) -> str:
    if not any(model.accuracy for model in report.models):
        return "No accuracy was computed, for no data set was named."
    said = ["Lines are 95 % intervals."]
    if any(model.energy.net_j for model in report.models):
        said.append("The area of a dot is its net energy.")
    reasons = {model.energy.reason for model in report.models if model.energy.net_j is None}
    if reasons:
        said.append(f"Rings have no energy: {'; '.join(sorted(reasons))}.")
    return " ".join(said)


def _number(value: float | None, decimals: int = 2) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"


def _percent(share: float | None, decimals: int) -> str:
    return "-" if share is None else f"{share:.{decimals}%}"


def _millions(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:,.1f}"
