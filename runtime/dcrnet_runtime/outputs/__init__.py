"""Outputs of the live loop, any number at a time; docs/outputs.md says what each one holds.

>>> options = OutputOptions(jsonl="faces.jsonl", serve="8080", labels=model.card.labels)
>>> publisher = open_publisher(options)
>>> publisher.publish(observation)  # an Observation of the live loop
>>> publisher.close()
"""

from __future__ import annotations

from dcrnet_runtime.outputs.options import OutputOptions
from dcrnet_runtime.outputs.publisher import Publisher, open_publisher
from dcrnet_runtime.video.feed import Feed

__all__ = ["Feed", "OutputOptions", "Publisher", "open_publisher"]
