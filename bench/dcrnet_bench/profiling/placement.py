"""Who runs the nodes of a model: the provider that was asked for need not take them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.profiling.operators import profiled_nodes
from dcrnet_runtime.backends.model import Model, ModelFormat


@dataclass(frozen=True, slots=True)
class Placement:
    """Who runs a model.

    Attributes:
        runs_on: back end and accelerators, for people.
        node_shares: of the graph's nodes as the back end rewrote it, by provider; empty where the
            back end does not tell.
        reason: why it does not, else empty.
    """

    runs_on: str
    node_shares: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def place(path: Path, model: Model) -> Placement:
    """Run one inference under ONNX Runtime's profile; TFLite's interpreter tells nothing."""
    if model.format is not ModelFormat.ONNX:
        return Placement(model.runs_on, reason="its interpreter does not tell who runs its nodes")
    side = model.card.preprocess.size_px
    crop = np.zeros((1, side, side, 3), np.uint8)
    return Placement(model.runs_on, node_shares(path, crop, _names(model.runs_on)))


def node_shares(path: Path, crop: NDArray[np.uint8], providers: Sequence[str]) -> dict[str, float]:
    """Of an ONNX file's nodes, by the provider that runs them.

    Args:
        path: of the file.
        crop: (1, S, S, 3) uint8.
        providers: ONNX Runtime's names, in order of preference.
    """
    nodes = {each.node: each.provider for each in profiled_nodes(path, crop, providers=providers)}
    return {name: round(n / len(nodes), 4) for name, n in Counter(nodes.values()).items()}


def _names(runs_on: str) -> list[str]:
    return [word for word in runs_on.split(", ") if word.endswith("ExecutionProvider")]
