"""What a target elsewhere needs from this machine, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2

from dcrnet_bench.profiling.graph import NotCountedError, read_graph
from dcrnet_bench.profiling.macs import count_macs
from dcrnet_bench.profiling.traffic import count_bytes
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report
from dcrnet_bench.targets.target import Plan
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES, read_image


def check_files(plan: Plan) -> None:
    """Make sure that what is to be measured is here, before a board is asked.

    Raises:
        DcrnetError: a model cannot be read, the source shows nothing, or a meter's file is of this
            machine's clock.
    """
    if plan.energy_csv is not None:
        raise DcrnetError(
            "`energy_csv` is read by the machine that measures, whose clock it must have: run the"
            " command there"
        )
    for path in plan.models:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise DcrnetError(
                f"model {path} cannot be read ({error.strerror}): name a file that dcrnet-export"
                " wrote"
            ) from error
    if plan.source is not None and not plan.source.is_dir():
        read_image(plan.source)


def with_portrait(plan: Plan, folder: Path) -> Plan:
    """``plan`` with the demo extra's portrait as a file, where it names no source.

    What measures elsewhere has no such extra. Without the extra here the plan stays as it is.
    """
    if plan.source is not None:
        return plan
    try:
        from skimage.data import astronaut
    except ImportError:
        return plan
    path = folder / "demo-portrait.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
    return replace(plan, source=path)


def images_of(source: Path | None) -> list[Path]:
    """The files that a plan's source stands for."""
    if source is None:
        return []
    if not source.is_dir():
        return [source]
    return sorted(each for each in source.iterdir() if each.suffix.lower() in IMAGE_SUFFIXES)


def report_from(text: str, here: Mapping[str, Path], where: str) -> Report:
    """The report that a worker wrote, with this machine's names of the files.

    Args:
        text: its JSON.
        here: paths of this machine, by those of the worker's.
        where: it was measured, for people.

    Raises:
        DcrnetError: it is none.
    """
    try:
        report = Report.from_json(text)
    except ValueError as error:
        raise DcrnetError(f"{where} gave no report ({error}): try again") from error
    return replace(report, models=tuple(counted(_renamed(each, here)) for each in report.models))


def _renamed(model: ModelMetrics, here: Mapping[str, Path]) -> ModelMetrics:
    path = str(here.get(model.path, model.path))
    return replace(model, path=path, name=model.name.replace(model.path, path))


def counted(model: ModelMetrics) -> ModelMetrics:
    """With this machine's counts, where the other could not read the graph."""
    if model.macs is not None:
        return model
    try:
        nodes = read_graph(Path(model.path), ModelFormat(model.format))
        counts, moved = count_macs(nodes), count_bytes(nodes)
    except NotCountedError:
        return model
    return replace(
        model,
        macs=sum(count.macs for count in counts),
        macs_reason="",
        macs_by_kind=tuple(counts),
        bytes_moved=moved,
    )


def tell_all(warn: Callable[[str], None], said: str) -> None:
    """Pass on a worker's lines ``warning: ...``."""
    for line in said.splitlines():
        if line.startswith("warning: "):
            warn(line.removeprefix("warning: "))
