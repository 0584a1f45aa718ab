"""One file of an archive, and which of its files a machine takes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dcrnet_runtime.errors import DcrnetError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """A photo or a recording that is answered as a whole.

    Attributes:
        path: of the file.
        name: what answers call it.
        failure: why it is known that it cannot be read; empty where it is not.
    """

    path: Path
    name: str
    failure: str = ""

    @property
    def key(self) -> str:
        """The path from the root: what tells the item from all others in every later run."""
        return os.path.abspath(self.path)  # noqa: PTH100  (without following links)

    def fingerprint(self) -> Fingerprint | None:
        """What the file is now; None where there is none."""
        try:
            about = self.path.stat()
        except OSError:
            return None
        return Fingerprint(about.st_size, about.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what a file is taken for the one that was answered.

    Attributes:
        size_bytes: of the file.
        modified_ns: when it was written last, since 1970.
    """

    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Every N-th item, for machines that share a list and know nothing of each other.

    Attributes:
        number: of this share, from 1.
        count: how many shares there are.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/4``.

        Raises:
            DcrnetError: it is no share.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise DcrnetError(
                f"`shard` {text} is no share: give 1/4 to the first of four machines, 4/4 to the"
                " last"
            )
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """This share of items, in their order."""
        return items[self.number - 1 :: self.count]
