"""Gives each observation to every output."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.output import Output
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.spec import OutputContext


class Publisher:
    """Any number of outputs as one, which the loop never waits for while its source is live.

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
        self._count()

    @property
    def wants_stop(self) -> bool:
        """Whether the window was closed, or the reader of standard output has left."""
        return any(output.wants_stop for output in self._outputs)

    def publish(self, observation: Observation) -> None:
        """Hand an observation to every output; never raises.

        Of a live source it never waits; of a recording it waits for outputs that must not lose
        a frame.
        """
        unix_s = time.time() - observation.delay_ms / 1000
        for output in self._outputs:
            output.offer(observation, unix_s)
        self._count()

    def close(self) -> None:
        """Finish the outputs in order.

        Raises:
            DcrnetError: an output is not whole; all have been closed.
        """
        for output in self._outputs:
            output.close()
        self._count()
        errors = [f"{output.name}: {output.error}" for output in self._outputs if output.error]
        if errors:
            raise DcrnetError("; ".join(errors))

    def _count(self) -> None:
        self.failures.update({output.name: output.failures for output in self._outputs})


def open_publisher(plan: OutputPlan, is_stopping: Callable[[], bool] = lambda: False) -> Publisher:
    """Open every output that is asked for.

    Args:
        plan: which ones.
        is_stopping: whether the run is being stopped: then no output is waited for long.

    Raises:
        DcrnetError: one cannot be opened, or its extra is missing; those opened are closed, and
            have replaced nothing.
    """
    plan.check()
    failures: dict[str, int] = {}
    context = OutputContext(plan.facts, plan.blur_faces, is_stopping, failures)
    opened: list[Output] = []
    try:
        opened.extend(spec.open(context) for spec in plan.wanted)
    except DcrnetError:
        for output in opened:
            output.close()
        raise
    return Publisher(opened, failures)
