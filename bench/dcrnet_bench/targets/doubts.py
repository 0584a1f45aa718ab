"""What limits the figures of a run, in words."""

from __future__ import annotations

from collections.abc import Iterable

from dcrnet_bench.host.preflight import Doubt, Preflight
from dcrnet_bench.report.report import RunFacts
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command


def require_quiet(found: Iterable[Doubt]) -> None:
    """Refuse a host whose figures would be doubtful.

    Raises:
        DcrnetError: it is busy, throttled, charging or emulated.
    """
    reasons = [doubt.text for doubt in found if doubt.is_disquieting]
    if reasons:
        raise DcrnetError(f"`require_quiet_host`: {'; '.join(reasons)}")


def doubts(run: RunFacts, preflight: Preflight) -> list[str]:
    """One line for each circumstance that makes the figures less than they seem."""
    found = [doubt.text for doubt in preflight.doubts]
    if run.protocol in (Protocol.QUICK, Protocol.RUNS):
        found.append(
            "fewer samples than the protocol's 1,024 and 60 s: for a look, not to be published"
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
