"""Many photos and recordings: which are left to do, who does them, and what is done.

The pieces, each of which another engine can take as it is: :class:`Item` and :class:`Shard` (what
there is to do), :class:`Answering` (an item in, its answers out) and :class:`PhotoBatch` (columns
in, rows out), :class:`Journal` and the outputs' ``ResumableWriter`` (what is done).

>>> from dcrnet_runtime.archive import recognize_files
>>> for answer in recognize_files(["photos/"]):
...     print(answer.path.name, [face.label for face in answer.faces])
a.jpg [...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcrnet_runtime.archive.answering import Answering, ReadOptions
    from dcrnet_runtime.archive.answers import Answer, recognize_files
    from dcrnet_runtime.archive.item import Item, Shard
    from dcrnet_runtime.archive.journal import Journal
    from dcrnet_runtime.archive.photo_batch import PhotoBatch
    from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec

__all__ = [
    "Answer",
    "Answering",
    "Item",
    "Journal",
    "PhotoBatch",
    "ReadOptions",
    "RecognizerSpec",
    "Shard",
    "recognize_files",
]

_HOMES = {
    "Answer": "answers",
    "Answering": "answering",
    "Item": "item",
    "Journal": "journal",
    "PhotoBatch": "photo_batch",
    "ReadOptions": "answering",
    "RecognizerSpec": "recognizer_spec",
    "Shard": "item",
    "recognize_files": "answers",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that a command's --help does not wait for OpenCV.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
