"""Text that a terminal shows and does not obey."""

from __future__ import annotations

import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (of direction, for one), halves of pairs, and ends of lines."""


def printable(text: str) -> str:
    """The text with control and direction characters escaped, as one line.

    Names of files, addresses and what cameras and models say may hold sequences that recolour a
    terminal, turn its text around or forge a line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(sign) if unicodedata.category(sign) in _OBEYED else sign for sign in text
    )


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
