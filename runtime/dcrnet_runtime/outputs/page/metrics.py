"""Prometheus metrics of the live loop."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from dcrnet_runtime.observation import Counters
from dcrnet_runtime.outputs.page.newest import Newest
from dcrnet_runtime.version import __version__


def exposition(newest: Newest) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Loop(newest))
    return generate_latest(registry)


class _Loop(Collector):
    def __init__(self, newest: Newest) -> None:
        self._newest = newest

    def collect(self) -> Iterator[Metric]:
        newest = self._newest
        build = GaugeMetricFamily(
            "dcrnet_build_info", "What serves these metrics.", labels=["version", "python"]
        )
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
        observation = newest.observation
        counters = observation.counters if observation else Counters()
        for name, what, value in (
            ("dcrnet_frames", "Frames observed.", counters.frames),
            ("dcrnet_frames_dropped", "Frames overtaken by a newer one.", counters.dropped),
            ("dcrnet_frames_broken", "Frames that could not be decoded.", counters.broken),
            ("dcrnet_source_reconnects", "Times the source was reopened.", counters.reconnects),
        ):
            yield CounterMetricFamily(name, what, value)
        failures = CounterMetricFamily(
            "dcrnet_output_failures", "Observations an output lost.", labels=["output"]
        )
        for output, count in {**counters.failures, **newest.failures}.items():
            failures.add_metric([output], count)
        yield failures
        yield GaugeMetricFamily(
            "dcrnet_faces",
            "Faces in the newest frame.",
            len(observation.faces) if observation else 0,
        )
        yield GaugeMetricFamily(
            "dcrnet_faces_uncertain",
            "Faces in the newest frame whose label is less probable than was asked for.",
            observation.uncertain if observation else 0,
        )
        stages = SummaryMetricFamily(
            "dcrnet_stage_seconds", "Time a frame takes in each stage.", labels=["stage"]
        )
        for stage, total_s in list(newest.stage_s.items()):
            stages.add_metric([str(stage)], newest.sequence, total_s)
        yield stages
        yield SummaryMetricFamily(
            "dcrnet_delay_seconds",
            "From a frame's capture to the end of inference.",
            newest.sequence,
            newest.delay_s,
        )
        if newest.age_s is not None:
            yield GaugeMetricFamily(
                "dcrnet_newest_frame_age_seconds", "Since the newest frame.", newest.age_s
            )
