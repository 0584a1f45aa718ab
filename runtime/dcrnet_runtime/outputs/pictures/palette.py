"""The colours of expressions in pictures: those of the live page's dark style."""

from __future__ import annotations

from collections.abc import Sequence

Colour = tuple[int, int, int]

INK: Colour = (0x0E, 0x14, 0x13)
"""Of what is written on a colour; 5.5 times its contrast or more (WCAG 2.2)."""

_OF_LABELS = {
    "anger": "f2705f",
    "contempt": "c79a7a",
    "disgust": "9cc95a",
    "fear": "b48af0",
    "happiness": "f5bd3f",
    "neutral": "94a39f",
    "sadness": "6ea3f7",
    "surprise": "3cc8d9",
}
_OTHERS = ("f07ab8", "93a0ff", "7ccb88", "e0955f")


def colour_of(label: str | None, labels: Sequence[str]) -> Colour:
    """RGB of an expression; one that the page does not know has its colour by its place, and none
    that of neutral.
    """
    if label is None:
        code = _OF_LABELS["neutral"]
    elif label in _OF_LABELS:
        code = _OF_LABELS[label]
    else:
        code = _OTHERS[list(labels).index(label) % len(_OTHERS)]
    red, green, blue = bytes.fromhex(code)
    return red, green, blue
