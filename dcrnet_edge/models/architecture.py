"""One kind of network: how it is configured, built and started, and what sides it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_runtime.errors import DcrnetError


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
    """

    name: str
    config: type[NetworkConfig]
    build: Callable[[Any], FaceNetwork]
    input_sizes_px: tuple[int, ...]
    size_reason: str
    fetch_imagenet: Callable[[], Path]
    load_imagenet: Callable[[Any, Path], None]

    @property
    def settings(self) -> list[str]:
        """Fields of its configuration, except the labels."""
        return [item.name for item in fields(self.config) if item.name != "labels"]

    def configure(self, values: Mapping[str, Any]) -> NetworkConfig:
        """A configuration from plain values, as JSON and TOML hold them.

        Raises:
            ValueError: an unknown name, or a bad value.
        """
        known = [item.name for item in fields(self.config)]
        if unknown := [name for name in values if name not in known]:
            raise ValueError(f"unknown {', '.join(unknown)}")
        return TypeAdapter(self.config).validate_python(dict(values))

    def check_size(self, size_px: int) -> None:
        """Refuse an input side that the network would not use whole.

        Raises:
            DcrnetError: naming the sizes that are possible.
        """
        if size_px not in self.input_sizes_px:
            raise DcrnetError(
                f"size {size_px} is not one of {', '.join(map(str, self.input_sizes_px))}:"
                f" {self.size_reason}"
            )
