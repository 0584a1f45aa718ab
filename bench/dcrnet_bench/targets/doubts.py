"""What limits the figures of a run, in words."""

from __future__ import annotations

from dcrnet_bench.host.facts import Host
from dcrnet_bench.host.load import busy_warning
from dcrnet_bench.report import RunFacts
from dcrnet_runtime.installation import extra_command


def doubts(run: RunFacts, host: Host) -> list[str]:
    """One line for each circumstance that makes the figures less than they seem."""
    found = []
    busy = busy_warning(run.load_before, host.cores)
    if busy:
        found.append(busy)
    if host.emulator:
        found.append(
            f"this {host.machine} is emulated by {host.emulator}: its times are no latency of"
            " any machine; measure on the board itself"
        )
    if not run.is_steady:
        found.append(
            f"times had not settled after {run.warm_up_rounds} rounds of warm-up: something"
            " else runs, or the clock is throttled"
        )
    if run.face_count == 0:
        found.append(
            "the detector saw no face, so its row is of an empty frame, and the other stages work"
            f" on a fixed box: {extra_command('demo')}, or name an image of a face as the"
            " source"
        )
    return found
