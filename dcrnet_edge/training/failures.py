"""What stops a run from outside, as one line that says how to go on."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.distributed import DistError

from dcrnet_edge.training.callbacks.resume_point import RESUME_NAME, resume_command
from dcrnet_edge.training.module import TrainingStopError
from dcrnet_runtime.errors import DcrnetError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def explained(folder: Path) -> Generator[None, None, None]:
    """Turn what can happen to a long run into one line that says how to go on.

    Args:
        folder: the run's.

    Raises:
        DcrnetError: the run was told to end, the disk is full, an image cannot be read any more,
            or a loading process or another device's was killed.
    """
    command = resume_command(folder)

    def remedy() -> str:
        if (folder / RESUME_NAME).is_file():
            return f"{command} goes on from the last resume point"
        return "start it again, since it had not reached its first resume point"

    try:
        yield
    except TrainingStopError:
        raise
    except SIGTERMException as error:  # outside of an epoch's batches
        raise TrainingStopError(f"training was told to end (SIGTERM): {remedy()}") from error
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


def _out_of_memory(remedy: str) -> DcrnetError:
    return DcrnetError(
        "training stopped for want of memory: a new run with a smaller `batch_size` or `size`"
        f" needs less; where other programs took it, end them and {remedy}"
    )
