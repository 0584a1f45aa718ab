"""Outputs of the live loop, any number at a time; docs/outputs.md says what each one holds.

>>> plan = OutputPlan.of(FrameFacts(model.card.labels), jsonl="faces.jsonl", serve="8080")
>>> publisher = open_publisher(plan)
>>> publisher.publish(observation)  # an Observation of the live loop
>>> publisher.close()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that a command's --help does not wait for OpenCV.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dcrnet_runtime.{_HOMES[name]}"), name)
