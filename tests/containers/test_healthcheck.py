"""Whether the container is told to be well when it is, and only then."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "docker" / "healthcheck.py"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Page(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        assert self.path == "/healthz"
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b'{"status":"told"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def running(proc: Path, *words: str) -> Path:
    """A ``/proc`` in which this command runs beside another process."""
    for pid, line in (("1", ("sh", "-c", "true")), ("7", words)):
        (proc / pid).mkdir()
        (proc / pid / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in line))
    (proc / "self").mkdir()
    return proc


RUN = ("python3", "/opt/dcrnet/bin/dcrnet-run", "--camera", "0")


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ((*RUN, "--serve", "8080"), "http://127.0.0.1:8080/healthz"),
        ((*RUN, "--serve=0.0.0.0:81"), "http://127.0.0.1:81/healthz"),
        ((*RUN, "--serve", "[::]:82", "--mqtt", "mqtt://a"), "http://127.0.0.1:82/healthz"),
        ((*RUN, "--serve", "192.0.2.1:83"), "http://192.0.2.1:83/healthz"),
        (RUN, None),
        (("nginx", "--serve", "84"), None),
    ],
)
def test_the_page_is_found(
    check: ModuleType, tmp_path: Path, words: tuple[str, ...], url: str | None
) -> None:
    assert check.page_url(running(tmp_path, *words)) == url


@pytest.mark.parametrize(("status", "is_well"), [(200, True), (503, False)])
def test_the_page_is_asked(
    check: ModuleType,
    page: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    is_well: bool,
) -> None:
    monkeypatch.setattr(Page, "status", status)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # is for others
    answer = check.asked(f"http://127.0.0.1:{page.server_port}/healthz")
    assert answer == (is_well, '{"status":"told"}' if is_well else '503 {"status":"told"}')


def test_a_page_that_is_gone_is_not_well(check: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    is_well, words = check.asked(f"http://127.0.0.1:{port}/healthz")
    assert not is_well
    assert "refused" in words


@pytest.mark.parametrize("code", [0, 2])
def test_without_a_page_the_self_test_answers(tmp_path: Path, code: int) -> None:
    command = tmp_path / "dcrnet-run"
    command.write_text(f'#!/bin/sh\n[ "$*" = --self-test ] && exit {code}\nexit 99\n')
    command.chmod(0o755)
    (tmp_path / "proc").mkdir()
    proc = running(tmp_path / "proc", *RUN)
    script = SCRIPT.read_text().replace('Path("/proc")', f"Path({str(proc)!r})")
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )
    assert done.returncode == code
