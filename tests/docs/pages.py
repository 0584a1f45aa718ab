"""The documents as data: fenced blocks, what they need, commands, links and headings.

A comment above a fenced block says what running it wants that a test machine need not have:

    <!-- needs: FERPLUS, minutes -->

Its commands are then parsed only. ``<!-- example: NAME -->`` names a block for a test of its own.
"""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
CARD = ROOT / "dcrnet_edge" / "weights" / "MODEL_CARD.md"
_FENCE = re.compile(r"^( *)(`{3,})(\w*)\n(.*?)^\1\2$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!-- (needs|example): ([^>]+?) -->\s*\Z")
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")
_OPERATORS = frozenset({";", "&&", "||", "|", "\n"})
_KEYWORDS = frozenset({"do", "done", "then", "fi"})


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: its file.
        line: number of its first line, from 1.
        language: what stands behind the fence.
        needs: what it says it needs, empty where a test may run it.
        example: its name, empty where it has none.
        code: its text.
    """

    page: Path
    line: int
    language: str
    needs: str
    example: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the shell would give it to a program, variables filled in."""

    words: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return f"{self.place} {' '.join(self.words)}"


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order."""
    text = page.read_text()
    found = []
    for fence in _FENCE.finditer(text):
        comment = _COMMENT.search(text, 0, fence.start())
        kind, value = comment.groups() if comment else ("", "")
        line = text.count("\n", 0, fence.start()) + 2
        needs, example = (value if kind == each else "" for each in ("needs", "example"))
        found.append(Block(page, line, fence[3], needs, example, fence[4]))
    return tuple(found)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def inline_code(page: Path) -> list[str]:
    """What stands in backticks, line breaks made spaces."""
    return [" ".join(code.split()) for code in _INLINE.findall(prose(page))]


def links(page: Path) -> list[str]:
    """Where links and pictures point."""
    return [first or second for first, second in _LINK.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """What headings are called in links."""
    titles = [re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(page))]
    return {title.strip().replace(" ", "-") for title in titles}


def commands(code: str, place: str) -> Iterator[Command]:
    """The commands of a shell script, loops taken apart, variables filled in."""
    known: dict[str, str] = {}
    for line in _CONTINUED.sub(" ", code).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "\n"]:
            if word not in _OPERATORS:
                words.append(word)
                continue
            command = _command(words, known)
            words = []
            if command:
                yield Command(command, place)


def _command(words: list[str], known: dict[str, str]) -> tuple[str, ...]:
    """One command's words; none of an assignment or of a loop's head."""
    while words and words[0] in _KEYWORDS:
        words = words[1:]
    if not words or words[0] == "for":
        return ()
    name, is_set, value = words[0].partition("=")
    if is_set and name.isidentifier():
        known[name] = string.Template(value).safe_substitute(known)
        return _command(words[1:], known)
    filled = []
    for word in words:
        given = string.Template(word).safe_substitute(known)
        filled += given.split() if given != word else [word]
    return tuple(filled)
