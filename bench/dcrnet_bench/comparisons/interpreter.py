"""Work done in a rival's own interpreter, which has not installed this project."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import dcrnet_bench
import dcrnet_runtime
from dcrnet_runtime.errors import DcrnetError

_BOOTSTRAP = Path(__file__).parent / "workers" / "bootstrap.py"
_LIMIT_S = 3600.0

LIMITS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""Variables that hold a worker to a number of threads."""


def run_worker(
    python: Path,
    worker: str,
    arguments: Sequence[object],
    *,
    rival: str,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> str:
    """The last line that a worker prints.

    Args:
        python: the interpreter. A link is not resolved: an environment's must keep its name.
        worker: a module of ``dcrnet_bench.comparisons.workers``.
        arguments: of it.
        rival: whom it runs, for people.
        environment: variables besides this process's.
        prefix: put before the command, such as ``nice -n -5``.

    Raises:
        DcrnetError: it failed, has the last line that it said; or it does not end.
    """
    command = [*map(str, [*prefix, *_command(python, worker), *arguments])]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except OSError as error:
        raise DcrnetError(
            f"{command[0]} cannot be run ({error.strerror}): name a program that is there"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DcrnetError(f"{rival} in {python} has not ended in an hour: try less") from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        said = (done.stderr.strip() or "nothing said").splitlines()[-1]
        raise DcrnetError(f"{rival} failed in {python} with code {done.returncode}: {said}")
    return lines[-1]


def named_interpreters(named: Sequence[str], competitors: Collection[str]) -> dict[str, Path]:
    """The interpreters of ``NAME=FILE``, by the competitor's name.

    Args:
        named: as an option has them.
        competitors: that there are.

    Raises:
        DcrnetError: there is no such competitor, or no such file.
    """
    found = {}
    for each in named:
        name, _, file = each.partition("=")
        if name not in competitors:
            raise DcrnetError(
                f"`python` {each}: no competitor is called {name}: name one of"
                f" {', '.join(sorted(competitors))} as NAME=FILE"
            )
        if not Path(file).is_file():
            raise DcrnetError(f"`python` {each}: there is no file {file}: name an interpreter")
        found[name] = Path(file)
    return found


def _command(python: Path, worker: str) -> list[Path | str]:
    folders = {each.__name__: each.__path__[0] for each in (dcrnet_bench, dcrnet_runtime)}
    module = f"dcrnet_bench.comparisons.workers.{worker}"
    return [python, _BOOTSTRAP, json.dumps(folders), module]
