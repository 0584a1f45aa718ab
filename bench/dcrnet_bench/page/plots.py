"""The plots of a report, as SVG text to stand in a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_bench.timing.sustained import SustainedPoint

_COLOURS = ("#1f6feb", "#d9730d", "#2da44e", "#8250df", "#bf3989", "#57606a", "#9a6700", "#0a7ea4")
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8c959f",
    "axes.labelcolor": "#24292f",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e8ec",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.columnspacing": 0.8,
}
_SIZE_IN = (4.3, 3.0)
_ID = re.compile(r' id="([^"]+)"')
_USED = re.compile(r'(?:url\(#|href="#)([^")]+)')
_FACE_AREA = 60.0
_LONGEST_NAME = 22


def latency_svg(report: Report) -> str:
    """Share of the inferences that took at most so long, of each model alone."""
    told = [(colour, m.name, m.latency_ms) for colour, m in _coloured(report) if m.latency_ms]
    shown = [each for each in told if each[2].quantiles]
    if not shown:
        return ""
    slowest = [latency.quantiles[-2] for _, _, latency in shown]

    def draw(axes: Any) -> None:
        for colour, name, latency in shown:
            shares = np.linspace(0, 100, len(latency.quantiles))
            axes.plot(latency.quantiles, shares, color=colour, label=_short(name))
            axes.plot(latency.p90, 90, "o", color=colour)
        axes.set_xlim(0, max(slowest) * 1.08)
        axes.set(xlabel="latency of one inference, ms", ylabel="inferences, %", ylim=(0, 101))
        axes.legend(loc="lower left", bbox_to_anchor=(-0.1, 1.01), ncols=2)

    return _svg(draw)


def stages_svg(report: Report) -> str:
    """Medians of the stages on a face's way, one bar a model."""
    parts = (TimedStage.FIND, TimedStage.PREPARE, TimedStage.INFER)
    medians = {(r.stage, r.model): r.latency_ms.median for r in report.stages if r.latency_ms}
    names = list(dict.fromkeys(row.model for row in report.stages if row.model))
    if not names:
        return ""

    def draw(axes: Any) -> None:
        left = np.zeros(len(names))
        for colour, stage in zip(_COLOURS, parts, strict=False):
            widths = [medians.get((stage, n), medians.get((stage, ""), 0.0)) for n in names]
            axes.barh(range(len(names)), widths, left=left, color=colour, label=stage.value)
            left += widths
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("median, ms")
        axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.18), ncols=3)

    return _svg(draw, height_in=1.5 + 0.4 * len(names))


def roofline_svg(report: Report) -> str:
    """What each model reaches, below what the machine can do at most."""
    peak = report.peak
    shown = [(colour, m) for colour, m in _coloured(report) if _has_roofline(m)]
    if peak is None or not shown:
        return ""

    def draw(axes: Any) -> None:
        intensity = np.array([0.1, 1000.0])
        for name, most in (("float32", peak.float_gmacs), ("int8", peak.int8_gmacs)):
            line = np.array([intensity[0], most / peak.copy_gb_s, intensity[1]])
            axes.plot(line, np.minimum(line * peak.copy_gb_s, most), color="#57606a")
            axes.annotate(
                f"{name}: {most:.0f}",
                (intensity[1], most),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                color="#57606a",
            )
        for colour, model in shown:
            macs, moved, latency = model.macs, model.bytes_moved, model.latency_ms
            reached = (macs or 0) / 1e6 / (latency.median if latency else 1)
            place = (macs or 0) / (moved or 1)
            axes.plot(place, reached, "o", color=colour, label=_short(model.name), markersize=7)
        axes.set(xscale="log", yscale="log", xlabel="multiply-accumulates a byte moved")
        axes.set(ylabel="GMAC/s", xlim=tuple(intensity))
        axes.legend(loc="lower right")

    return _svg(draw)


def tradeoff_svg(report: Report) -> str:
    """Accuracy against latency; the area of a point is its net energy, a ring has none."""
    shown = [(c, m) for c, m in _coloured(report) if m.accuracy and m.latency_ms]
    if not shown:
        return ""

    def draw(axes: Any) -> None:
        joules = [m.energy.net_j for _, m in shown if m.energy.net_j]
        for colour, model in shown:
            accuracy, latency = model.accuracy, model.latency_ms
            if accuracy is None or latency is None:
                continue
            net_j = model.energy.net_j
            area = _FACE_AREA * (1 + 5 * net_j / max(joules)) if net_j else _FACE_AREA
            energy = f", {net_j:.3g} J" if net_j else ""
            if accuracy.interval:
                low, high = (100 * each for each in accuracy.interval)
                axes.plot([latency.p90] * 2, [low, high], color=colour, linewidth=1)
            axes.scatter(
                [latency.p90],
                [100 * accuracy.accuracy],
                s=area,
                facecolors=colour if net_j else "white",
                edgecolors=colour,
                label=_short(model.name) + energy,
                zorder=3,
            )
        axes.set_xlim(0, max(m.latency_ms.p90 for _, m in shown if m.latency_ms) * 1.15)
        axes.set(xlabel="p90 of one inference, ms", ylabel="accuracy, %")
        legend = axes.legend(loc="lower left", bbox_to_anchor=(-0.1, 1.01), ncols=2)
        for handle in legend.legend_handles:
            handle.set_sizes([_FACE_AREA / 2])

    return _svg(draw)


def sustained_svg(report: Report) -> str:
    """Latency over time under load, and below it clock and temperature where they are known."""
    told: dict[str, Callable[[SustainedPoint], float | None]] = {
        "latency, ms": lambda point: point.median_ms,
        "clock, MHz": lambda point: point.mhz,
        "temperature, °C": lambda point: point.temperature_c,
    }
    points = [point for run in report.sustained for point in run.points]
    panels = {
        label: value for label, value in told.items() if any(value(p) is not None for p in points)
    }
    if not panels:
        return ""

    def draw(all_axes: Any) -> None:
        for axes, (label, value) in zip(np.atleast_1d(all_axes), panels.items(), strict=True):
            for colour, run in zip(_cycled(len(report.sustained)), report.sustained, strict=True):
                at_s = [point.at_s for point in run.points]
                seen = [np.nan if value(p) is None else value(p) for p in run.points]
                axes.plot(at_s, seen, color=colour, label=_short(run.model))
            axes.set_ylabel(label)
            if label.startswith("latency"):
                axes.set_ylim(bottom=0)
        np.atleast_1d(all_axes)[0].legend(loc="lower right")
        np.atleast_1d(all_axes)[-1].set_xlabel("s under load")

    return _svg(draw, rows=len(panels), height_in=1.4 + 1.5 * len(panels))


def _svg(draw: Callable[[Any], None], rows: int = 1, height_in: float = _SIZE_IN[1]) -> str:
    """What is drawn, without the ids that nothing in it refers to: a page holds several."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**_STYLE, "svg.hashsalt": draw.__qualname__}):
        figure = Figure(figsize=(_SIZE_IN[0], height_in), layout="constrained")
        draw(figure.subplots(rows, sharex=True))
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    used = set(_USED.findall(text))
    return _ID.sub(lambda found: found[0] if found[1] in used else "", text)


def _coloured(report: Report) -> list[tuple[str, ModelMetrics]]:
    return list(zip(_cycled(len(report.models)), report.models, strict=True))


def _cycled(count: int) -> Sequence[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(count)]


def _has_roofline(model: ModelMetrics) -> bool:
    return bool(model.macs and model.bytes_moved and model.latency_ms)


def _short(name: str) -> str:
    """For a legend; a dollar sign would begin a formula."""
    kept = name if len(name) <= _LONGEST_NAME else f"…{name[-_LONGEST_NAME:]}"
    return kept.replace("$", r"\$")
