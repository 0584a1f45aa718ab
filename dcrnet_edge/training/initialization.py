"""What a network's weights are before its first step, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from dcrnet_edge.distillation.sources import SOURCES_KEY, Source, sources_of
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.network import FaceNetwork, NetworkConfig
from dcrnet_edge.models.registry import Architecture
from dcrnet_runtime.errors import DcrnetError

IMAGENET = Source(
    "ImageNet",
    "First weights trained on ImageNet, whose images are for non-commercial research and"
    " education.",
)


class InitializationKind(StrEnum):
    """Where the first weights come from."""

    IMAGENET = "imagenet"
    BACKBONE_FILE = "backbone-file"
    CHECKPOINT = "checkpoint"
    SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class Initialization:
    """The first weights.

    Attributes:
        kind: ``imagenet`` fetches ImageNet's weights of the network, ``backbone-file`` reads
            them, ``checkpoint`` goes on from one of ours, ``scratch`` draws all at random.
        path: of the file, for the two kinds that read one.
    """

    kind: InitializationKind = InitializationKind.IMAGENET
    path: Path | None = None

    def network(
        self, architecture: Architecture, config: NetworkConfig
    ) -> tuple[FaceNetwork, dict[str, Any]]:
        """The network in training mode, and its provenance as JSON values.

        A checkpoint with other labels gives everything but its last layer, of which the rows
        of the labels in common are kept. Its network has to be the same otherwise.

        Raises:
            DcrnetError: the weights cannot be had, or do not fit.
        """
        network = architecture.build(config)
        provenance = self.provenance()
        match self.kind:
            case InitializationKind.SCRATCH:
                pass
            case InitializationKind.IMAGENET:
                provenance[SOURCES_KEY] = [IMAGENET.to_json()]
                architecture.load_imagenet(network, architecture.fetch_imagenet())
            case InitializationKind.BACKBONE_FILE:
                assert self.path is not None
                provenance[SOURCES_KEY] = [IMAGENET.to_json()]
                architecture.load_imagenet(network, self.path)
            case InitializationKind.CHECKPOINT:
                assert self.path is not None
                checkpoint = load_checkpoint(self.path)
                _check_same(self.path, checkpoint.network, architecture, config)
                _copy_weights(checkpoint.network, network)
                provenance["provenance"] = checkpoint.card.provenance
                sources = sources_of(checkpoint.card, self.path.name)
                provenance[SOURCES_KEY] = [source.to_json() for source in sources]
        return network.train(), provenance

    def provenance(self) -> dict[str, Any]:
        """The kind, and the file's name and hash, as JSON values.

        Raises:
            DcrnetError: the file is missing.
        """
        if self.path is None:
            return {"kind": self.kind.value}
        if not self.path.is_file():
            raise DcrnetError(f"the first weights {self.path} do not exist: name a whole file")
        digest = sha256(self.path.read_bytes()).hexdigest()
        return {"kind": self.kind.value, "file": self.path.name, "sha256": digest}


def _check_same(
    path: Path, found: FaceNetwork, architecture: Architecture, wanted: NetworkConfig
) -> None:
    if found.architecture != architecture.name:
        raise DcrnetError(
            f"{path} holds a {found.architecture}, and the run asks for a {architecture.name}:"
            f" give `network` {found.architecture}, or start from another checkpoint"
        )
    for name in architecture.settings:
        has, asked = getattr(found.config, name), getattr(wanted, name)
        if has != asked:
            raise DcrnetError(
                f"{path} holds a network with {name} {has}, and the run asks for {asked}:"
                f" set network.{name} alike, or start from another checkpoint"
            )


def _copy_weights(source: FaceNetwork, target: FaceNetwork) -> None:
    state, wanted = source.state_dict(), target.state_dict()
    last = source.classifier_path
    shared = [
        (target.config.labels.index(label), source.config.labels.index(label))
        for label in target.config.labels
        if label in source.config.labels
    ]
    with torch.no_grad():
        for name in (f"{last}.weight", f"{last}.bias"):
            rows = wanted[name].clone()
            for to, of in shared:
                rows[to] = state[name][of]
            state[name] = rows
    target.load_state_dict(state)
