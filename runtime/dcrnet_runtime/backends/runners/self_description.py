"""The card of a model file, and whether the file keeps its word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError


def read_card(path: Path, text: str | None) -> ModelCard:
    """The card in a file; refuses one that has none, or one that cannot be read."""
    if text is None:
        raise DcrnetError(
            f"{path} carries no dcrnet-edge card, so its labels and preprocessing are unknown:"
            " use a model that dcrnet-export wrote"
        )
    return ModelCard.from_json(text)


def check_input(path: Path, card: ModelCard, shape: list[Any]) -> None:
    """Refuse a file whose input, (N, S, S, 3), is not the card's."""
    side = card.preprocess.size_px
    if list(shape[1:]) != [side, side, 3]:
        raise DcrnetError(
            f"{path} takes {shape}, its card says {side} px: the file was edited, export it again"
        )


def check_output(path: Path, card: ModelCard, shape: list[Any]) -> None:
    """Refuse a file whose output, (N, labels), has not a value for each of the card's labels."""
    if shape[-1] != len(card.labels):
        raise DcrnetError(
            f"{path} gives {shape[-1]} probabilities, its card has {len(card.labels)} labels: the"
            " file was edited, export it again"
        )
