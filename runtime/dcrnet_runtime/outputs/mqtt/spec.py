"""The options of MQTT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.mqtt.broker import Broker
from dcrnet_runtime.outputs.spec import PANEL, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output


@dataclass(frozen=True, slots=True)
class MqttSpec(OutputSpec):
    """State messages to a broker.

    Attributes:
        mqtt: the broker's URL, empty for none.
        mqtt_discovery: tell Home Assistant.
    """

    takes_pixels: ClassVar[bool] = False

    mqtt: Annotated[
        str,
        typer.Option(
            help="Broker, such as mqtt://hub.local/kitchen, or mqtts:// for TLS.",
            metavar="URL",
            rich_help_panel=PANEL,
        ),
    ] = ""
    mqtt_discovery: Annotated[
        bool,
        typer.Option(
            "--mqtt-discovery",
            help="Let Home Assistant make sensors of it.",
            rich_help_panel=PANEL,
        ),
    ] = False

    @property
    def is_wanted(self) -> bool:
        return bool(self.mqtt)

    def check(self) -> None:
        if self.mqtt:
            Broker.parse(self.mqtt)
        elif self.mqtt_discovery:
            raise DcrnetError("`mqtt_discovery` needs a broker: `mqtt` mqtt://HOST")

    def sent(self, faces: str) -> str:
        broker = Broker.parse(self.mqtt)
        how = "encrypted" if broker.is_encrypted else "in the clear"
        return f"expressions to MQTT broker {broker} {how}"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.mqtt.state import MqttState

        labels = context.facts.labels
        return MqttState(Broker.parse(self.mqtt), labels, has_discovery=self.mqtt_discovery)
