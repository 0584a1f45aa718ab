"""What stops a run from outside, as one line that says how to go on."""

from __future__ import annotations

import errno
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.distributed import DistError

from dcrnet_edge.training.callbacks.resume_point import RESUME_NAME, resume_command
from dcrnet_edge.training.interruption import EndRequest, RunEndedError, signal_behind
from dcrnet_edge.training.module import TrainingStopError
from dcrnet_runtime.errors import DcrnetError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def explained(folder: Path, request: EndRequest) -> Generator[None, None, None]:
    """Turn what can happen to a long run into one line that says how to go on.

    Args:
        folder: the run's.
        request: what it was told by signals.

    Raises:
        DcrnetError: the run was told to end, the disk is full, an image cannot be read any more,
            or a loading process or another device's was killed.
    """

    def remedy() -> str:
        return how_to_go_on(folder)

    try:
        with told_by_signal(folder):
            yield
    except TrainingStopError:
        raise
    except SIGTERMException as error:  # outside of an epoch's batches
        raise RunEndedError(signal.SIGTERM, remedy()) from error
    except DcrnetError as error:
        message = str(error)
        if message.startswith("Caught DcrnetError in DataLoader worker"):  # and its traceback
            message = message.strip().rpartition("DcrnetError: ")[2]
        raise DcrnetError(f"training stopped: {message}; mend that, then {remedy()}") from error
    except OSError as error:
        mend = "make room" if error.errno in _NO_ROOM else "mend that"
        raise DcrnetError(
            f"training stopped: {error.strerror or error} ({error.filename}): {mend}, then"
            f" {remedy()}"
        ) from error
    except MemoryError as error:
        raise _out_of_memory(remedy()) from error
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error):
            raise _out_of_memory(remedy()) from error
        if "DataLoader worker" in str(error):
            if request.by is not None:  # by the same signal, before it stood that
                raise RunEndedError(request.by, remedy()) from error
            raise DcrnetError(
                "training stopped: a loading process was killed, mostly for want of memory: give"
                f" fewer `workers`, then {remedy()}"
            ) from error
        if isinstance(error, DistError) or "gloo" in str(error):
            raise DcrnetError(
                "training stopped: the process of another device ended, or cannot be reached; its"
                f" own message says why: {remedy()}"
            ) from error
        raise


@contextmanager
def told_by_signal(folder: Path) -> Generator[None, None, None]:
    """Turn a SIGINT, or a SIGTERM that raises, into one line and the exit code of a shell.

    Args:
        folder: the run's.

    Raises:
        RunEndedError: a signal came.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        by = signal_behind(error)
        if by is None:
            raise
        raise RunEndedError(by, how_to_go_on(folder)) from error


def how_to_go_on(folder: Path) -> str:
    """What to do about a run in a folder that ended early."""
    if (folder / RESUME_NAME).is_file():
        return f"{resume_command(folder)} goes on from the last resume point"
    return "start it again, since it had not reached its first resume point"


def _out_of_memory(remedy: str) -> DcrnetError:
    return DcrnetError(
        "training stopped for want of memory: a new run with a smaller `batch_size` or `size`"
        f" needs less; where other programs took it, end them and {remedy}"
    )
