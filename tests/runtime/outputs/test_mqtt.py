"""MQTT against a real broker, and against none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from generated import LABELS
from observed import observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.mqtt import state
from dcrnet_runtime.outputs.mqtt.broker import Broker
from dcrnet_runtime.outputs.mqtt.state import MqttState

mqtt = pytest.importorskip("paho.mqtt.client", reason="needs the mqtt extra")

_DAEMON = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(_DAEMON is None, reason="needs Debian's package mosquitto")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def broker(folder: Path, port: int, *lines: str) -> Iterator[subprocess.Popen[bytes]]:
    """A mosquitto that lets anyone in unless the lines say otherwise."""
    assert _DAEMON is not None
    config = folder / "mosquitto.conf"
    rest = lines or ("allow_anonymous true",)
    user = "root" if os.geteuid() == 0 else ""
    config.write_text(
        "\n".join([f"listener {port} 127.0.0.1", f"user {user}" * bool(user), *rest])
    )
    daemon = subprocess.Popen([_DAEMON, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port))
        yield daemon
    finally:
        daemon.kill()
        daemon.wait()


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def until(condition: Callable[[], object], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


class Listener:
    """Collects everything that is published."""

    def __init__(self, port: int, username: str = "", password: str = "") -> None:
        self.messages: list[tuple[str, str, bool]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if username:
            self._client.username_pw_set(username, password)
        subscribed = threading.Event()
        self._client.on_message = lambda _, __, m: self.messages.append(
            (m.topic, m.payload.decode(), m.retain)
        )
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(20)

    def last(self, topic: str) -> str | None:
        """The last payload of a topic."""
        payloads = [payload for name, payload, _ in self.messages if name == topic]
        return payloads[-1] if payloads else None

    def count(self, topic: str) -> int:
        return sum(name == topic for name, _, _ in self.messages)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def play(output: MqttState, seen: Observation, seconds: float) -> None:
    """Thirty frames a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        output.offer(seen, 1_700_000_000.0)
        time.sleep(0.03)


@needs_broker
def test_a_change_is_told_at_once_and_the_rest_once_a_second(tmp_path: Path) -> None:
    port = free_port()
    with broker(tmp_path, port), closing(Listener(port)) as listener:
        target = Broker.parse(f"mqtt://127.0.0.1:{port}/kitchen")
        with closing(MqttState(target, LABELS, has_discovery=False)) as output:
            until(lambda: listener.last("kitchen/status") == "online")
            play(output, observation(1, tracked(4, "fear")), 1.5)
            until(lambda: listener.last("kitchen/state"))
            assert 1 <= listener.count("kitchen/state") <= 3
            said = json.loads(listener.last("kitchen/state") or "")
            assert said["faces"][0]["track"]["label"] == "fear"
            assert said["utc"] == "2023-11-14T22:13:20.000Z"
            before = listener.count("kitchen/state")
            play(output, observation(2, tracked(4, "anger")), 0.4)
            until(lambda: listener.count("kitchen/state") == before + 1)
            assert output.failures == 0
        until(lambda: listener.last("kitchen/status") == "offline")
        assert not any(name.startswith("homeassistant") for name, _, _ in listener.messages)


@needs_broker
def test_home_assistant_is_told_what_there_is(tmp_path: Path) -> None:
    port = free_port()
    with broker(tmp_path, port):
        target = Broker.parse(f"mqtt://127.0.0.1:{port}/home/kitchen")
        with (
            closing(MqttState(target, LABELS, has_discovery=True)) as output,
            closing(Listener(port)) as listener,
        ):
            topic = "homeassistant/sensor/home_kitchen/{}/config"
            until(lambda: listener.last(topic.format("faces")))
            play(output, observation(0, tracked(1, "sadness")), 0.1)
            until(lambda: listener.last("home/kitchen/state"))
            said = json.loads(listener.last("home/kitchen/state") or "")
            shown, nobody = {}, {}
            for key in ("expression", "probability", "faces"):
                sensor = json.loads(listener.last(topic.format(key)) or "")
                nobody[key] = rendered(sensor["value_template"], {"faces": []})
                assert sensor["default_entity_id"] == f"sensor.home_kitchen_{key}"
                assert sensor["object_id"] == f"home_kitchen_{key}"  # before 2025.10
                assert sensor["origin"]["support_url"].startswith("https://")
                assert sensor["state_topic"] == "home/kitchen/state"
                assert sensor["availability_topic"] == "home/kitchen/status"
                shown[key] = rendered(sensor["value_template"], said)
                if key == "expression":
                    assert {shown[key], nobody[key]} <= set(sensor["options"])
                    unsure = {"faces": [{"track": {"label": None}}]}
                    assert rendered(sensor["value_template"], unsure) == "uncertain"
                    assert "uncertain" in sensor["options"]
            assert shown == {"expression": "sadness", "probability": "80.0", "faces": "1"}
            # Home Assistant reads "None" as unknown, which no long-term mean takes in.
            assert nobody == {"expression": "none", "probability": "None", "faces": "0"}


def rendered(template: str, value_json: object) -> str:
    """As Home Assistant does."""
    jinja2 = pytest.importorskip("jinja2")
    text: str = jinja2.Template(template).render(value_json=value_json)
    return text


@needs_broker
def test_credentials_come_from_the_url_or_the_environment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("needs mosquitto_passwd")
    subprocess.run([tool, "-b", "-c", str(tmp_path / "users"), "me", "p@ss/word"], check=True)
    lines = "allow_anonymous false", f"password_file {tmp_path / 'users'}"
    url = f"127.0.0.1:{port}/room"
    given = {"DCRNET_MQTT_USERNAME": "me", "DCRNET_MQTT_PASSWORD": "p@ss/word"}
    with (
        broker(tmp_path, port, *lines),
        closing(Listener(port, "me", "p@ss/word")) as listener,
    ):
        for target in (
            Broker.parse(f"mqtt://me:p%40ss%2Fword@{url}"),
            Broker.parse(f"mqtt://{url}", given),
        ):
            with closing(MqttState(target, LABELS, has_discovery=False)):
                until(lambda: listener.last("room/status") == "online")
            until(lambda: listener.last("room/status") == "offline")
        wrong = MqttState(Broker.parse(f"mqtt://me:no@{url}"), LABELS, has_discovery=False)
        with closing(wrong):
            play(wrong, observation(0), 0.5)
            until(lambda: "it refuses the user or password: give both" in caplog.text)
        assert wrong.failures > 0
        assert "p@ss" not in caplog.text


@needs_broker
def test_mqtts_is_encrypted_and_checks_the_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key)),
            *("-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    port = free_port()
    lines = "allow_anonymous true", f"certfile {certificate}", f"keyfile {key}"
    target = Broker.parse(f"mqtts://localhost:{port}")
    with broker(tmp_path, port, *lines):
        with closing(MqttState(target, LABELS, has_discovery=False)) as distrusting:
            play(distrusting, observation(0), 0.5)
            assert distrusting.failures > 0
            until(lambda: "is from an authority that this machine does not know" in caplog.text)
        plain = Broker.parse(f"mqtt://localhost:{port}")
        with closing(MqttState(plain, LABELS, has_discovery=False)):
            until(lambda: "it hung up before it answered: does it want mqtts://" in caplog.text)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        other = Broker.parse(f"mqtts://127.0.0.1:{port}")
        with closing(MqttState(other, LABELS, has_discovery=False)):
            until(lambda: "its certificate is for another name" in caplog.text)
        with closing(MqttState(target, LABELS, has_discovery=False)) as output:
            until(lambda: output._is_connected)
            output.offer(observation(0), 0)
            assert output.failures == 0


@needs_broker
def test_a_broker_that_is_away_vanishes_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    target = Broker.parse(f"mqtt://127.0.0.1:{port}")
    with closing(MqttState(target, LABELS, has_discovery=False)) as output:
        started = time.monotonic()
        for index in range(200):
            output.offer(observation(index, tracked(index)), 0)
        assert time.monotonic() - started < 10
        with broker(tmp_path, port), closing(Listener(port)) as listener:
            until(lambda: output._is_connected)
            play(output, observation(1, tracked(1)), 0.2)
            until(lambda: listener.last("dcrnet/state"))
        until(lambda: not output._is_connected)
        failed = output.failures
        play(output, observation(2, tracked(2)), 0.3)
        assert output.failures > failed
        with broker(tmp_path, port), closing(Listener(port)) as listener:
            until(lambda: output._is_connected)
            play(output, observation(3, tracked(3)), 0.3)
            until(lambda: listener.last("dcrnet/state"))


def test_a_broker_that_stops_reading_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        port = listening.getsockname()[1]
        output = MqttState(Broker.parse(f"mqtt://127.0.0.1:{port}"), LABELS, has_discovery=False)
        connection, _ = listening.accept()
        connection.recv(1000)
        connection.sendall(b"\x20\x02\x00\x00")  # CONNACK, and never another byte
        until(lambda: output._is_connected)
        many = [tracked(i) for i in range(300)]  # some 150 KB a message
        longest_s, end = 0.0, time.monotonic() + 3
        for index in range(10_000):
            started = time.monotonic()
            if started > end:
                break
            output.offer(observation(index, *many[index % 2 :]), 0)
            longest_s = max(longest_s, time.monotonic() - started)
            time.sleep(0.02)
        assert longest_s < 5
        assert output.failures > 0  # it has been found slow, and nothing piles up
        assert len(output._client._out_packet) <= 3
        started = time.monotonic()
        output.close()
        assert time.monotonic() - started < 15
        connection.close()


def test_what_keeps_a_broker_away_is_named(caplog: pytest.LogCaptureFixture) -> None:
    refusing = Broker.parse(f"mqtt://127.0.0.1:{free_port()}")
    with closing(MqttState(refusing, LABELS, has_discovery=False)):
        until(lambda: "is away, trying on: nothing listens at that port" in caplog.text)
    nowhere = Broker.parse("mqtt://nowhere.invalid")
    with closing(MqttState(nowhere, LABELS, has_discovery=False)):
        until(lambda: "is away, trying on: its name is not known" in caplog.text)


def test_a_broker_that_is_away_loses_one_message_a_second() -> None:
    target = Broker.parse(f"mqtt://127.0.0.1:{free_port()}")
    with closing(MqttState(target, LABELS, has_discovery=False)) as output:
        play(output, observation(1, tracked(1)), 3.5)  # some 110 frames, one face
        assert 3 <= output.failures <= 5


@needs_broker
def test_a_broker_that_is_stopped_loses_messages_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert state._SILENT_S + state._STEADY_S < 15
    monkeypatch.setattr(state, "_SILENT_S", 2)
    port = free_port()
    target = Broker.parse(f"mqtt://127.0.0.1:{port}")
    with (
        broker(tmp_path, port) as daemon,
        closing(MqttState(target, LABELS, has_discovery=False)) as output,
    ):
        until(lambda: output._is_connected)
        play(output, observation(1, tracked(1)), 0.5)
        assert output.failures == 0
        daemon.send_signal(signal.SIGSTOP)
        try:
            play(output, observation(1, tracked(1)), 6)
            assert 2 <= output.failures <= 6
            assert "is away, trying on: it has not answered" in caplog.text
        finally:
            daemon.send_signal(signal.SIGCONT)
        until(lambda: "is there" in caplog.text)
        failed = output.failures
        play(output, observation(1, tracked(1)), 1.5)
        assert output.failures == failed


def test_a_broker_that_never_answers_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(state, "_SILENT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = Broker.parse(f"mqtt://127.0.0.1:{listening.getsockname()[1]}")
        with closing(MqttState(target, LABELS, has_discovery=False)):
            until(lambda: "is away, trying on: it has not answered" in caplog.text, 5)


def test_a_message_that_no_broker_sends_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = Broker.parse(f"mqtt://127.0.0.1:{listening.getsockname()[1]}")
        tracemalloc.start()
        with closing(MqttState(target, LABELS, has_discovery=False)):
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x20\x02\x00\x00")  # CONNACK
                connection.sendall(b"\x30\xff\xff\xff\x7f")  # a PUBLISH of 256 MB
                until(lambda: "it announces a message of 268.4 MB" in caplog.text)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 10_000_000


@pytest.mark.parametrize(
    "url",
    [
        *("", "hub", "http://hub", "mqtt://", "mqtt://hub:x", "mqtt://hub:99999"),
        *("mqtt://hub/a/#", "mqtt://hub/%23", "mqtt://[::1", "mqtt://me:secret@" + "a" * 70),
    ],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(DcrnetError, match="`mqtt` wants mqtt://HOST") as told:
        Broker.parse(url)
    assert "secret" not in str(told.value)


def test_urls() -> None:
    whole = Broker.parse("mqtts://a:b%2Fc@hub.local:99/x/y", {})
    assert whole == Broker("hub.local", 99, True, "x/y", "a", "b/c")
    assert Broker.parse("mqtt://hub", {}) == Broker("hub", 1883, False, "dcrnet", "", "")
    assert Broker.parse("mqtts://hub", {}).port == 8883
