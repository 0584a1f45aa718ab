"""A real camera server on the loopback: multipart JPEG over HTTP, that can be made to fail."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


def jpeg_of(number: int, width: int = 64, height: int = 48) -> bytes:
    """A flat picture whose grey tells its number, in steps that survive JPEG."""
    pixels = np.full((height, width, 3), (number * 10) % 250, np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


class MjpegServer:
    """Serves numbered pictures to any number of clients.

    Attributes:
        connections: accepted since it was made.
        is_stalled: while set, clients get nothing and keep their connection.
        size: of the pictures, (width, height).
        authorization: the last client's header.
    """

    def __init__(self, fps: float = 50.0) -> None:
        self.connections = 0
        self.is_stalled = threading.Event()
        self.size = (64, 48)
        self.authorization: str | None = None
        self._pause_s = 1 / fps
        self._number = 0
        self._open: list[socket.socket] = []
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/camera.mjpg"

    def start(self) -> None:
        """Listen, again on the same port."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill_after(self, pictures: int) -> None:
        """Kill it once so many have been sent."""

        def watch() -> None:
            while self._number < pictures:
                time.sleep(0.02)
            self.kill()

        threading.Thread(target=watch, daemon=True).start()

    def kill(self) -> None:
        """Refuse new clients and cut off those that are there."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.connections += 1
        self.authorization = handler.headers["Authorization"]
        self._open.append(handler.connection)
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        try:
            while handler.connection.fileno() >= 0:
                while self.is_stalled.is_set():
                    time.sleep(0.02)
                self._number += 1
                jpeg = jpeg_of(self._number, *self.size)
                handler.wfile.write(
                    b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                    % len(jpeg)
                    + jpeg
                    + b"\r\n"
                )
                time.sleep(self._pause_s)
        except (OSError, ValueError):
            pass
