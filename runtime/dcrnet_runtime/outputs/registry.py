"""The outputs that there are."""

from __future__ import annotations

from dcrnet_runtime.outputs.explanation.spec import ExplainSpec
from dcrnet_runtime.outputs.lines.specs import CsvSpec, JsonLinesSpec
from dcrnet_runtime.outputs.mqtt.spec import MqttSpec
from dcrnet_runtime.outputs.page.spec import PageSpec
from dcrnet_runtime.outputs.pictures.specs import SaveSpec, WindowSpec
from dcrnet_runtime.outputs.spec import OutputSpec
from dcrnet_runtime.outputs.tables.parts_spec import PartsSpec
from dcrnet_runtime.outputs.tables.specs import FeaturesSpec, ParquetSpec

OUTPUTS: list[type[OutputSpec]] = [
    JsonLinesSpec,
    CsvSpec,
    ParquetSpec,
    PartsSpec,
    FeaturesSpec,
    SaveSpec,
    ExplainSpec,
    WindowSpec,
    MqttSpec,
    PageSpec,
]
"""In the order of their options in a command's help."""


def register(spec: type[OutputSpec]) -> None:
    """Add an output."""
    OUTPUTS.append(spec)
