"""What weights were made from, and on which terms: what a model card has to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dcrnet_runtime.backends.card import ModelCard

SOURCES_KEY = "sources"
"""In a card's provenance."""


@dataclass(frozen=True, slots=True)
class Source:
    """Pictures, or other weights, that weights were made from.

    Attributes:
        name: of the data set or network, for people.
        license: its terms, with the attribution that they ask for.
    """

    name: str
    license: str

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def sources_of(card: ModelCard, name: str) -> tuple[Source, ...]:
    """What a model was made from, by its card; of an older version the card's terms as a whole.

    Args:
        card: of the model.
        name: of the model, where its card does not name its sources.
    """
    noted = card.provenance.get(SOURCES_KEY)
    if isinstance(noted, list):
        return tuple(Source(str(each["name"]), str(each["license"])) for each in noted)
    return (Source(name, card.license),) if card.license else ()


def joined(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Each source once, in the order in which they come first."""
    return tuple(dict.fromkeys(sources))


def terms(sources: Sequence[Source]) -> str:
    """All sources' terms as one text, each once."""
    return " ".join(dict.fromkeys(source.license for source in sources if source.license))
