"""The live page: who may see it, clients that stop reading, and a real browser."""

from __future__ import annotations

import http.client
import json
import re
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import chromium
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from observed import boxed, observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Counters
from dcrnet_runtime.outputs import OutputPlan, open_publisher
from dcrnet_runtime.outputs.page.address import PageAddress, embedder_origin

pytest.importorskip("starlette", reason="needs the serve extra")
pytest.importorskip("uvicorn", reason="needs the serve extra")
pytest.importorskip("prometheus_client", reason="needs the serve extra")

from dcrnet_runtime.outputs.page.attempts import Attempts
from dcrnet_runtime.outputs.page.clients import acceptor, connection
from dcrnet_runtime.outputs.page.clients.crowd import Crowd, Limits, group_of
from dcrnet_runtime.outputs.page.server import LivePage

TOKEN = "correct-horse-battery"


@contextmanager
def served(
    token: str = "", host: str = "127.0.0.1", blur_faces: bool = False
) -> Iterator[LivePage]:
    with closing(LivePage(PageAddress(host, 0), token, blur_faces=blur_faces)) as page:
        yield page


@contextmanager
def playing(page: LivePage) -> Iterator[None]:
    """Twenty-five frames a second until the block ends."""
    ended = threading.Event()

    def play() -> None:
        index = 0
        while not ended.wait(0.04):
            faces = [tracked(7, "happiness", boxed())] if index % 200 < 120 else []
            counters = Counters(index + 1, dropped=5, failures={"mqtt": 2})
            page.offer(observation(index, *faces, counters=counters), time.time())
            index += 1

    player = threading.Thread(target=play)
    player.start()
    try:
        yield
    finally:
        ended.set()
        player.join()


def get(
    page: LivePage, path: str = "/", method: str = "GET", **headers: str
) -> http.client.HTTPResponse:
    """The answer, its body unread; header names have _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", page.address.port, timeout=10)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return connection.getresponse()


def test_the_page_and_its_files_come_from_this_machine_alone() -> None:
    with served() as page:
        for path in ("/", "/page.css", "/page.js", "/icon.svg"):
            answer = get(page, path)
            text = answer.read().decode()
            assert answer.status == 200
            assert not re.search(r"(?:src|href|url\()[=\"']*\s*(?:https?:)?//", text)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "", "127.0.0.1.evil.io", "["]
)
def test_another_name_for_the_loopback_is_refused(host: str) -> None:
    with served() as page:
        for path in ("/", "/stream", "/events", "/metrics", "/healthz"):
            answer = get(page, path, Host=host)
            assert answer.status == 421
            assert b"dcrnet_" not in answer.read()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8080"])
def test_this_machines_names_are_served(host: str) -> None:
    with served() as page:
        assert get(page, "/metrics", Host=host).status == 200


def test_a_token_opens_the_page_once_and_its_cookie_from_then_on() -> None:
    with served(TOKEN, "0.0.0.0") as page:
        welcome = sign_in(page, TOKEN, Host="anything")
        assert (welcome.status, welcome.headers["Location"]) == (303, "/")
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert get(page, "/page.js", Cookie=cookie.split(";")[0]).status == 200
        assert get(page, "/metrics", Authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize("path", ["/", "/page.js", "/stream", "/events", "/metrics"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic " + TOKEN},
        {"Authorization": "Bearer " + TOKEN[:-1]},
        {"Cookie": "dcrnet_1=x; =;"},
        {"Cookie": "dcrnet_PORT=" + TOKEN},
        {"Cookie": "dcrnet_PORT=\xff"},
    ],
    ids=["none", "wrong", "basic", "shorter", "odd cookie", "token as cookie", "bytes as cookie"],
)
def test_without_the_token_nothing_is_seen(path: str, headers: dict[str, str]) -> None:
    with served(TOKEN) as page:
        page.offer(observation(0, tracked()), 0)
        port = str(page.address.port)
        answer = get(page, path, **{k: v.replace("PORT", port) for k, v in headers.items()})
        assert answer.status == 401
        assert b"happiness" not in answer.read()


def sign_in(page: LivePage, token: str, **headers: str) -> http.client.HTTPResponse:
    """The answer to the form with such a token in it."""
    connection = http.client.HTTPConnection("127.0.0.1", page.address.port, timeout=10)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/", urlencode({"token": token}), kind | headers)
    return connection.getresponse()


def test_the_form_posts_and_an_address_holds_no_token() -> None:
    with served(TOKEN) as page:
        form = get(page).read().decode()
        assert '<form action="/" method="post">' in form
        assert get(page, f"/?token={TOKEN}").status == 401
        assert sign_in(page, "").status == 401


def test_a_health_probe_needs_no_token() -> None:
    with served(TOKEN) as page:
        assert get(page, "/healthz").status == 503  # no frame yet
        page.offer(observation(0), 0)
        assert get(page, "/healthz").status == 200


def test_wrong_tokens_are_looked_at_seldom() -> None:
    with served(TOKEN) as page:
        cookie = sign_in(page, TOKEN).headers["Set-Cookie"].split(";")[0]
        seen = [sign_in(page, f"guess number {n}").status for n in range(8)]
        assert seen == [401] * 5 + [429] * 3
        refused = get(page, "/metrics", Authorization=f"Bearer {TOKEN}")  # right or not
        assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
        assert sign_in(page, TOKEN).status == 429
        assert get(page, "/metrics", Cookie=cookie).status == 200  # who is in stays in
        assert get(page).status == 401  # without a token nothing is guessed
        assert get(page, "/healthz").status == 503


def test_another_token_may_be_tried_after_a_while() -> None:
    now_s = 50.0
    attempts = Attempts(clock=lambda: now_s)
    tried = 0
    for _ in range(600):  # ten minutes
        now_s += 1
        if attempts.may_try("here"):
            attempts.fail("here")
            tried += 1
    assert 60 <= tried <= 66
    assert attempts.may_try("elsewhere")


def test_a_form_that_does_not_end_is_given_up() -> None:
    with served(TOKEN) as page:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", page.address.port), 10) as large:
            large.sendall(head + b"token=" + b"a" * 10_000)
            assert large.recv(100).startswith(b"HTTP/1.1 401")
        with socket.create_connection(("127.0.0.1", page.address.port), 10) as slow:
            slow.sendall(head + b"token=")
            assert slow.recv(100).startswith(b"HTTP/1.1 401")  # in 5 s


def test_the_page_is_embedded_on_request_and_there_alone() -> None:
    with served() as page:
        headers = get(page).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    origins = ["http://homeassistant.local:8123", "https://[::1]:9"]
    address = PageAddress("127.0.0.1", 0)
    with closing(LivePage(address, "", blur_faces=False, embedders=origins)) as page:
        headers = get(page).headers
        assert headers["X-Frame-Options"] is None
        policy = headers["Content-Security-Policy"]
        assert policy.endswith(f"; frame-ancestors {' '.join(origins)}")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://hub", "http://hub"),
        ("HTTPS://Hub.Local:8123/", "https://hub.local:8123"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_origins(text: str, origin: str) -> None:
    assert embedder_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", "hub", "http://", "http://*", "http://*.local", "http://a b", "ftp://hub"),
        *("http://hub/path", "http://hub?x", "http://me@hub", "http://hub:x", "http://hub;"),
        *("http://hub\r\nX: y", "'self'", "http://hub http://evil", "http://[::1"),
    ],
)
def test_origins_that_are_none(text: str) -> None:
    with pytest.raises(DcrnetError, match="is no origin: such as http://homeassistant"):
        embedder_origin(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        (":8080", "127.0.0.1", 8080),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:9", "::1", 9),
        ("pi.local:8080", "pi.local", 8080),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert PageAddress.parse(text) == PageAddress(host, port)


@pytest.mark.parametrize("text", ["", "a", "0", "80:", "70000", "::1", "::1:80", "1.2.3.4:x", "٣"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(DcrnetError, match=r"is no \[ADDR:\]PORT"):
        PageAddress.parse(text)


@pytest.mark.parametrize("serve", ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "pi.local:80"])
@pytest.mark.parametrize("token", ["", "short", "ümlaut-ümlaut"])
def test_a_network_needs_a_real_token(serve: str, token: str) -> None:
    with pytest.raises(DcrnetError, match="needs a token of 12 or more"):
        open_publisher(OutputPlan.of(jsonl=None, serve=serve, token=token))


def test_a_port_alone_is_open_to_this_machine_alone() -> None:
    """127.0.0.2 stands for a network's address: a socket bound to all would answer there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with closing(open_publisher(OutputPlan.of(jsonl=None, serve=str(port)))):
        socket.create_connection(("127.0.0.1", port), 10).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 10)


def test_a_taken_port_and_a_foreign_address_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DcrnetError, match=r"cannot listen \(Address already in use\)"):
            open_publisher(OutputPlan.of(jsonl=None, serve=str(port)))
    with pytest.raises(DcrnetError, match="cannot listen"):
        open_publisher(OutputPlan.of(jsonl=None, serve="192.0.2.1:8080", token=TOKEN))


def test_the_stream_shows_the_newest_picture() -> None:
    rgb = np.zeros((240, 320, 3), np.uint8)
    rgb[:, :, 2] = 200
    with served() as page, closing(get(page, "/stream")) as stream:
        page.offer(observation(0, rgb=rgb), 0)
        picture = next_picture(stream)
        assert picture[:, :, 2].mean() == pytest.approx(200, abs=3)
        for index in range(1, 50):  # faster than anyone looks
            page.offer(observation(index, rgb=np.full_like(rgb, index)), 0)
        levels = [next_picture(stream).mean()]
        while levels[-1] < 48:
            levels.append(next_picture(stream).mean())
        assert len(levels) < 10


def next_picture(stream: http.client.HTTPResponse) -> NDArray[np.uint8]:
    """RGB of the next part."""
    length = 0
    while (line := stream.readline()) != b"\r\n" or not length:
        assert line, "the stream has ended"
        if line.startswith(b"Content-Length"):
            length = int(line.split()[1])
    jpeg = np.frombuffer(stream.read(length), np.uint8)
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1]


def test_faces_of_the_stream_are_blurred_on_request() -> None:
    rgb = np.zeros((240, 320, 3), np.uint8)
    rgb[60:140:2, 100:180] = 255  # stripes where the face is
    for blur_faces in (False, True):
        with served(blur_faces=blur_faces) as page, closing(get(page, "/stream")) as stream:
            page.offer(observation(0, tracked(face=boxed(100, 60, 80)), rgb=rgb), 0)
            page.offer(observation(1, rgb=rgb), 0)  # and the detector misses it once
            stripes = next_picture(stream)[70:130, 110:170].astype(float)
            assert (np.abs(np.diff(stripes, axis=0)).mean() < 10) == blur_faces


def test_a_large_picture_is_sent_smaller() -> None:
    with served() as page, closing(get(page, "/stream")) as stream:
        page.offer(observation(0, rgb=np.zeros((1080, 1920, 3), np.uint8)), 0)
        assert next_picture(stream).shape == (540, 960, 3)


def test_events_are_the_documented_object() -> None:
    with served() as page, closing(get(page, "/events")) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        page.offer(observation(3, tracked(7)), 1_700_000_000.25)
        while not (line := events.readline()).startswith(b"data: "):
            pass
        record = json.loads(line.removeprefix(b"data: "))
        assert record["frame"] == 3
        assert record["utc"] == "2023-11-14T22:13:20.250Z"
        assert record["faces"][0]["track"]["id"] == 7


def test_metrics_are_prometheus() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    with served() as page:
        for index in range(4):
            counters = Counters(index + 1, dropped=2, reconnects=1, failures={"csv": 6})
            unsure = replace(tracked(2), label=None)
            page.offer(observation(index, tracked(), unsure, counters=counters), 0)
        text = get(page, "/metrics").read().decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["dcrnet_frames_total",] == 4
    assert samples["dcrnet_frames_dropped_total",] == 2
    assert samples["dcrnet_source_reconnects_total",] == 1
    assert samples["dcrnet_output_failures_total", "csv"] == 6
    assert samples["dcrnet_faces",] == 2
    assert samples["dcrnet_faces_uncertain",] == 1
    assert samples["dcrnet_stage_seconds_sum", "infer"] == pytest.approx(4 * 0.00475)
    assert samples["dcrnet_stage_seconds_count", "infer"] == 4
    assert samples["dcrnet_delay_seconds_sum",] == pytest.approx(4 * 0.0115)


def test_metrics_have_every_output_and_the_build_from_the_start() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    from dcrnet_runtime.version import __version__

    failures = {"page": 0, "csv": 0}
    address = PageAddress("127.0.0.1", 0)
    with closing(LivePage(address, "", blur_faces=False, failures=failures)) as page:
        before = get(page, "/metrics").read().decode()
        failures["csv"] = 2  # as the publisher counts, with or without a frame
        after = get(page, "/metrics").read().decode()
    for text, csv in ((before, 0), (after, 2)):
        samples = [s for f in text_string_to_metric_families(text) for s in f.samples]
        failed = [s for s in samples if s.name == "dcrnet_output_failures_total"]
        counted = {s.labels["output"]: s.value for s in failed}
        assert counted == {"page": 0, "csv": csv}
        (build,) = [s for s in samples if s.name == "dcrnet_build_info"]
        assert build.value == 1
        assert build.labels["version"] == __version__


def test_clients_that_stop_reading_hold_nobody(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (720, 960, 3), dtype=np.uint8)  # some 500 KB each
    with served() as page:
        deaf = [socket.create_connection(("127.0.0.1", page.address.port)) for _ in range(8)]
        for client in deaf:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with closing(get(page, "/stream")) as stream:
            longest_s = 0.0
            for index in range(20):
                started = time.monotonic()
                page.offer(observation(index, rgb=noise), 0)
                longest_s = max(longest_s, time.monotonic() - started)
                next_picture(stream)
        assert longest_s < 5  # and not until a client reads again
        started = time.monotonic()
    assert time.monotonic() - started < 10  # closing does not wait for them
    assert caplog.records == []
    for client in deaf:
        client.close()


def test_clients_that_vanish_are_forgotten() -> None:
    with served() as page:
        for _ in range(70):  # more than may look at once
            client = socket.create_connection(("127.0.0.1", page.address.port))
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            page.offer(observation(0), 0)
            client.recv(100)
            client.close()
        deadline = time.monotonic() + 5
        while get(page, "/metrics").status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def opened(page: LivePage, sent: bytes = b"") -> socket.socket:
    """A connection over which these bytes have been sent."""
    client = socket.create_connection(("127.0.0.1", page.address.port), 10)
    client.sendall(sent)
    return client


def is_cut_off(client: socket.socket, limit_s: float) -> bool:
    """Whether the other side ends it in so many seconds."""
    client.settimeout(limit_s)
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def answered(client: socket.socket) -> bool:
    """Whether a health probe's answer comes."""
    answer = b""
    while not answer.endswith(b"}"):
        part = client.recv(65536)
        if not part:
            return False
        answer += part
    return True


def test_who_holds_connections_open_keeps_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    address = PageAddress("127.0.0.1", 0)
    with closing(LivePage(address, "", blur_faces=False, limits=Limits.of(32))) as page:
        page.offer(observation(0), 0)
        idle = [opened(page) for _ in range(100)]
        slow = [opened(page, b"GET / HTTP/1.1\r\nHost: loc") for _ in range(100)]
        deaf = [opened(page, b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(9)]
        for path in ("/healthz", "/", "/metrics") * 10:
            started = time.monotonic()
            assert get(page, path).status == 200
            assert time.monotonic() - started < 1
        assert is_cut_off(idle[0], 0.5)
        assert len(page._crowd) <= 32
    assert all(is_cut_off(client, 0.5) for client in idle + slow + deaf)  # with the page
    for client in idle + slow + deaf:
        client.close()
    assert caplog.records == []


def test_each_request_and_pause_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (connection.HEADERS_S, connection.IDLE_S) == (5, 15)
    for module in (acceptor, connection):
        monkeypatch.setattr(module, "HEADERS_S", 0.4)
    monkeypatch.setattr(connection, "IDLE_S", 1.2)
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served() as page:
        assert is_cut_off(opened(page), 0.8)
        dripping = opened(page, b"GET / HT")
        started = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - started < 5:
                dripping.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - started < 1.5
        kept = opened(page, request)
        assert answered(kept)
        time.sleep(0.8)  # longer than for headers
        kept.sendall(request)
        assert answered(kept)
        assert not is_cut_off(kept, 0.7)
        assert is_cut_off(kept, 1.0)
        second = opened(page, request + b"GET / HT")  # the headers of the next one begin
        assert is_cut_off(second, 2)


def test_pipelined_requests_are_all_answered() -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served() as page, opened(page) as client:
        sender = threading.Thread(target=client.sendall, args=(request * 3000,))
        sender.start()
        answers = b""
        while answers.count(b'"starting"') < 3000:
            part = client.recv(1 << 20)
            assert part
            answers += part
        sender.join()


def test_a_stream_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADERS_S", 0.2)
    monkeypatch.setattr(connection, "IDLE_S", 0.2)
    with served() as page, closing(get(page, "/stream")) as stream:
        for index in range(4):
            time.sleep(0.3)
            page.offer(observation(index), 0)
            next_picture(stream)


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BLOCKED_S", 0.5)
    noise = np.random.default_rng(0).integers(0, 256, (720, 960, 3), dtype=np.uint8)
    with served() as page:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", page.address.port))
        deaf.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        deadline = time.monotonic() + 20
        index = 0
        while len(page._crowd) or not index:
            page.offer(observation(index, rgb=noise), 0)
            index += 1
            time.sleep(0.05)
            assert time.monotonic() < deadline
        deaf.close()


def test_streams_have_an_end_of_their_own_and_a_blocked_one_makes_room() -> None:
    crowd = Crowd(Limits.of(64))  # 8 streams for one address, 16 in all
    assert Limits.of(64) == Limits(all=64, group=48, streams=16, group_streams=8)
    streams = [FakeClient("a", number) for number in range(8)]
    for client in streams:
        crowd.add(client)
        assert crowd.seat(client)
    late = FakeClient("a", 8)
    crowd.add(late)
    assert not crowd.seat(late)
    streams[3].blocked_since_s = 5.0
    streams[4].blocked_since_s = 4.0
    assert crowd.seat(late)
    assert [client.is_cut for client in streams] == [number == 4 for number in range(8)]
    other = FakeClient("b", 9)
    crowd.add(other)
    assert crowd.seat(other)


def test_who_has_most_connections_makes_room_for_others() -> None:
    crowd = Crowd(Limits.of(8))  # 6 for one address
    of_a, of_b = ([FakeClient(group, n) for n in range(6)] for group in "ab")
    for client in of_a[:5] + of_b[:3]:
        crowd.add(client)
    of_a[0].is_busy = True
    crowd.add(FakeClient("c", 9))  # all 8 are taken: the oldest of a goes that is not served
    assert [client.number for client in of_a if client.is_cut] == [1]
    assert not any(client.is_cut for client in of_b)
    crowd.remove(of_b[0])
    crowd.remove(of_b[1])
    crowd.add(FakeClient("a", 10))
    crowd.add(FakeClient("a", 11))
    assert len(crowd) == 8
    crowd.add(FakeClient("a", 12))  # its own six are taken
    assert [client.number for client in of_a if client.is_cut] == [1, 2]
    assert len(crowd) == 8


class FakeClient:
    """A connection with a number to tell it by."""

    def __init__(self, group: str, number: int) -> None:
        self.group, self.number = group, number
        self.is_busy = self.is_stream = self.is_cut = False
        self.blocked_since_s: float | None = None

    def cut_off(self) -> None:
        self.is_cut = True


def test_networks_of_ipv6_are_one_address() -> None:
    assert group_of("192.0.2.7") == "192.0.2.7"
    assert group_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert group_of("2001:db8:1:2:aaaa::1") == group_of("2001:db8:1:2:bbbb::2")
    assert group_of("2001:db8:1:2::1") != group_of("2001:db8:1:3::1")
    assert group_of("fe80::1%eth0") == group_of("fe80::2")


def test_the_limit_of_open_files_leaves_some_for_the_source() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 80, hard))
        assert 40 <= Limits.of_process().all <= 50  # and 32 are left
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 10, hard))
        assert Limits.of_process().all == 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_bad_requests_write_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with served() as page:
        for _ in range(50):
            with opened(page, b"\x00\x01\r\n\r\n") as client:
                client.recv(100)
    assert len(caplog.records) <= 1


@pytest.mark.parametrize(
    "path", ["/../page.py", "/..%2f..%2fetc/passwd", "/static/../../page.py", "//etc/passwd"]
)
def test_no_path_leads_out_of_the_pages_files(path: str) -> None:
    with served() as page:
        answer = get(page, path)
        assert answer.status == 404
        assert b"root:" not in answer.read()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "POST"])
def test_other_methods_are_refused(method: str) -> None:
    with served() as page:
        assert get(page, "/metrics", method=method).status == 405


def test_nobody_elsewhere_may_read_the_answers() -> None:
    with served() as page:
        for path in ("/", "/metrics", "/healthz"):
            answer = get(page, path, Origin="https://evil.example")
            assert answer.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
        + b"a" * (1 << 22),
    ],
    ids=["header", "body"],
)
def test_vast_requests_are_refused_before_they_are_read(request_: bytes) -> None:
    with served() as page:
        with opened(page) as client, suppress(OSError):  # cut off while it still sends
            client.sendall(request_)
            assert b" 200 " not in client.recv(1 << 16)
        assert get(page, "/healthz").status == 503  # nothing was shown yet


@pytest.mark.parametrize("path", ["/stream", "/events"])
def test_a_head_request_ends(path: str) -> None:
    with served() as page:
        assert get(page, path, method="HEAD").read() == b""


@pytest.mark.skipif(chromium.PATH is None, reason="needs Chromium (Debian's package chromium)")
def test_a_browser_shows_faces_latencies_and_counters(tmp_path: Path) -> None:
    with served(TOKEN) as page, playing(page), chromium.Tab(tmp_path / "profile") as tab:
        tab.look(390, 844, "dark")
        tab.open(page.address.url)
        tab.wait_for("document.getElementById('token') !== null")
        tab.value(f"document.getElementById('token').value = '{TOKEN}'")
        tab.problems.clear()  # the first answer was 401
        tab.value("document.querySelector('form').submit()")
        tab.wait_for("document.getElementById('state')?.dataset.state === 'live'")
        assert "token" not in tab.value("location.href")
        assert tab.value("document.cookie") == ""  # out of scripts' reach
        tab.wait_for("document.getElementById('picture').naturalWidth === 320")
        tab.wait_for("document.querySelector('.face .name')?.textContent === 'Face 7'")
        verdict = tab.value("document.querySelector('.verdict').innerText")
        assert verdict.split() == ["happiness", "80", "%"]
        bars = tab.value(
            "[...document.querySelectorAll('.face .bars li')].map(li => li.innerText)"
        )
        assert len(bars) == 7
        assert bars[3].split() == ["happiness", "80", "%"]
        assert tab.value("document.getElementById('delay').textContent") == "12 ms"
        assert tab.value("document.getElementById('dropped').textContent").startswith("5 (")
        assert tab.value("document.getElementById('failures').textContent") == "mqtt 2"
        stages = tab.value("[...document.querySelectorAll('#stages li')].map(li => li.innerText)")
        names = [stage.split()[0] for stage in stages]
        assert names == ["capture", "find", "prepare", "infer", "publish"]
        assert tab.value("document.getElementById('count').textContent") == "1"
        tab.wait_for("document.getElementById('fps').textContent > 5")
        tab.wait_for(_PAINTED)
        assert tab.value("document.documentElement.scrollWidth") == 390  # nothing sticks out
        tab.wait_for("document.querySelectorAll('.face.gone').length === 1")  # it has left
        assert tab.value("document.getElementById('count').textContent") == ""
        tab.wait_for("document.querySelectorAll('.face').length === 0")
        assert tab.value("document.getElementById('nobody').hidden") is False
        tab.value("document.getElementById('pause').click()")
        assert tab.value("document.getElementById('still').hidden") is False
        assert tab.value("document.getElementById('state').textContent") == "Paused"
        tab.value("document.getElementById('pause').click()")
        tab.wait_for("document.getElementById('state').dataset.state === 'live'")
        assert tab.problems == []  # no script error, nothing that the policy forbids


# The chart's right edge has at least three colours, one above the other.
_PAINTED = """(() => {
  const chart = document.querySelector('.face canvas');
  const column = chart?.getContext('2d').getImageData(chart.width - 8, 0, 1, chart.height).data;
  const colours = new Set();
  for (let i = 0; column && i < column.length; i += 4) colours.add(column.slice(i, i + 4).join());
  return colours.size >= 3;
})()"""


@pytest.mark.skipif(chromium.PATH is None, reason="needs Chromium (Debian's package chromium)")
def test_a_browser_says_when_the_program_is_gone(tmp_path: Path) -> None:
    with chromium.Tab(tmp_path / "profile") as tab:
        with served() as page, playing(page):
            tab.open(page.address.url)
            tab.wait_for("document.getElementById('state')?.dataset.state === 'live'")
        tab.wait_for("document.getElementById('state').dataset.state === 'lost'")
