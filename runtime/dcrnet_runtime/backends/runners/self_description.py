"""The card of a model file, and whether the file keeps its word."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from dcrnet_runtime.backends.backend import ModelFile
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.content_hash import Metadata, hashes_of
from dcrnet_runtime.errors import DcrnetError

_log = logging.getLogger(__name__)


def read_card(path: Path, text: str | None) -> ModelCard:
    """The card in a file; refuses one that has none, or one that cannot be read."""
    if text is None:
        raise DcrnetError(
            f"{path} carries no dcrnet-edge card, so its labels and preprocessing are unknown:"
            " use a model that dcrnet-export wrote"
        )
    return ModelCard.from_json(text)


def checked_sha256(file: ModelFile, metadata: Metadata) -> str:
    """The hash of the file, whose content is the one that was exported.

    A file that carries no hash of its content was written by an older version, or by something
    else: it is taken, with a warning.

    Raises:
        DcrnetError: the content has another hash than the file carries.
    """
    found = hashes_of(file.content, metadata)
    if metadata.sha256 is None and metadata.card is not None:
        _log.warning(
            "%s carries no hash of its content, so damage would not be noticed: export it again",
            file.path,
        )
    elif metadata.sha256 not in (None, found.content):
        raise DcrnetError(
            f"{file.path} is not as it was exported, its content has another hash than it carries:"
            " it was damaged or edited, copy or export it again"
        )
    return found.file


def check_input(path: Path, card: ModelCard, shape: list[Any]) -> None:
    """Refuse a file whose input, (N, S, S, 3), is not the card's."""
    side = card.preprocess.size_px
    if list(shape[1:]) != [side, side, 3]:
        raise DcrnetError(
            f"{path} takes {shape}, its card says {side} px: the file was edited, export it again"
        )


def check_features(path: Path, card: ModelCard, shape: list[Any]) -> None:
    """Refuse a file whose second output, (N, C), is not the card's."""
    if list(shape[1:]) != [card.feature_count]:
        raise DcrnetError(
            f"{path} gives features of the shape {shape}, its card says {card.feature_count} a"
            " face: the file was edited, export it again"
        )


def check_output(path: Path, card: ModelCard, shape: list[Any]) -> None:
    """Refuse a file whose output, (N, labels), has not a value for each of the card's labels."""
    if len(shape) != 2:
        raise DcrnetError(f"{path} gives {shape}, not (faces, labels): export it again")
    if shape[-1] != len(card.labels):
        count = shape[-1] if isinstance(shape[-1], int) else "an unstated number of"
        raise DcrnetError(
            f"{path} gives {count} probabilities, its card has {len(card.labels)} labels: the"
            " file was edited, export it again"
        )
