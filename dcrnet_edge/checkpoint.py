"""Checkpoints: safetensors that say what network they hold and what it wants to see."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dcrnet_edge.calibration import Ranges
from dcrnet_edge.config import Attention, NetworkConfig
from dcrnet_edge.network import DCRNet
from dcrnet_runtime.card import CARD_KEY, ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

_NETWORK_KEY = "network"
_RANGES_KEY = "ranges"
_PICKLES = (".pth", ".pt", ".ckpt", ".pkl", ".bin")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights with everything needed to run or export them.

    Attributes:
        network: the model, in eval mode.
        card: labels, preprocessing, provenance, figures.
        ranges: per-channel activation ranges on training faces, by input side in px, as
            :func:`dcrnet_edge.calibration.activation_ranges` returns them; empty before.
    """

    network: DCRNet
    card: ModelCard
    ranges: dict[int, Ranges] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint.

    Convolution and dense kernels are stored as fp16, the rest as fp32.
    """
    tensors = {
        name: tensor.half() if tensor.ndim > 1 else tensor.float()
        for name, tensor in checkpoint.network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    for size_px, ranges in checkpoint.ranges.items():
        tensors |= {f"{_RANGES_KEY}.{size_px}.{name}": limits for name, limits in ranges.items()}
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {
        CARD_KEY: checkpoint.card.to_json(),
        _NETWORK_KEY: json.dumps(asdict(checkpoint.network.config), sort_keys=True),
    }
    with written_beside(path) as beside:
        # Not safetensors' save_file, which makes a file that its owner alone can read.
        beside.write_bytes(save(tensors, metadata))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read what :func:`save_checkpoint` wrote; the network comes in eval mode, fp32.

    Raises:
        DcrnetError: a missing, damaged or foreign file, or a pickle, which is never opened.
    """
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
    card = ModelCard.from_json(metadata[CARD_KEY])
    ranges = _take_ranges(tensors)
    network = DCRNet(_network_config(path, metadata[_NETWORK_KEY]))
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
    return Checkpoint(network.eval(), card, ranges)


def _take_ranges(tensors: dict[str, Tensor]) -> dict[int, Ranges]:
    """Remove the activation ranges from ``tensors`` and return them."""
    ranges: dict[int, Ranges] = {}
    for key in [key for key in tensors if key.startswith(f"{_RANGES_KEY}.")]:
        _, size_px, name = key.split(".", 2)
        ranges.setdefault(int(size_px), {})[name] = tensors.pop(key)
    return ranges


def _network_config(path: Path, text: str) -> NetworkConfig:
    try:
        values = json.loads(text)
        values["labels"] = tuple(values["labels"])
        values["attention"] = Attention(values["attention"])
        values["residual_widths"] = tuple(values["residual_widths"])
        return NetworkConfig(**values)
    except (ValueError, TypeError, KeyError) as error:
        raise DcrnetError(
            f"{path} describes a network that this version cannot build ({error}):"
            " pip install --upgrade dcrnet-edge"
        ) from error
