"""The old place of :mod:`dcrnet_runtime.outputs`."""

from __future__ import annotations

import warnings
from typing import Any

from dcrnet_runtime.deprecation import renamed
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.publisher import Publisher, open_publisher
from dcrnet_runtime.outputs.spec import FrameFacts
from dcrnet_runtime.video.feed import Feed

__all__ = ["Feed", "Publisher", "SinkOptions", "open_publisher"]

_FACTS = ("labels", "feed", "fps", "inputs")

warnings.warn(renamed(__name__, "dcrnet_runtime.outputs"), DeprecationWarning, stacklevel=2)


def SinkOptions(**options: Any) -> OutputPlan:  # noqa: N802  # it was a class
    """What the class of this name held, as a plan."""
    new = "OutputPlan.of(FrameFacts(...), ...), with window=True called show=True"
    warnings.warn(renamed("SinkOptions", new), DeprecationWarning, stacklevel=2)
    facts = FrameFacts(**{name: options.pop(name) for name in _FACTS if name in options})
    if "window" in options:
        options["show"] = options.pop("window")
    return OutputPlan.of(facts, **options)
