"""Data sets by name: how each is read, on which terms, and what it is trained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dcrnet_edge.lazy_registry import LazyRegistry

if TYPE_CHECKING:
    from dcrnet_edge.datasets.collection import Collection


@dataclass(frozen=True, slots=True)
class DatasetAdapter:
    """One kind of data set.

    Attributes:
        name: in the registry and in ``dcrnet-train --dataset``.
        read: the collection in a folder; raises DcrnetError where that has another layout.
        license: on which terms a model trained on it can be used.
        preset: name of the settings that it is trained with.
    """

    name: str
    read: Callable[[Path], Collection]
    license: str
    preset: str


_DATASETS: LazyRegistry[DatasetAdapter] = LazyRegistry(
    "dataset",
    {
        "ferplus": "dcrnet_edge.datasets.layouts.ferplus:ADAPTER",
        "fer2013": "dcrnet_edge.datasets.layouts.fer2013:ADAPTER",
        "affectnet": "dcrnet_edge.datasets.layouts.affectnet:ADAPTER",
        "ckplus": "dcrnet_edge.datasets.layouts.ckplus:ADAPTER",
        "kdef": "dcrnet_edge.datasets.layouts.kdef:ADAPTER",
        "rafdb": "dcrnet_edge.datasets.layouts.rafdb:ADAPTER",
        "folders": "dcrnet_edge.datasets.layouts.folders:ADAPTER",
    },
)


def register(entry: DatasetAdapter) -> None:
    """Make a data set known by its name."""
    _DATASETS.register(entry.name, entry)


def names() -> tuple[str, ...]:
    """The data sets that are known."""
    return _DATASETS.names()


def adapter(name: str) -> DatasetAdapter:
    """The entry called ``name``.

    Raises:
        DcrnetError: there is none.
    """
    return _DATASETS[name]
