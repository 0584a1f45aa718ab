"""Outputs of the live loop, any number at a time; docs/outputs.md says what each one holds.

>>> plan = OutputPlan.of(FrameFacts(model.card.labels), jsonl="faces.jsonl", serve="8080")
>>> publisher = open_publisher(plan)
>>> publisher.publish(observation)  # an Observation of the live loop
>>> publisher.close()
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.deprecation import renamed

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.plan import OutputPlan
    from dcrnet_runtime.outputs.publisher import Publisher, open_publisher
    from dcrnet_runtime.outputs.spec import FrameFacts, OutputContext, OutputSpec
    from dcrnet_runtime.video.feed import Feed

__all__ = [
    "Feed",
    "FrameFacts",
    "OutputContext",
    "OutputPlan",
    "OutputSpec",
    "Publisher",
    "open_publisher",
]

_HOMES = {
    "Feed": "video.feed",
    "FrameFacts": "outputs.spec",
    "OutputContext": "outputs.spec",
    "OutputPlan": "outputs.plan",
    "OutputSpec": "outputs.spec",
    "Publisher": "outputs.publisher",
    "open_publisher": "outputs.publisher",
}
_FACTS = ("labels", "feed", "fps", "inputs")


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that a command's --help does not wait for OpenCV.
    if name == "OutputOptions":
        return _output_options
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dcrnet_runtime.{_HOMES[name]}"), name)


def _output_options(**options: Any) -> OutputPlan:
    """What ``OutputOptions(...)`` made, as a plan."""
    from dcrnet_runtime.outputs.plan import OutputPlan
    from dcrnet_runtime.outputs.spec import FrameFacts

    new = "OutputPlan.of(FrameFacts(...), ...), with window=True called show=True"
    warnings.warn(renamed("OutputOptions", new), DeprecationWarning, stacklevel=2)
    facts = FrameFacts(**{name: options.pop(name) for name in _FACTS if name in options})
    if "window" in options:
        options["show"] = options.pop("window")
    return OutputPlan.of(facts, **options)
