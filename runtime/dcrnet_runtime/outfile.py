"""Files that appear under their name only once they are whole."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError


@contextmanager
def written_beside(path: Path) -> Generator[Path, None, None]:
    """Give a path beside ``path`` to write to, and rename it into place at the end.

    When the block raises, what it wrote is removed and an older file at ``path`` stays. The
    path given keeps the ending, since many writers choose the format by it.

    Raises:
        DcrnetError: ``path`` is a folder, or cannot be written.
    """
    if not path.name or path.is_dir():
        raise DcrnetError(f"{path} is a folder: name a file in it")
    beside = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except BrokenPipeError:
        raise  # of the block's own output, not of this file
    except OSError as error:
        raise DcrnetError(
            f"{path} could not be written ({error.strerror}): name a writable place with room"
        ) from error
