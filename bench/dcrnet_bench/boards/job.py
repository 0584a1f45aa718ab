"""Long work on a board, which goes on when the connection does not."""

from __future__ import annotations

import shlex
import time

from dcrnet_bench.boards.workspace import ENDED_BY_LIMIT, Workspace, detached
from dcrnet_runtime.errors import DcrnetError

_LOOK_S = 10
_GRACE_S = 120.0
_TOLD_LINES = 40


def run_job(place: Workspace, name: str, script: str, *, what: str, limit_s: float) -> str:
    """Run a shell script in the workspace to its end, whatever becomes of the connection.

    Args:
        place: where.
        name: of the job, another for each.
        script: a line ``error: `` of it is the error here.
        what: it does, for people.
        limit_s: it is ended then, by the board.

    Returns:
        the last lines that it said.

    Raises:
        DcrnetError: it failed or did not end in time, or the board is lost.
    """
    text = f"( {script}\n) </dev/null >said 2>&1\necho $? >code.new\nmv code.new {name}.code\n"
    minutes = max(1, round(limit_s / 60))
    place.run(
        f"if [ ! -e {name}.started ]; then rm -f job.*; fi; echo {minutes} >limit;"
        f" printf '%s' {shlex.quote(text)} >{name}.sh; {detached(name, 'job')}"
    )
    code = _wait(place, name, what, limit_s)
    said = place.run(f"tail -n {_TOLD_LINES} said")
    if code == ENDED_BY_LIMIT:
        raise _too_long(what, limit_s)
    if code:
        raise DcrnetError(_complaint(said.splitlines(), what))
    return said


def _wait(place: Workspace, name: str, what: str, limit_s: float) -> int:
    ends_s = time.monotonic() + limit_s + _GRACE_S
    look = (
        f"i=0; while [ ! -e {name}.code ] && [ ! -e ended ] && [ $i -lt {_LOOK_S} ];"
        f" do sleep 1; i=$((i+1)); done; cat {name}.code ended 2>/dev/null; true"
    )
    while time.monotonic() < ends_s:
        code = place.run(look, _LOOK_S + 60.0).split()
        if code:
            return int(code[0])
    raise _too_long(what, limit_s)


def _too_long(what: str, limit_s: float) -> DcrnetError:
    return DcrnetError(f"{what} did not end in {limit_s / 60:.0f} minutes: ask for less")


def _complaint(said: list[str], what: str) -> str:
    lines = [line for line in said if line.strip()]
    own = [line for line in lines if line.startswith("error: ")]
    if own:
        return own[-1].removeprefix("error: ")
    return f"{what} failed: {lines[-1].strip() if lines else 'it said nothing'}"
