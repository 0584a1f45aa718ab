"""Networks for facial expressions, their data sets, training and evaluation.

A checkpoint's answers to the Test split of a data set, and how good they are:

>>> from dcrnet_edge import compute_metrics, evaluate, shipped_checkpoint
>>> predictions = evaluate(shipped_checkpoint(), data, Split.TEST, root)
>>> compute_metrics(predictions).accuracy
0.8...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcrnet_edge.datasets.reading import read_dataset
    from dcrnet_edge.evaluation.answers import evaluate
    from dcrnet_edge.evaluation.comparison import compare
    from dcrnet_edge.evaluation.metrics import compute_metrics
    from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from dcrnet_edge.models.registry import create_model
    from dcrnet_edge.training.run import Run
    from dcrnet_edge.training.run_config import RunConfig
    from dcrnet_edge.weights import shipped_checkpoint

__all__ = [
    "Checkpoint",
    "Run",
    "RunConfig",
    "compare",
    "compute_metrics",
    "create_model",
    "evaluate",
    "load_checkpoint",
    "read_dataset",
    "save_checkpoint",
    "shipped_checkpoint",
]

_HOMES = {
    "Checkpoint": "models.checkpoint",
    "Run": "training.run",
    "RunConfig": "training.run_config",
    "compare": "evaluation.comparison",
    "compute_metrics": "evaluation.metrics",
    "create_model": "models.registry",
    "evaluate": "evaluation.answers",
    "load_checkpoint": "models.checkpoint",
    "read_dataset": "datasets.reading",
    "save_checkpoint": "models.checkpoint",
    "shipped_checkpoint": "weights",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that a command's --help does not wait for torch.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
