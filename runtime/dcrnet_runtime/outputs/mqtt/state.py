"""State messages to an MQTT broker, which may be slow, away or gone without holding the loop."""

from __future__ import annotations

import json
import logging
import secrets
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.mqtt.broker import Broker
from dcrnet_runtime.outputs.mqtt.discovery import discovery_messages
from dcrnet_runtime.outputs.record import observation_record

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

_log = logging.getLogger(__name__)
_STEADY_S, _CHANGED_S = 1.0, 0.1
_GRACE_S = 2.0
_KEEPALIVE_S = 30


class MqttState:
    """Publishes the newest observation as JSON below the broker's topic.

    ``TOPIC/state`` gets one a second, and one at once (at most ten a second) when faces come,
    go or change their label. ``TOPIC/status`` is ``online``, or ``offline`` by the broker's own
    hand when this program vanishes. While the broker is away, messages are lost and counted.

    Args:
        broker: where to publish.
        labels: the model's, for Home Assistant.
        has_discovery: whether Home Assistant is told what there is.

    Raises:
        DcrnetError: the ``mqtt`` extra is missing.
    """

    name = "mqtt"
    wants_stop = False
    error: str | None = None

    def __init__(self, broker: Broker, labels: tuple[str, ...], *, has_discovery: bool) -> None:
        self.failures = 0
        self._broker = broker
        self._status_topic = f"{broker.topic}/status"
        self._discovery = discovery_messages(broker.topic, labels) if has_discovery else {}
        self._is_connected = False
        self._is_away_told = False
        self._said: object = None
        self._said_s = float("-inf")
        self._in_flight: MQTTMessageInfo | None = None
        self._client = self._start()

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Publish the state, if it is time to."""
        now_s = time.monotonic()
        saying = [(face.track_id, face.label) for face in observation.faces]
        if now_s - self._said_s < (_STEADY_S if saying == self._said else _CHANGED_S):
            return
        self._said_s = now_s
        if not self._is_connected or not self._has_sent():
            self.failures += 1
            return
        self._said = saying
        payload = json.dumps(observation_record(observation, unix_s))
        self._in_flight = self._client.publish(f"{self._broker.topic}/state", payload)

    def close(self) -> None:
        """Say ``offline`` and leave; a broker that does not listen is left at once."""
        if self._is_connected:
            last = self._client.publish(self._status_topic, "offline", retain=True)
            with suppress(RuntimeError, ValueError):
                last.wait_for_publish(_GRACE_S)
        self._client.disconnect()
        leaving = Thread(target=self._client.loop_stop, daemon=True)
        leaving.start()
        leaving.join(_GRACE_S)

    def _start(self) -> Client:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise DcrnetError(f"`mqtt` needs paho-mqtt: {extra_command('mqtt')}") from error
        broker = self._broker
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"dcrnet-{secrets.token_hex(4)}")
        client.will_set(self._status_topic, "offline", retain=True)
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.is_encrypted:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.reconnect_delay_set(1, 60)
        client.connect_async(broker.host, broker.port, keepalive=_KEEPALIVE_S)
        client.loop_start()
        return client

    def _has_sent(self) -> bool:
        """Whether the last message has left: a slow broker gets no second one behind it."""
        last = self._in_flight
        return last is None or last.rc != 0 or last.is_published()

    # What follows is called in paho's thread.

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, __: Any) -> None:
        if reason.is_failure:
            self._tell_away(str(reason))
            return
        for topic, payload in self._discovery.items():
            client.publish(topic, payload, retain=True)
        client.publish(self._status_topic, "online", retain=True)
        if self._is_away_told:
            _log.warning("MQTT broker %s is there", self._broker)
        self._is_away_told = False
        self._is_connected = True

    def _on_disconnect(self, client: Client, _: Any, flags: Any, reason: Any, __: Any) -> None:
        self._is_connected = False
        if reason.is_failure:
            self._tell_away(str(reason))

    def _on_connect_fail(self, client: Client, _: Any) -> None:
        self._tell_away("no connection")

    def _tell_away(self, why: str) -> None:
        if not self._is_away_told:
            _log.warning("MQTT broker %s is away (%s): trying on", self._broker, why)
        self._is_away_told = True
