"""Draws docs/images/chart.svg from the measured figures in docs/figures.

python tests/docs/draw_chart.py
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "figures"
CHART = ROOT / "docs" / "images" / "chart.svg"
OURS, OTHERS, PLAIN, FAINT, PAPER = "#1f6feb", "#9aa7b5", "#24292f", "#57606a", "#f6f8fa"
SIZE_PX = "128"
LOOPS = {
    "`dcrnet-run`'s": "dcrnet-run",
    "MediaPipe's": "MediaPipe mesh,\nPIL, fp32",
    "PyPI": "PyPI fer",
}
"""What the chart calls a loop, by the first word of its name."""
SOURCES = ("accuracy", "latency", "loop")


def read(name: str) -> dict[str, Any]:
    """One file of measured figures."""
    document: dict[str, Any] = json.loads((FIGURES / f"{name}.json").read_text())
    return document


def digest() -> str:
    """What the chart says it was drawn from."""
    data = b"".join((FIGURES / f"{name}.json").read_bytes() for name in SOURCES)
    return f"sha256 of the figures: {hashlib.sha256(data).hexdigest()}"


def draw(path: Path) -> None:
    """Write the chart as SVG on a light ground of its own, so that a dark page shows it too."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    style: Any = {
        "font.size": 9.5,
        "text.color": PLAIN,
        "axes.labelcolor": PLAIN,
        "ytick.color": PLAIN,
        "svg.hashsalt": "dcrnet-edge",
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
    }
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(1, 3, figsize=(11, 2.9))
        _draw_latency(axes[0])
        _draw_loop(axes[1])
        _draw_accuracy(axes[2])
        figure.tight_layout(w_pad=2.5)
        figure.savefig(path, metadata={"Date": None, "Description": digest()})
        pyplot.close(figure)


def _draw_latency(axes: Any) -> None:
    rows = []
    for machine in read("latency")["machines"]:
        times = machine["latency_ms"][SIZE_PX]
        for name, key in (("fp32", "fp32 ONNX"), ("int8", "int8 ONNX")):
            rows.append((f"{name}, {machine['name']}", times[key], name == "int8"))
    _bars(axes, rows, "{:.1f} ms")
    _title(axes, "Model, one face", f"ONNX, {SIZE_PX} px, 1 thread; less is better")


def _draw_loop(axes: Any) -> None:
    loops = read("loop")["loops"]
    rows = [(LOOPS[loop["name"].split()[0]], loop["fps"], loop is loops[0]) for loop in loops]
    _bars(axes, rows, "{:.1f}")
    _title(axes, "Live loop, frames a second", "one AVX2 core, 640x360; more is better")


def _draw_accuracy(axes: Any) -> None:
    models = read("accuracy")["models"]
    names = {"dcrnet-int8.onnx": "int8, 128 px"}
    for row, model in enumerate(models):
        middle, low, high = model["accuracy_percent"]
        colour = OURS if model["name"] in names else OTHERS
        axes.plot([low, high], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot(middle, row, "o", color=colour, markersize=8)
        axes.text(high + 0.3, row, f"{middle:.2f} %", va="center")
    float_name = "dcrnet.safetensors at"
    _rows(axes, [names.get(m["name"], m["name"].replace(float_name, "fp32,")) for m in models])
    axes.set_xlim(81.5, 89.5)
    axes.set_xticks([82, 84, 86, 88])
    axes.tick_params(axis="x", colors=FAINT, length=0)
    axes.grid(axis="x", color="#d0d7de", linewidth=0.8)
    axes.set_axisbelow(True)
    images = read("accuracy")["images"]
    _title(axes, "Accuracy, FERPlus Test", f"{images:,} images, 95 % intervals")


def _bars(axes: Any, rows: list[tuple[str, float, bool]], form: str) -> None:
    longest = max(value for _, value, _ in rows)
    for row, (_, value, is_ours) in enumerate(rows):
        axes.barh(row, value, height=0.62, color=OURS if is_ours else OTHERS)
        axes.text(value + longest * 0.02, row, form.format(value), va="center")
    _rows(axes, [label for label, _, _ in rows])
    axes.set_xlim(0, longest * 1.25)
    axes.set_xticks([])


def _rows(axes: Any, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _title(axes: Any, title: str, conditions: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold", fontsize=10.5, pad=18)
    axes.text(0, 1.04, conditions, transform=axes.transAxes, color=FAINT, fontsize=8.5)


if __name__ == "__main__":
    draw(CHART)
    sys.stdout.write(f"{CHART}\n")
