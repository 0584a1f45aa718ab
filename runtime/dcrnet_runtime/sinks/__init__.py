"""Outputs of the live loop, any number at a time; docs/outputs.md says what each one holds.

>>> options = SinkOptions(jsonl="faces.jsonl", serve="8080", labels=model.card.labels)
>>> publisher = open_publisher(options)
>>> publisher.publish(observation)  # an Observation of the live loop
>>> publisher.close()
"""

from __future__ import annotations

from dcrnet_runtime.sinks.options import Feed, SinkOptions
from dcrnet_runtime.sinks.publisher import Publisher, open_publisher

__all__ = ["Feed", "Publisher", "SinkOptions", "open_publisher"]
