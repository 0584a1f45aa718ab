"""What a bench's JSON says of each of its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dcrnet_edge.studies.joining.figure import JoinedFigure, Quantity
from dcrnet_runtime.errors import DcrnetError

SCHEMA = 2


def bench_figures(report: Mapping[str, Any], source: str) -> Iterator[JoinedFigure]:
    """Size, accuracy, latency and energy of every model.

    Args:
        report: see ``docs/bench-json.md``.
        source: for the error, and beside each figure.

    Raises:
        DcrnetError: it is of another schema.
    """
    if report.get("schema") != SCHEMA:
        raise DcrnetError(
            f"{source} is no bench report of schema {SCHEMA} (it says {report.get('schema')}):"
            " measure again with this version's dcrnet-bench"
        )
    where = _where(report)
    emulated = "not measured: emulated" if report["emulated"] else ""
    for model in report["models"]:
        told = model["sha256"], model["name"]
        yield JoinedFigure(*told, Quantity.SIZE, "", model["size_mb"], source=source)
        latency, batch = model["latency_ms"], model["batch"]
        here = where if batch == 1 else f"{where}, {batch} faces an inference"
        if gpu := model["gpu"]:
            here += f", {gpu['engine']} {gpu['precision']}"
        p90 = latency["p90"] if latency else None
        remark = f"median {latency['median']:.2f}" if latency else emulated
        yield JoinedFigure(*told, Quantity.LATENCY, here, p90, remark=remark, source=source)
        yield _energy(told, here, model["energy"], source)
        if judged := model["accuracy"]:
            low, high = judged["interval"] or (None, None)
            data, share = f"{judged['data']} {judged['split']}", judged["accuracy"]
            figure = JoinedFigure(*told, Quantity.ACCURACY, data, share, low, high, source=source)
            yield replace(figure, data=judged["data"])


def _energy(
    told: tuple[str, str], where: str, energy: Mapping[str, Any], source: str
) -> JoinedFigure:
    """Net of the idle machine."""
    net_j = energy["net_j"]
    if net_j is None:
        remark = energy["reason"]
    else:
        remark = f"{'estimate by ' if energy['is_estimate'] else ''}{energy['meter']}"
    spread = energy["uncertainty_j"]
    has_bounds = net_j is not None and spread is not None
    low, high = (net_j - spread, net_j + spread) if has_bounds else (None, None)
    return JoinedFigure(*told, Quantity.ENERGY, where, net_j, low, high, remark, source)


def _where(report: Mapping[str, Any]) -> str:
    host, run = report["host"], report["run"]
    machine = host["board"] or host["soc"] or host["cpu"] or host["machine"]
    if run["device"] == "gpu":
        return str(report["gpu"]["card"]["name"])
    threads = run["threads"]
    return f"{machine}, {threads} thread{'s' * (threads != 1)}"
