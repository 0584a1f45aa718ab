"""A process that answers items: started afresh, told by a pipe, heard by the same one."""

from __future__ import annotations

import logging
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from dcrnet_runtime.archive.answering import Answering, LogNotes, ReadOptions
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Ready:
    """The first that a worker says.

    Attributes:
        model_sha256: of the file that it has read; empty where it could not.
        failure: why it cannot work; empty where it can.
    """

    model_sha256: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told to answer.

    Attributes:
        index: of the item.
        item: itself.
        skipped: how many of its frames' answers are not sent, since a worker that ended before
            had sent them.
    """

    index: int
    item: Item
    skipped: int = 0


def main(number: int) -> None:
    """Be a worker of the process at the other end of a pipe.

    Args:
        number: of the open file that is this end.
    """
    connection = Connection(number)
    with suppress(EOFError, ConnectionResetError):
        spec, options = connection.recv()
        work(connection, spec, options)


def work(connection: Connection, spec: RecognizerSpec, options: ReadOptions) -> None:
    """Answer tasks until there are no more, or whoever tells them is gone.

    Args:
        connection: gives a :class:`Task` at a time or None for the end, takes one
            :class:`Ready` and then :class:`Part` objects.
        spec: how the recognizer is opened.
        options: how items are read.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs = LogNotes()
    logging.basicConfig(handlers=[logs])
    # Its other end is gone where the first process was killed.
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            recognizer = _opened(spec)
        except DcrnetError as error:
            connection.send(Ready(failure=str(error)))
            return
        connection.send(Ready(recognizer.model.sha256))
        answering = Answering(recognizer, options)
        while (task := connection.recv()) is not None:
            _answer(connection, answering, task, logs)


def _opened(spec: RecognizerSpec) -> Recognizer:
    import cv2

    cv2.setNumThreads(1)  # there is a process for every core
    return spec.open()


def _answer(connection: Connection, answering: Answering, task: Task, logs: LogNotes) -> None:
    left = task.skipped
    for part in answering.parts(task.index, task.item):
        kept = part.observations[left:]
        left = max(0, left - len(part.observations))
        connection.send(replace(part, observations=kept, notes=(*part.notes, *logs.taken())))
