"""Files that appear under their name only once they are whole."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from dcrnet_runtime.errors import DcrnetError

_BESIDE = re.compile(r"\..+\.(?P<process>\d+)\.tmp(\.\w+)?")


class PendingFile:
    """A file that is written beside its place until it is kept.

    Attributes:
        path: where it will be.
        beside: where to write it; keeps the ending, since many writers choose the format by it.

    Raises:
        DcrnetError: ``path`` is a folder, or its folder cannot be made.
    """

    def __init__(self, path: Path) -> None:
        if not path.name or path.is_dir():
            raise DcrnetError(f"{path} is a folder: name a file in it")
        self.path = path
        self.beside = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error

    def keep(self) -> None:
        """Rename it into place.

        Raises:
            DcrnetError: it was not written, or cannot be renamed.
        """
        try:
            self.beside.replace(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def discard(self) -> None:
        """Remove it, if it has not been kept; an older file in its place stays."""
        self.beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process had begun to write in a folder that nobody else writes to."""
    for path in folder.glob(".*.tmp*"):
        if _BESIDE.fullmatch(path.name):
            path.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes had begun to write in a folder that others may write to.

    What a living process writes stays; this one must not have begun to.
    """
    for path in folder.glob(".*.tmp*"):
        begun = _BESIDE.fullmatch(path.name)
        if begun and not _is_another_alive(int(begun["process"])):
            path.unlink(missing_ok=True)


def _is_another_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return process != os.getpid()


@contextmanager
def written_beside(path: Path) -> Generator[Path, None, None]:
    """Give a path beside ``path`` to write to, and rename it into place at the end.

    When the block raises, what it wrote is removed and an older file at ``path`` stays.

    Raises:
        DcrnetError: ``path`` is a folder, or cannot be written.
    """
    pending = PendingFile(path)
    try:
        yield pending.beside
        pending.keep()
    except BrokenPipeError:
        raise  # of the block's own output, not of this file
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        pending.discard()


def check_folder(folder: Path, parameter: str) -> None:
    """Try whether a folder can be written; nothing of that stays.

    Args:
        folder: may be missing.
        parameter: what names it.

    Raises:
        DcrnetError: it cannot be made, or no file in it.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DcrnetError(
            f"no file can be written to the folder {folder} ({error.strerror}): name a writable"
            f" one with `{parameter}`"
        ) from error
    finally:
        for each in missing:
            with suppress(OSError):
                each.rmdir()


def unwritable(path: Path, error: OSError) -> DcrnetError:
    """The error that says why a file was not written."""
    return DcrnetError(
        f"{path} could not be written ({error.strerror}): name a writable place with room"
    )
