"""Networks by name: how each is configured, built and started, and what sides it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_edge.lazy_registry import LazyRegistry
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.models.network import FaceNetwork, NetworkConfig

DEFAULT = "dcrnet"
"""What checkpoints and settings that name no network mean."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of network.

    Attributes:
        name: in the registry, in checkpoints and in ``dcrnet-train --network``.
        config: dataclass of every choice that changes the tensors; ``labels`` comes first.
        build: the network of a configuration, with random weights.
        input_sizes_px: input sides in px that it takes.
        size_reason: why no other side, for people.
        fetch_imagenet: finds or downloads a file of ImageNet weights.
        load_imagenet: puts such a file's weights into a network.
        title: for people, in model cards; the name where there is none.
    """

    name: str
    config: type[NetworkConfig]
    build: Callable[[Any], FaceNetwork]
    input_sizes_px: tuple[int, ...]
    size_reason: str
    fetch_imagenet: Callable[[], Path]
    load_imagenet: Callable[[Any, Path], None]
    title: str = ""

    @property
    def settings(self) -> list[str]:
        """Fields of its configuration, except the labels."""
        return [item.name for item in fields(self.config) if item.name != "labels"]

    def configure(self, values: Mapping[str, Any]) -> NetworkConfig:
        """A configuration from plain values, as JSON and TOML hold them.

        Raises:
            ValueError: an unknown name, or a bad value.
        """
        from pydantic import TypeAdapter

        known = ("labels", *self.settings)
        if unknown := [name for name in values if name not in known]:
            raise ValueError(f"unknown {', '.join(unknown)}")
        return TypeAdapter(self.config).validate_python(dict(values))

    def check_size(self, size_px: int) -> None:
        """Refuse an input side that the network would not use whole.

        Raises:
            DcrnetError: naming the sizes that are possible.
        """
        if size_px not in self.input_sizes_px:
            nearest = min(self.input_sizes_px, key=lambda known: (abs(known - size_px), -known))
            raise DcrnetError(
                f"size {size_px} is not one of {', '.join(map(str, self.input_sizes_px))}:"
                f" {self.size_reason}; choose the nearest, {nearest}"
            )


_NETWORKS: LazyRegistry[Architecture] = LazyRegistry(
    "network",
    {
        "dcrnet": "dcrnet_edge.models.dcrnet:ARCHITECTURE",
        "tf_efficientnet_lite0": "dcrnet_edge.models.efficientnet_lite_weights:LITE0",
        "tf_efficientnet_lite2": "dcrnet_edge.models.efficientnet_lite_weights:LITE2",
    },
)


def register(entry: Architecture) -> None:
    """Make a network known by its name."""
    _NETWORKS.register(entry.name, entry)


def names() -> tuple[str, ...]:
    """The networks that are known."""
    return _NETWORKS.names()


def architecture(name: str) -> Architecture:
    """The entry called ``name``.

    Raises:
        DcrnetError: there is none.
    """
    return _NETWORKS[name]


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
