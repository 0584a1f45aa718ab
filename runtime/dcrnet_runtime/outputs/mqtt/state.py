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
from dcrnet_runtime.outputs.log_limit import OncePerInterval
from dcrnet_runtime.outputs.mqtt.broker import Broker
from dcrnet_runtime.outputs.mqtt.discovery import discovery_messages
from dcrnet_runtime.outputs.output import Failing
from dcrnet_runtime.outputs.record import observation_record

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessageInfo

    from dcrnet_runtime.outputs.mqtt.client import BoundedClient

_log = logging.getLogger(__name__)
_log.addFilter(OncePerInterval())
_STEADY_S, _CHANGED_S = 1.0, 0.1
_GRACE_S = 2.0
_SILENT_S = 10
_SILENT = f"it has not answered for {_SILENT_S} s"
_CREDENTIALS = (
    "it refuses the user or password: give both in `mqtt`, or in DCRNET_MQTT_USERNAME and"
    " DCRNET_MQTT_PASSWORD"
)
_BAD_CREDENTIALS = (0x86, 0x87)  # "bad user name or password", "not authorized"


class MqttState:
    """Publishes the newest observation as JSON below the broker's topic.

    ``TOPIC/state`` gets one a second, and one at once (at most ten a second) when faces come,
    go or change their label. ``TOPIC/status`` is ``online``, or ``offline`` by the broker's own
    hand when this program vanishes. Each message waits for the acknowledgement of the one before;
    one that was due while the broker is away, or has not answered for a second, is lost and
    counted.

    Args:
        broker: where to publish.
        labels: the model's, for Home Assistant.
        has_discovery: whether Home Assistant is told what there is.

    Raises:
        DcrnetError: the ``mqtt`` extra is missing, or the system's certificate authorities
            cannot be read.
    """

    name = "mqtt"
    wants_stop = False
    error: str | None = None
    failing: Failing | None = None  # a broker that is away is waited for

    def __init__(self, broker: Broker, labels: tuple[str, ...], *, has_discovery: bool) -> None:
        self.failures = 0
        self._broker = broker
        self._status_topic = f"{broker.topic}/status"
        self._discovery = discovery_messages(broker.topic, labels) if has_discovery else {}
        self._is_connected = False
        self._away_because = ""
        self._said: object = None
        self._said_s = self._sent_s = float("-inf")
        self._in_flight: MQTTMessageInfo | None = None
        self._client = self._start()

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Publish the state, if it is time to."""
        now_s = time.monotonic()
        saying = [(face.track_id, face.label) for face in observation.faces]
        if now_s - self._said_s < (_STEADY_S if saying == self._said else _CHANGED_S):
            return
        is_behind = self._is_connected and not self._has_sent()
        if is_behind and now_s - self._sent_s < _STEADY_S:
            return  # under way: the next frame will say what has changed
        self._said, self._said_s = saying, now_s
        if is_behind and now_s - self._sent_s > _SILENT_S:
            self._tell_away(_SILENT)  # before paho does, which asks once more and waits
        if is_behind or not self._is_connected:
            self.failures += 1
            return
        self._sent_s = now_s
        payload = json.dumps(observation_record(observation, unix_s))
        self._in_flight = self._client.publish(f"{self._broker.topic}/state", payload, qos=1)

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

    def _start(self) -> BoundedClient:
        try:
            from dcrnet_runtime.outputs.mqtt.client import BoundedClient
        except ImportError as error:
            raise DcrnetError(f"`mqtt` needs paho-mqtt: {extra_command('mqtt')}") from error
        broker = self._broker
        client = BoundedClient(client_id=f"dcrnet-{secrets.token_hex(4)}")
        client.will_set(self._status_topic, "offline", retain=True)
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.is_encrypted:
            try:
                client.tls_set()
            except OSError as error:  # ssl's own is one
                raise DcrnetError(
                    f"the certificate authorities cannot be read ({error}): does SSL_CERT_FILE"
                    " name a PEM file?"
                ) from error
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.reconnect_delay_set(1, 60)
        client.connect_async(broker.host, broker.port, keepalive=_SILENT_S)
        client.loop_start()
        return client

    def _has_sent(self) -> bool:
        """Whether the broker has the last message: a slow one gets no second one behind it."""
        last = self._in_flight
        return last is None or last.rc != 0 or last.is_published()

    # What follows is called in paho's thread.

    def _on_connect(self, client: Any, _: Any, flags: Any, reason: Any, __: Any) -> None:
        if reason.is_failure:
            is_known = reason.value in _BAD_CREDENTIALS
            self._tell_away(_CREDENTIALS if is_known else str(reason).lower())
            return
        for topic, payload in self._discovery.items():
            client.publish(topic, payload, retain=True)
        client.publish(self._status_topic, "online", retain=True)
        if self._away_because:
            _log.warning("MQTT broker %s is there", self._broker)
        self._away_because = ""
        self._said = None  # what it has missed is said at the next frame
        self._is_connected = True

    def _on_disconnect(self, client: Any, _: Any, flags: Any, reason: Any, __: Any) -> None:
        was_connected, self._is_connected = self._is_connected, False
        if not reason.is_failure:
            return
        hung_up = (
            "it hung up"
            if was_connected
            else "it hung up before it answered: does it want mqtts://?"
        )
        is_silent = reason.getName() == "Keep alive timeout"
        self._tell_away(client.trouble or (_SILENT if is_silent else hung_up))

    def _on_connect_fail(self, client: Any, _: Any) -> None:
        self._tell_away(client.trouble)

    def _tell_away(self, why: str) -> None:
        if why != self._away_because:
            _log.warning("MQTT broker %s is away, trying on: %s", self._broker, why)
        self._away_because = why
