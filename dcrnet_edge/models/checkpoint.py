"""Checkpoints: safetensors that say what network they hold and what it wants to see."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dcrnet_edge.models import registry
from dcrnet_edge.models.activation_ranges import Ranges
from dcrnet_edge.models.batch_norm import Norms, norms_of, set_norms
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import upgrade_command
from dcrnet_runtime.outfile import written_beside

_ARCHITECTURE_KEY = "architecture"
_NETWORK_KEY = "network"
_RANGES_KEY = "ranges"
_NORMS_KEY = "norms"
_TRAINED_KEY = "trained_px"
_PICKLES = (".pth", ".pt", ".ckpt", ".pkl", ".bin")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights with everything needed to run or export them.

    Attributes:
        network: the model, in eval mode.
        card: labels, preprocessing, provenance, figures.
        ranges: per-channel activation ranges on training faces, by input side in px, as
            :func:`dcrnet_edge.models.activation_ranges.activation_ranges` returns them; empty
            before.
        norms: the batch norms' statistics at each input side in px that the weights were
            trained at; may be empty where that is the card's alone.
    """

    network: FaceNetwork
    card: ModelCard
    ranges: dict[int, Ranges] = field(default_factory=dict)
    norms: dict[int, Norms] = field(default_factory=dict)

    @property
    def trained_px(self) -> tuple[int, ...]:
        """Input sides that the weights were trained at, the largest first."""
        return tuple(sorted(self.norms, reverse=True)) or (self.card.preprocess.size_px,)

    def at(self, size_px: int) -> Checkpoint:
        """The same weights for another input side, with the statistics of the nearest trained one.

        The card's figures stay behind: they were measured at its own side.

        Raises:
            DcrnetError: the network takes no such side.
        """
        registry.architecture(self.network.architecture).check_size(size_px)
        own = self.card.preprocess.size_px
        if size_px == own:
            return self
        network = copy.deepcopy(self.network)
        norms = self.norms or {own: norms_of(network)}
        set_norms(network, norms[min(norms, key=lambda trained_px: abs(trained_px - size_px))])
        spec = replace(self.card.preprocess, size_px=size_px)
        card = replace(self.card, preprocess=spec, metrics={})
        return Checkpoint(network, card, self.ranges, norms)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint.

    Convolution and dense kernels are stored as fp16, the rest as fp32.
    """
    tensors = {
        name: tensor.half() if tensor.ndim > 1 else tensor.float()
        for name, tensor in checkpoint.network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    own = checkpoint.card.preprocess.size_px
    others = {size_px: norms for size_px, norms in checkpoint.norms.items() if size_px != own}
    for key, sizes in ((_RANGES_KEY, checkpoint.ranges), (_NORMS_KEY, others)):
        for size_px, rows in sizes.items():
            tensors |= {f"{key}.{size_px}.{name}": pair for name, pair in rows.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {
        CARD_KEY: checkpoint.card.to_json(),
        _ARCHITECTURE_KEY: checkpoint.network.architecture,
        _NETWORK_KEY: json.dumps(asdict(checkpoint.network.config), sort_keys=True),
        _TRAINED_KEY: json.dumps(checkpoint.trained_px),
    }
    with written_beside(path) as beside:
        # Not safetensors' save_file, which makes a file that its owner alone can read.
        beside.write_bytes(save(tensors, metadata))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read what :func:`save_checkpoint` wrote; the network comes in eval mode, fp32.

    Raises:
        DcrnetError: a missing, damaged or foreign file, or a pickle, which is never opened.
    """
    metadata, tensors = _read(path)
    card = ModelCard.from_json(metadata[CARD_KEY])
    own = card.preprocess.size_px
    try:
        ranges, norms = _taken(tensors, _RANGES_KEY), _taken(tensors, _NORMS_KEY)
        trained_px = json.loads(metadata.get(_TRAINED_KEY, f"[{own}]"))
    except ValueError as error:
        raise DcrnetError(
            f"{path} names an input side that is none ({error}): copy it again"
        ) from error
    network = _network(path, metadata)
    _fill(path, network, tensors)
    _check_norms(path, network, norms)
    if own in trained_px:
        norms[own] = norms_of(network)
    return Checkpoint(network.eval(), card, ranges, norms)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata, and tensors as fp32."""
    if path.suffix.lower() in _PICKLES:
        raise DcrnetError(
            f"{path} is a pickle, which can run code when it is opened, so it is refused:"
            " convert it to safetensors where you trust it"
        )
    if not path.is_file():
        raise DcrnetError(f"{path} does not exist: name a .safetensors checkpoint")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DcrnetError(
            f"{path} is no whole safetensors file ({error}): copy it again"
        ) from error
    if CARD_KEY not in metadata or _NETWORK_KEY not in metadata:
        raise DcrnetError(
            f"{path} carries no dcrnet-edge card: it is another project's file; train with"
            " dcrnet-train, or use a checkpoint that it wrote"
        )
    return metadata, tensors


def _fill(path: Path, network: FaceNetwork, tensors: dict[str, Tensor]) -> None:
    try:
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise DcrnetError(f"{path} does not fit the network it describes: {error}") from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise DcrnetError(
            f"{path} does not fit the network it describes (first of {len(missing)} missing and"
            f" {len(unexpected)} unknown tensors: {(missing + unexpected)[0]})"
        )


def _check_norms(path: Path, network: FaceNetwork, norms: dict[int, Norms]) -> None:
    expected = {name: pair.shape for name, pair in norms_of(network).items()}
    for size_px, rows in norms.items():
        if {name: pair.shape for name, pair in rows.items()} != expected:
            raise DcrnetError(
                f"{path} has batch-norm statistics for {size_px} px that do not fit its network:"
                " copy it again"
            )


def _taken(tensors: dict[str, Tensor], kind: str) -> dict[int, dict[str, Tensor]]:
    """Remove what is stored by input side from ``tensors`` and return it."""
    found: dict[int, dict[str, Tensor]] = {}
    for key in [key for key in tensors if key.startswith(f"{kind}.")]:
        _, size_px, name = key.split(".", 2)
        found.setdefault(int(size_px), {})[name] = tensors.pop(key)
    return found


def _network(path: Path, metadata: dict[str, str]) -> FaceNetwork:
    name = metadata.get(_ARCHITECTURE_KEY, registry.DEFAULT)
    try:
        return registry.create_model(name, **json.loads(metadata[_NETWORK_KEY]))
    except (DcrnetError, ValueError, TypeError) as error:
        raise DcrnetError(
            f"{path} describes a network that this version cannot build ({error}):"
            f" {upgrade_command()}"
        ) from error
