"""A cluster that Ray runs: parts are rows of a Ray Data set, workers its actors."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dcrnet_runtime.archive.cluster.part_file import PartDone
from dcrnet_runtime.archive.cluster.part_worker import PartWork, PartWorker, part_row
from dcrnet_runtime.archive.cluster.photo_list import PhotoPart
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command

_HERE = "local"
_PATIENCE_S = 5.0


class RayCluster:
    """Machines that Ray has joined; :func:`ray_cluster` gives one.

    A worker fetches its photos by itself. There are no other tasks, that is, whose turn would
    never come where workers have all CPUs.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self.cpus = int(ray.cluster_resources().get("CPU", 0))

    def done(
        self, work: PartWork, parts: Sequence[PhotoPart], workers: int
    ) -> Generator[PartDone, None, None]:
        """See :meth:`dcrnet_runtime.archive.cluster.cluster.Cluster.done`."""
        data = self._ray.data
        rows = data.from_items([part_row(part) for part in parts], override_num_blocks=len(parts))
        # Not of a fixed size: a worker whose machine is lost waits for a CPU of those that are
        # left, which it is given when one of the others has nothing more to do.
        pool = data.ActorPoolStrategy(
            min_size=1, initial_size=workers, max_size=workers, max_tasks_in_flight_per_actor=2
        )
        answered = rows.map(
            PartWorker,
            fn_constructor_args=(work,),
            compute=pool,
            num_cpus=1,
        )  # Ray Data tries the parts of a lost worker again by itself
        try:
            for row in answered.iter_rows():
                yield PartDone.from_text(row["done"])
        except self._ray.exceptions.RayError as error:
            raise DcrnetError(
                f"the cluster has ended the work ({_first_line(error)}): parts that were written"
                " are whole; give `resume` to go on"
            ) from error


@contextmanager
def ray_cluster(address: str) -> Iterator[RayCluster]:
    """A cluster for as long as it is needed.

    Args:
        address: ``HOST:PORT``, ``ray://HOST:PORT`` or ``auto`` as Ray has them; empty for what
            ``RAY_ADDRESS`` says, and without that for one of this machine alone, which is ended
            afterwards.

    Raises:
        DcrnetError: Ray is not installed, or no cluster answers there.
    """
    address = address or os.environ.get("RAY_ADDRESS", "") or _HERE
    if address != _HERE:
        ray = _ray()
        _knock(address)
        with _joined(ray, address) as cluster:
            yield cluster
        return
    # Only what is told before the import keeps Ray's ports off the network, on Linux too.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    ray = _ray()
    # Ray's logs and what it swaps out: nobody else's to read, and gone afterwards. It opens its
    # own folder to all, which the one around that does not.
    with (
        tempfile.TemporaryDirectory(
            prefix="dcrnet-ray-", dir=_short_temporary(), ignore_cleanup_errors=True
        ) as own,
        _joined(ray, address, include_dashboard=False, _temp_dir=f"{own}/r") as cluster,
    ):
        yield cluster


@contextmanager
def _joined(ray: Any, address: str, **own: Any) -> Iterator[RayCluster]:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise _unreachable(address, _first_line(error)) from error
    try:
        _silence(ray)
        yield RayCluster(ray)
    finally:
        ray.shutdown()


def _short_temporary() -> str | None:
    """A folder for temporary ones with short names: those of sockets in them have a limit."""
    return "/tmp" if os.name == "posix" else None


def _ray() -> Any:
    # Before it is imported, when it would begin to count: nothing is reported to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise DcrnetError(f"`engine` ray needs Ray: {extra_command('ray')}") from error
    return ray


def _knock(address: str) -> None:
    """Find out within seconds whether anybody is there, for which Ray takes minutes.

    Raises:
        DcrnetError: nobody is.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, getattr(error, "strerror", None) or str(error)) from error


def _unreachable(address: str, why: str) -> DcrnetError:
    return DcrnetError(
        f"no Ray cluster answers at {address} ({why}): start one by `ray start --head`, and give"
        " its address by `ray_address` or RAY_ADDRESS"
    )


def _silence(ray: Any) -> None:
    """Leave the terminal to our own bar and errors."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
