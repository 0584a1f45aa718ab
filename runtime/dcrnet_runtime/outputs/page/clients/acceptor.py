"""Accepts the live page's clients, never more than there is room for."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from dcrnet_runtime.outputs.log_limit import OncePerInterval
from dcrnet_runtime.outputs.page.clients.connection import HEADERS_S, Connection
from dcrnet_runtime.outputs.page.clients.crowd import Crowd, group_of

_log = logging.getLogger(__name__)
_log.addFilter(OncePerInterval())
_BACKLOG = 4096  # or less, where the system allows less
_AT_ONCE = 64
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_S = 0.1


class Acceptor:
    """Lets clients in, in the loop that runs when it is made.

    asyncio's own way accepts without bound, and where descriptors run out it tries again at once
    and writes a traceback each time. Here a client costs a descriptor and a few microseconds
    until its first byte comes.

    Args:
        listening: where clients come from.
        crowd: who is there.
        connection: makes the protocol of one that has said something.
    """

    def __init__(
        self, listening: socket.socket, crowd: Crowd, connection: Callable[[], Connection]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._crowd = crowd
        self._connection = connection
        self._entering: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        listening.listen(_BACKLOG)
        self._resume()

    def close(self) -> None:
        """Accept nobody any more."""
        self._loop.remove_reader(self._listening)

    def _resume(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(min(_AT_ONCE, self._crowd.turnover)):
            try:
                client, address = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:  # also that the client has left again
                if error.errno in _SHORTAGES:
                    _log.warning("the page takes no more clients for now: %s", error.strerror)
                    self._crowd.shed()
                    self.close()
                    self._loop.call_later(_PAUSE_S, self._resume)
                    return
                continue
            client.setblocking(False)
            group = group_of(address[0])
            self._crowd.add(_Guest(client, group, self._loop, self._let_in, self._forget))

    def _let_in(self, guest: _Guest) -> None:
        self._crowd.remove(guest)
        entering = self._loop.create_task(self._connect(guest.client))
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)

    def _forget(self, guest: _Guest) -> None:
        self._crowd.remove(guest)
        guest.client.close()

    async def _connect(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._connection, client)
        except OSError:
            client.close()


class _Guest:
    """A client that has said nothing yet."""

    is_busy = is_stream = False
    blocked_since_s: float | None = None

    def __init__(
        self,
        client: socket.socket,
        group: str,
        loop: asyncio.AbstractEventLoop,
        speaks: Callable[[_Guest], None],
        is_late: Callable[[_Guest], None],
    ) -> None:
        self.client = client
        self.group = group
        self._loop = loop
        self._deadline = loop.call_later(HEADERS_S, self._leave_to, is_late)
        loop.add_reader(client, self._leave_to, speaks)

    def cut_off(self) -> None:
        """End it at once."""
        self._leave_to(lambda guest: guest.client.close())

    def _leave_to(self, whom: Callable[[_Guest], None]) -> None:
        self._deadline.cancel()
        self._loop.remove_reader(self.client)
        whom(self)
