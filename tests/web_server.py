"""A real HTTP server on the loopback that serves what a test gives it, and notes who asked how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class WebServer:
    """What was asked of it.

    Attributes:
        port: that it listens on.
        asked: each request's path and its Authorization.
    """

    port: int
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def address(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[WebServer]:
    """Run a server that answers each GET with a function."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers["Authorization"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients leave when they have had enough."""

    server = Server(("127.0.0.1", 0), Handler)
    served = WebServer(server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, kind: str, **headers: str) -> None:
    """A whole answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def refuse(handler: BaseHTTPRequestHandler, code: int, **headers: str) -> None:
    """An answer without content."""
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
