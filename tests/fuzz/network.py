"""A camera on the loopback interface that answers with what it is told to."""

from __future__ import annotations

import functools
import socket
import threading

from fuzz.media import NEXT_ANSWER


class HostileServer:
    """Sends one answer after the other, each to a connection, and the last one to all others.

    Attributes:
        port: where it listens.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._answers = [b""]
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, content: bytes) -> None:
        """What to answer from now on."""
        self._answers = content.split(NEXT_ANSWER)

    def _serve(self) -> None:
        while True:
            client, _ = self._listening.accept()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            client.settimeout(5)
            try:
                while (part := client.recv(1 << 16)) and b"\r\n\r\n" not in part:
                    pass
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                client.sendall(answer)
                client.shutdown(socket.SHUT_WR)
                while client.recv(1 << 16):
                    pass
            except OSError:
                return


@functools.cache
def server() -> HostileServer:
    """This process's."""
    return HostileServer()
