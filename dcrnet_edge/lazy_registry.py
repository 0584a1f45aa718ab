"""Entries by name, imported when they are asked for, so that names alone cost nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Generic, TypeVar

from dcrnet_runtime.errors import DcrnetError

T = TypeVar("T")


class LazyRegistry(Generic[T]):
    """A table of entries of one kind.

    Args:
        kind: what they are, as a parameter is called that takes such a name.
        places: ``module:attribute`` of each entry that comes with the package, by name.
    """

    def __init__(self, kind: str, places: Mapping[str, str]) -> None:
        self._kind = kind
        self._places = dict(places)
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> None:
        """Add an entry, or replace the one of that name."""
        self._entries[name] = entry

    def names(self) -> tuple[str, ...]:
        """All names, those of the package first."""
        return tuple({**self._places, **self._entries})

    def __getitem__(self, name: str) -> T:
        """The entry called ``name``.

        Raises:
            DcrnetError: there is none.
        """
        if name not in self._entries:
            if name not in self._places:
                raise DcrnetError(
                    f"`{self._kind}` {name} is unknown: choose {', '.join(self.names())}"
                )
            module, _, attribute = self._places[name].partition(":")
            self._entries[name] = getattr(importlib.import_module(module), attribute)
        return self._entries[name]
