"""What goes through an archive's items: in this process, in several, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from dcrnet_runtime.archive.answering import Answering, ReadOptions
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.part import Part
from dcrnet_runtime.recognizer import Recognizer


class Engine(Protocol):
    """Answers items.

    Attributes:
        workers: processes that do so.
    """

    workers: int

    def parts(
        self, items: Sequence[Item], wants_stop: Callable[[], bool]
    ) -> Generator[Part, None, None]:
        """The answers to all items, in their order, whoever answers them.

        Args:
            items: what is asked about.
            wants_stop: is asked often; once it says so, the answers end.

        Raises:
            DcrnetError: no item can be answered at all.
        """
        ...


class LocalEngine:
    """Answers in this process, one item after the other.

    Args:
        recognizer: finds and classifies.
        options: how items are read.
    """

    workers = 1

    def __init__(self, recognizer: Recognizer, options: ReadOptions) -> None:
        self._recognizer, self._options = recognizer, options

    def parts(
        self, items: Sequence[Item], wants_stop: Callable[[], bool]
    ) -> Generator[Part, None, None]:
        """See :meth:`Engine.parts`."""
        answering = Answering(self._recognizer, self._options, wants_stop)
        for index, item in enumerate(items):
            if wants_stop():
                return
            for part in answering.parts(index, item):
                if part.is_last and wants_stop() and not part.is_photo:
                    return  # a recording that was left before its end
                yield part
