"""Networks by name."""

from __future__ import annotations

from typing import Any

from dcrnet_edge.models import dcrnet, efficientnet_lite_entries
from dcrnet_edge.models.architecture import Architecture
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.errors import DcrnetError

DEFAULT = "dcrnet"
"""What checkpoints and settings that name no network mean."""

_ARCHITECTURES: dict[str, Architecture] = {}


def register(entry: Architecture) -> None:
    """Make a network known by its name."""
    _ARCHITECTURES[entry.name] = entry


register(dcrnet.ARCHITECTURE)
for _entry in efficientnet_lite_entries.ARCHITECTURES:
    register(_entry)


def names() -> tuple[str, ...]:
    """The networks that are known."""
    return tuple(_ARCHITECTURES)


def architecture(name: str) -> Architecture:
    """The entry called ``name``.

    Raises:
        DcrnetError: there is none.
    """
    try:
        return _ARCHITECTURES[name]
    except KeyError:
        raise DcrnetError(f"network {name} is unknown: choose {', '.join(names())}") from None


def create_model(name: str, **config: Any) -> FaceNetwork:
    """A network with random weights.

    Args:
        name: of its architecture.
        config: fields of its configuration, ``labels`` at least.

    Raises:
        DcrnetError: there is no such network.
        ValueError: a field is unknown, or its value bad.
    """
    entry = architecture(name)
    return entry.build(entry.configure(config))
