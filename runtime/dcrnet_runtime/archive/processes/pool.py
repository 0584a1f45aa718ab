"""Several worker processes as one engine."""

from __future__ import annotations

import json
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from subprocess import DEVNULL, Popen, TimeoutExpired

from dcrnet_runtime.archive.answering import ReadOptions
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.part import Part
from dcrnet_runtime.archive.processes.worker import Ready, Task
from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.files.listing import VIDEO_SUFFIXES

# Not by multiprocessing, whose processes import the caller's program first, which may be one that
# does its work when it is imported.
_START = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from dcrnet_runtime.archive.processes.worker import main
main(int(sys.argv[2]))
"""
_GLANCE_S = 0.1  # between looks at whether the run is being stopped
_PATIENCE_S = 0.5  # for a process that is told to end
_MOST_WAITING = 4096  # frames whose answers are held until those before them are here
_MOST_TRIES = 2


@dataclass(slots=True, eq=False)
class _Member:
    """A worker process, and the items that it has: the first is in work."""

    process: Popen[bytes]
    connection: Connection
    tasks: deque[Task] = field(default_factory=deque)
    is_ready: bool = False
    sent: int = 0
    """Frames of the item in work whose answers are here."""

    @property
    def has_room(self) -> bool:
        """Whether it may be given one more: one that waits, unless either is a recording."""
        if not self.is_ready or len(self.tasks) > 1:
            return False
        return not self.tasks or not _is_long(self.tasks[0].item)


class WorkerPool:
    """Worker processes that answer items, each holding a model.

    They are started afresh rather than forked, since the threads of OpenCV and of the models'
    runtimes do not survive a fork. Each is given one item and at most one more, and sends answers
    without pictures; where answers to later items pile up, no more are taken from those who send
    them. One that is ended from outside is replaced, and its item is given to another one, once.

    Args:
        spec: how each opens its recognizer.
        options: how items are read.
        workers: how many there are.
        model_sha256: of the file that each has to have read; empty for any.
    """

    def __init__(
        self, spec: RecognizerSpec, options: ReadOptions, workers: int, model_sha256: str = ""
    ) -> None:
        self.workers = workers
        self._spec, self._options, self._model_sha256 = spec, options, model_sha256
        self._members: list[_Member] = []
        self._notes: list[str] = []
        self._starts_failed = 0

    def parts(
        self, items: Sequence[Item], wants_stop: Callable[[], bool]
    ) -> Generator[Part, None, None]:
        """See :meth:`dcrnet_runtime.archive.engine.Engine.parts`."""
        order = _Order(len(items))
        left: deque[Task] = deque(Task(index, item) for index, item in enumerate(items))
        tries: dict[int, int] = {}
        try:
            for _ in range(min(self.workers, len(items))):
                self._start()
            while not order.is_done:
                if wants_stop():
                    return
                self._give(left, order)
                for part in self._heard(order, left, tries):
                    order.take(part)
                self._give(left, order)  # before the answers are written, so that nobody waits
                yield from self._told(order.ready())
        finally:
            self.close()

    def close(self) -> None:
        """End the workers, whatever they are at."""
        for member in self._members:
            member.process.terminate()
        for member in self._members:
            try:
                member.process.wait(_PATIENCE_S)
            except TimeoutExpired:
                member.process.kill()
                member.process.wait()
            member.connection.close()
        self._members.clear()

    def _start(self) -> None:
        ours, theirs = Pipe()
        command = [sys.executable, "-c", _START, json.dumps(sys.path), str(theirs.fileno())]
        # Until it ignores Ctrl-C by itself: a blocked signal stays blocked in what is started.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = Popen(command, stdin=DEVNULL, pass_fds=[theirs.fileno()])
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()  # so that the end of the process is the end of the pipe
        with suppress(BrokenPipeError, ConnectionResetError):  # it is heard of
            ours.send((self._spec, self._options))
        self._members.append(_Member(process, ours))

    def _give(self, left: deque[Task], order: _Order) -> None:
        """Tell tasks to those who have room; first to those who have nothing to do."""
        for depth in (0, 1):
            for member in self._members:
                if not left or (order.is_full and left[0].index != order.head):
                    return
                task = left[0]
                if len(member.tasks) != depth or not member.has_room:
                    continue
                if depth and _is_long(task.item):
                    return
                with suppress(BrokenPipeError, ConnectionResetError):  # it is heard of
                    member.connection.send(task)
                    member.tasks.append(left.popleft())

    def _heard(self, order: _Order, left: deque[Task], tries: dict[int, int]) -> Iterator[Part]:
        """What workers have said since, or None was heard of for a while."""
        heard = {
            member.connection: member
            for member in self._members
            if not order.is_full
            or not member.tasks
            or any(task.index == order.head for task in member.tasks)
        }
        for connection in wait(list(heard), _GLANCE_S):
            member = heard[connection]  # type: ignore[index]
            try:
                said = member.connection.recv()
            except (EOFError, OSError):
                yield from self._ended(member, left, tries)
                continue
            if isinstance(said, Ready):
                self._greet(member, said)
            else:
                yield self._of(member, said)

    def _greet(self, member: _Member, said: Ready) -> None:
        if said.failure:
            raise DcrnetError(said.failure)
        if self._model_sha256 not in ("", said.model_sha256):
            raise DcrnetError(
                "the model's file was changed while workers were started: start again"
            )
        member.is_ready, self._starts_failed = True, 0

    def _of(self, member: _Member, part: Part) -> Part:
        member.sent += len(part.observations)
        if part.is_last:
            member.tasks.popleft()
            member.sent = 0
        return part

    def _ended(self, member: _Member, left: deque[Task], tries: dict[int, int]) -> Iterator[Part]:
        """Replace a worker that has ended; its item is done once more, or given up.

        Raises:
            DcrnetError: workers end before they begin.
        """
        how = _ending(member.process.wait())
        self._members.remove(member)
        member.connection.close()
        if not member.is_ready:
            self._starts_failed += 1
            if self._starts_failed >= _MOST_TRIES:
                raise DcrnetError(
                    f"worker processes {how} before they had begun: is there too little memory?"
                    " Take fewer `workers`"
                )
        given = list(member.tasks)
        if given:
            first = given[0]
            tries[first.index] = tries.get(first.index, 1) + 1
            again = Task(first.index, first.item, first.skipped + member.sent)
            told = f"Worker process {member.process.pid} {how} at {first.item.path}"
            if tries[first.index] > _MOST_TRIES:
                self._notes.append(f"{told}, as did the one before: it is left out.")
                why = f"{first.item.path} was not answered: the process that tried {how}, twice"
                yield Part(first.index, is_last=True, failure=why)
                given = given[1:]
            else:
                self._notes.append(f"{told}, which is done again.")
                given = [again, *given[1:]]
        left.extendleft(reversed(given))
        self._start()

    def _told(self, parts: Iterator[Part]) -> Iterator[Part]:
        yield from parts
        if self._notes:
            yield Part(-1, notes=tuple(self._notes))
            self._notes.clear()


class _Order:
    """Puts parts into the order of their items.

    Attributes:
        head: the item whose parts are due.
        waiting: frames whose answers wait for those of earlier items.
    """

    def __init__(self, count: int) -> None:
        self.head = self.waiting = 0
        self._count = count
        self._parts: dict[int, deque[Part]] = {}

    @property
    def is_done(self) -> bool:
        """Whether every item's last part was given on."""
        return self.head == self._count

    @property
    def is_full(self) -> bool:
        """Whether no more should be taken of what is not due."""
        return self.waiting >= _MOST_WAITING

    def take(self, part: Part) -> None:
        """Hold a part until it is due."""
        self._parts.setdefault(part.index, deque()).append(part)
        self.waiting += max(1, len(part.observations))

    def ready(self) -> Iterator[Part]:
        """The parts that are due, which are let go."""
        while parts := self._parts.get(self.head):
            part = parts.popleft()
            self.waiting -= max(1, len(part.observations))
            if part.is_last:
                del self._parts[self.head]
                self.head += 1
            yield part


def _is_long(item: Item) -> bool:
    return item.path.suffix.lower() in VIDEO_SUFFIXES


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
