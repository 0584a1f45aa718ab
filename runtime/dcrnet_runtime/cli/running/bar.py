"""The bar of a run, where one is of use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dcrnet_runtime.outputs.plan import OutputPlan

if TYPE_CHECKING:
    from dcrnet_runtime.cli.progress import ShowsProgress

ADVICE = "the face must be upright and at least a twentieth of the picture"
"""What is to be said where no face was found."""

SHORT_S = 1.0
"""What takes no longer needs no bar."""


def run_bar(what: str, plan: OutputPlan) -> ShowsProgress:
    """A bar for what takes long and ends, unless lines of results are on the same terminal."""
    is_shared = sys.stdout is not None and sys.stdout.isatty() and plan.uses_standard_output
    if plan.facts.is_live or is_shared or not sys.stderr.isatty():
        return lambda done, total, counts="": None
    from dcrnet_runtime.cli.progress import progress_bar

    return progress_bar(what, after_s=SHORT_S)
