"""Accepts the live page's clients, never more than there is room for."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from dcrnet_runtime.log_limit import OncePerInterval
from dcrnet_runtime.outputs.page.clients.connection import Connection
from dcrnet_runtime.outputs.page.clients.crowd import Crowd

_log = logging.getLogger(__name__)
_log.addFilter(OncePerInterval())
_BACKLOG = 1024
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_S = 0.1
_CROWDED_S = 0.0005  # bounds what a flood of connections costs


async def accept_all(
    listening: socket.socket, crowd: Crowd, connection: Callable[[], Connection]
) -> None:
    """Accept until it is cancelled.

    asyncio's own way accepts without bound, and where descriptors run out it tries again at once
    and writes a traceback each time.

    Args:
        listening: where clients come from.
        crowd: who is there.
        connection: makes the protocol of a new one.
    """
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    listening.listen(_BACKLOG)
    while True:
        try:
            client, _ = await loop.sock_accept(listening)
            _, protocol = await loop.connect_accepted_socket(connection, client)
        except OSError as error:  # also that the client has left again
            if error.errno in _SHORTAGES:
                _log.warning("the page takes no more clients at the moment: %s", error.strerror)
                crowd.shed()
                await asyncio.sleep(_PAUSE_S)
            continue
        if protocol.has_crowded:
            await asyncio.sleep(_CROWDED_S)
