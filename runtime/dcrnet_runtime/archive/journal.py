"""Which items an output holds whole: the file beside it that a resumed run goes on from.

The first line says with what the answers were made, each of the others that an item is done, and
how far every output's file went then. A line is written behind the answers that it speaks of, in
one go. So whatever moment a process is killed at, the outputs hold the answers of all items that
the journal has a whole line of, and what lies behind the last such line's positions is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcrnet_runtime.archive.item import Fingerprint, Item
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import unwritable
from dcrnet_runtime.outputs.lines.line_file import write_line

SUFFIX = ".progress"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Done:
    """What an item had in it.

    Attributes:
        frames: pictures that were answered.
        faces: in all of them.
        is_photo: whether it was a photo.
        failure: why there were not more, of a recording that broke off.
    """

    frames: int = 0
    faces: int = 0
    is_photo: bool = True
    failure: str = ""


@dataclass(slots=True)
class Journal:
    """The items that are done; :meth:`open` reads them, :meth:`add` writes one more.

    Attributes:
        path: of the journal.
        positions: how far each output's file goes whose answers are known to be whole.
        done: by the items' keys.
        fingerprints: of the files when they were answered, likewise.
        names: what answers call them.
    """

    path: Path
    positions: dict[str, int] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    fingerprints: dict[str, Fingerprint] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    _file: int = -1
    _pending: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any], extents: Mapping[str, int]) -> Journal:
        """Begin a journal, or go on with the one that is there.

        Args:
            path: of the journal.
            settings: JSON values that answers depend on; all answers of a file have the same.
            extents: how far each output's file goes now, by the outputs' names.

        Raises:
            DcrnetError: another process writes it, it cannot be written, is of other settings,
                is none, or is missing where an output has something.
        """
        journal = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            journal._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                fcntl.flock(journal._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DcrnetError(
                    f"{path} is being written by another run: wait for its end, or name another"
                    " file"
                ) from error
            journal._read(settings, extents)
        except OSError as error:
            journal.close()
            raise unwritable(path, error) from error
        except DcrnetError:
            journal.close()
            raise
        return journal

    @property
    def has_pending(self) -> bool:
        """Whether items are held back."""
        return bool(self._pending)

    def holds(self, item: Item) -> bool:
        """Whether the outputs hold the answers of an item's file as it is now.

        A file that is gone since is held.

        Raises:
            DcrnetError: they hold those of what the file was before.
        """
        known = self.fingerprints.get(item.key)
        now = item.fingerprint()
        if known is None or now is None or now == known:
            return known is not None
        raise DcrnetError(
            f"{item.path} was changed after it was answered (its size or time is another one):"
            f" move {self.path} and the answers beside it away to begin anew, or leave that file"
            " out"
        )

    def add(
        self,
        item: Item,
        fingerprint: Fingerprint,
        done: Done,
        positions: Mapping[str, int] | None,
    ) -> None:
        """Note that an item is done.

        Args:
            item: which.
            fingerprint: of its file, from before it was read.
            done: what it had.
            positions: how far each output's file goes with it; None where one of them holds
                answers back: then the item is noted together with a later one.

        Raises:
            DcrnetError: the journal cannot be written; it ends with the item before.
        """
        record = {
            "path": item.key,
            "source": item.name,
            "size": fingerprint.size_bytes,
            "mtime_ns": fingerprint.modified_ns,
            "frames": done.frames,
            "faces": done.faces,
            "photo": done.is_photo,
            "failure": done.failure,
        }
        self._pending.append(json.dumps(record)[:-1])
        self.settle(positions)

    def settle(self, positions: Mapping[str, int] | None) -> None:
        """Write down all items that were held back, now that the outputs hold them.

        Raises:
            DcrnetError: the journal cannot be written.
        """
        if positions is None or not self._pending:
            return
        reached = json.dumps(dict(positions))
        lines = [f'{start}, "positions": {reached}}}' for start in self._pending]
        try:
            write_line(self._file, "\n".join(lines))
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._pending.clear()

    def close(self) -> None:
        """Let another run have it."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _read(self, settings: Mapping[str, Any], extents: Mapping[str, int]) -> None:
        with self.path.open("rb") as file:
            head = file.readline()
            if not head.endswith(b"\n"):  # nothing, or the first moments of a run
                self._begin(settings, extents)
                return
            self._check(head, settings)
            whole = len(head)
            for line in file:
                if not line.endswith(b"\n") or not self._take(line, extents):
                    break
                whole += len(line)
        os.ftruncate(self._file, whole)

    def _begin(self, settings: Mapping[str, Any], extents: Mapping[str, int]) -> None:
        if any(extents.values()):
            os.unlink(self.path)  # noqa: PTH108  (made a moment ago)
            raise DcrnetError(
                f"there are answers, but no {self.path}, which tells what of them is whole:"
                " move them away, or leave `resume` out to replace them"
            )
        os.ftruncate(self._file, 0)
        write_line(self._file, json.dumps({"journal": _VERSION, "settings": dict(settings)}))

    def _check(self, head: bytes, settings: Mapping[str, Any]) -> None:
        try:
            told = json.loads(head)
            version, before = told["journal"], dict(told["settings"])
        except (ValueError, TypeError, KeyError) as error:
            raise DcrnetError(
                f"{self.path} is no journal of a run: name another output"
            ) from error
        now = json.loads(json.dumps(dict(settings)))
        differing = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if version != _VERSION:
            differing = ["journal's version"]
        if differing:
            name = differing[0]
            raise DcrnetError(
                f"the answers beside {self.path} were made with another {name}"
                f" ({_short(before.get(name, version))}, now {_short(now.get(name, _VERSION))}):"
                " go on with that one, or name another output"
            )

    def _take(self, line: bytes, extents: Mapping[str, int]) -> bool:
        """Note an item that a line speaks of; False where the outputs do not reach so far."""
        try:
            told = json.loads(line)
            positions = {name: int(told["positions"][name]) for name in extents}
            key, fingerprint = told["path"], Fingerprint(told["size"], told["mtime_ns"])
            done = Done(told["frames"], told["faces"], told["photo"], told["failure"])
            name = str(told["source"])
        except (ValueError, TypeError, KeyError):
            return False
        if any(positions[name] > extent for name, extent in extents.items()):
            return False
        self.done[key], self.fingerprints[key] = done, fingerprint
        self.positions = positions
        self.names.add(name)
        return True


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
