"""A generator's file: weights, and the card that says what they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from dcrnet_edge.studies.generating.networks import SIDE, Generator, GeneratorConfig
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

_CARD = "dcrnet-generator"
_ARCHITECTURE = "conditional DCGAN"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class GeneratorCard:
    """What a generator is and where it comes from.

    Attributes:
        rare: labels that it was made for.
        dataset: name of the data's adapter.
        data_sha256: over every image's pixels, label and split.
        protocol: how the data was split; Train alone was learned from.
        images: that it has learned from, by label.
        per_label: most images of a label; 0 is all.
        recipe: of the training, as JSON values; its seed has chosen the images, too.
        license: of the data, which what it draws is made from.
        origin: command, date, machine and versions.
    """

    rare: tuple[str, ...]
    dataset: str
    data_sha256: str
    protocol: str
    images: dict[str, int]
    per_label: int
    recipe: dict[str, Any]
    license: str
    origin: dict[str, Any]


def save_generator(path: Path, generator: Generator, card: GeneratorCard) -> None:
    """Write weights and card as one safetensors file."""
    told = {
        "card_version": _VERSION,
        "architecture": _ARCHITECTURE,
        "side_px": SIDE,
        "config": asdict(generator.config),
        "card": asdict(card),
    }
    tensors = {name: tensor.contiguous() for name, tensor in generator.state_dict().items()}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, {_CARD: json.dumps(told, sort_keys=True)}))


def load_generator(path: Path) -> tuple[Generator, GeneratorCard]:
    """Read what :func:`save_generator` wrote; the generator comes in eval mode.

    Raises:
        DcrnetError: a missing, damaged or foreign file.
    """
    if not path.is_file():
        raise DcrnetError(
            f"{path} does not exist: name the generator.safetensors that dcrnet-study gan train"
            " wrote"
        )
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_CARD)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DcrnetError(
            f"{path} is no whole safetensors file ({error}): copy it again"
        ) from error
    if text is None:
        raise DcrnetError(f"{path} is no generator: name a file that dcrnet-study gan train wrote")
    try:
        told = json.loads(text)
        config = {**told["config"], "labels": tuple(told["config"]["labels"])}
        generator = Generator(GeneratorConfig(**config))
        generator.load_state_dict(tensors)
        card = GeneratorCard(**{**told["card"], "rare": tuple(told["card"]["rare"])})
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DcrnetError(
            f"{path} describes a generator that this version cannot build ({error}): copy the"
            " file again, or use the version that wrote it"
        ) from error
    return generator.eval(), card


def check_data(card: GeneratorCard, data_sha256: str) -> None:
    """Refuse other data than the generator's, whose Train may hold what this one tests on.

    Raises:
        DcrnetError: the data are others.
    """
    if card.data_sha256 != data_sha256:
        raise DcrnetError(
            f"the generator was trained on {card.dataset} {card.data_sha256[:8]}..., and `data` is"
            f" {data_sha256[:8]}...: its faces may show people of this one's Test; give the same"
            " data, or train a generator on these"
        )


def labels_to_draw(card: GeneratorCard, named: tuple[str, ...]) -> tuple[str, ...]:
    """The labels asked for, in the generator's order; by default those that it was made for.

    Raises:
        DcrnetError: it was not made for one of them.
    """
    if unknown := [name for name in named if name not in card.rare]:
        raise DcrnetError(
            f"the generator was not made for `label` {unknown[0]}: choose {', '.join(card.rare)}"
        )
    return tuple(name for name in card.rare if not named or name in named)
