"""What is asked of a cluster, whichever engine runs it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from dcrnet_runtime.archive.cluster.part_file import PartDone
from dcrnet_runtime.archive.cluster.part_worker import PartWork
from dcrnet_runtime.archive.cluster.photo_list import PhotoPart
from dcrnet_runtime.errors import DcrnetError


class Cluster(Protocol):
    """Machines that answer parts.

    Attributes:
        cpus: that they have together, for workers.
    """

    cpus: int

    def done(
        self, work: PartWork, parts: Sequence[PhotoPart], workers: int
    ) -> Generator[PartDone, None, None]:
        """What is said of each part once it is written, in any order.

        What a machine had in work that is lost is done again by another.

        Args:
            work: what to do with them.
            parts: to be answered.
            workers: how many do so, each with a CPU.

        Raises:
            DcrnetError: they cannot be answered.
        """
        ...


def cluster_workers(asked: str, cpus: int) -> int:
    """How many workers a cluster is to have.

    Args:
        asked: a number, or ``auto`` for one a CPU.
        cpus: of the cluster.

    Raises:
        DcrnetError: it is neither, or more than would ever be started.
    """
    if asked == "auto":
        return max(1, cpus)
    if not asked.isdecimal() or int(asked) < 1:
        raise DcrnetError(f"`workers` {asked} is no number of workers: give auto, or 1 to {cpus}")
    if int(asked) > cpus:
        raise DcrnetError(
            f"the cluster has {cpus} CPUs and each worker takes one, so that of `workers`"
            f" {asked} some would wait for ever: give at most {cpus}"
        )
    return int(asked)
