"""Where computed files are kept on this machine."""

from __future__ import annotations

import functools
import logging
import struct
import tokenize
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import platformdirs

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

DAMAGED_ARRAYS: tuple[type[Exception], ...] = (
    *(OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError),
    *(BadZipFile, zlib.error, struct.error, SyntaxError, MemoryError, OverflowError),
    *(NotImplementedError, RuntimeError),  # a zip's compression, a password
    tokenize.TokenError,  # an array's header
)
"""What ``numpy.load`` and the use of its result raise where a file is damaged."""

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The user's folder for faces and crops of data sets; not created here."""
    return Path(platformdirs.user_cache_dir("dcrnet-edge", appauthor=False))


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file of a cache, which nothing depends on: where it cannot be, that is said once.

    Args:
        path: where it belongs.
        write: is given the path to write to.
    """
    try:
        with written_beside(path) as beside:
            write(beside)
    except DcrnetError as error:
        _tell(path.parent, str(error))


@functools.cache
def _tell(folder: Path, why: str) -> None:
    _log.warning("%s keeps nothing, and next time it is computed again: %s", folder, why)
