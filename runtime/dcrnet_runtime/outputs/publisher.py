"""Gives each observation to every output."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.output import Output
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.spec import OutputContext
from dcrnet_runtime.outputs.worker import Worker

PATIENCE_S = 60.0
"""How long a run goes on while every output fails."""

_log = logging.getLogger(__name__)


class OutputFailedError(DcrnetError):
    """An output is not whole.

    Attributes:
        is_told: whether it was logged when it occurred, and there is nothing to add.
    """

    def __init__(self, message: str, *, is_told: bool) -> None:
        super().__init__(message)
        self.is_told = is_told


class Publisher:
    """Any number of outputs as one, which the loop never waits for while its source is live.

    An output that ends before the loop does is logged once.

    Args:
        outputs: which ones.
        failures: where to count.

    Attributes:
        failures: observations that were lost or could not be written, by output; goes on
            counting.
    """

    def __init__(self, outputs: Sequence[Output], failures: dict[str, int] | None = None) -> None:
        self.failures = {} if failures is None else failures
        self._outputs = outputs
        self._told: set[str] = set()
        self._count()

    @property
    def wants_stop(self) -> bool:
        """Whether the window was closed, the reader of standard output has left, or no output
        works: each has ended, or has failed for ``PATIENCE_S``.
        """
        return any(output.wants_stop for output in self._outputs) or self._is_in_vain

    @property
    def _is_in_vain(self) -> bool:
        late_s = time.monotonic() - PATIENCE_S
        return bool(self._outputs) and all(
            output.error is not None
            or (output.failing is not None and output.failing.since_s < late_s)
            for output in self._outputs
        )

    def publish(self, observation: Observation) -> None:
        """Hand an observation to every output; never raises.

        Of a live source it never waits; of a recording it waits for outputs that must not lose
        a frame.
        """
        for output in self._outputs:
            output.offer(observation, observation.captured_unix_s)
        self._count()
        for output in self._outputs:
            if output.error is not None and output.name not in self._told:
                self._told.add(output.name)
                _log.warning("output %s has ended: %s", output.name, output.error)

    def positions(self) -> dict[str, int] | None:
        """How far each file goes once all that was published is written, by the output's name.

        None where one of the outputs holds something back, has failed, or cannot be resumed.
        """
        told = {o.name: o.position() for o in self._outputs if isinstance(o, Worker)}
        known = {name: position for name, position in told.items() if position is not None}
        return known if len(known) == len(self._outputs) else None

    @property
    def has_failed(self) -> bool:
        """Whether an output has ended, so that it is not whole."""
        return any(output.error is not None for output in self._outputs)

    def close(self) -> None:
        """Finish the outputs in order.

        Raises:
            OutputFailedError: an output is not whole; all have been closed.
        """
        is_in_vain = self._is_in_vain
        for output in self._outputs:
            output.close()
        self._count()
        ended = {output.name: output.error for output in self._outputs if output.error}
        failing = {o.name: o.failing.why for o in self._outputs if o.failing and not o.error}
        untold = {name: why for name, why in ended.items() if name not in self._told} | failing
        problems = untold or ended
        if problems:
            listed = "; ".join(f"{name}: {why}" for name, why in problems.items())
            waited = (
                f"no output has worked for {PATIENCE_S:.0f} s: " if is_in_vain and failing else ""
            )
            raise OutputFailedError(waited + listed, is_told=not untold)

    def _count(self) -> None:
        self.failures.update({output.name: output.failures for output in self._outputs})


def open_publisher(
    plan: OutputPlan,
    is_stopping: Callable[[], bool] = lambda: False,
    positions: Mapping[str, int] | None = None,
) -> Publisher:
    """Open every output that is asked for.

    Args:
        plan: which ones.
        is_stopping: whether the run is being stopped: then no output is waited for long.
        positions: where the files go on of a run that can be resumed, by the outputs' names.

    Raises:
        DcrnetError: one cannot be opened, or its extra is missing; those opened are closed, and
            have replaced nothing.
    """
    plan.check()
    failures: dict[str, int] = {}
    context = OutputContext(
        plan.facts, plan.blur_faces, is_stopping, failures, plan.model, positions
    )
    opened: list[Output] = []
    try:
        opened.extend(spec.open(context) for spec in plan.wanted)
    except DcrnetError:
        for output in opened:
            output.close()
        raise
    return Publisher(opened, failures)
