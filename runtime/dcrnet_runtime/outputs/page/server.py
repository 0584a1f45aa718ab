"""Serves the live page from a thread of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Thread

import uvicorn

from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.log_limit import OncePerInterval
from dcrnet_runtime.outputs.output import Failing
from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.outputs.page.app import page_app
from dcrnet_runtime.outputs.page.clients.acceptor import Acceptor
from dcrnet_runtime.outputs.page.clients.connection import IDLE_S, Connection
from dcrnet_runtime.outputs.page.clients.crowd import Crowd, Limits
from dcrnet_runtime.outputs.page.guard import Guard
from dcrnet_runtime.outputs.page.newest import Newest

_LIMIT = OncePerInterval()
_GRACE_S = 1
_FAREWELL_S = 0.3


class LivePage:
    """The page as an output: whoever looks gets the newest observation.

    Args:
        address: where to listen.
        token: empty for none, which only a loopback address may have.
        blur_faces: whether faces are made unrecognisable.
        embedders: origins whose pages may show it in a frame.
        limits: of clients at once; None for what the process may open.
        failures: of all outputs, by name, for the metrics.

    Raises:
        DcrnetError: the address cannot be listened on.
    """

    name = "page"
    wants_stop = False
    error: str | None = None
    failing: Failing | None = None

    def __init__(
        self,
        address: PageAddress,
        token: str,
        *,
        blur_faces: bool,
        embedders: Sequence[str] = (),
        limits: Limits | None = None,
        failures: Mapping[str, int] | None = None,
    ) -> None:
        self.failures = 0
        self._socket = address.listen()
        self.address = replace(address, port=self._socket.getsockname()[1])
        """With the port that was taken where any free one was asked for."""
        self._newest = Newest(blur_faces=blur_faces, failures=failures)
        self._crowd = Crowd(limits or Limits.of_process())
        for name in ("uvicorn.error", "asyncio"):  # a line for each bad request would fill a disk
            logging.getLogger(name).addFilter(_LIMIT)
        guarded = Guard(page_app(self._newest), self.address, token, embedders)
        self._server = uvicorn.Server(
            uvicorn.Config(
                guarded,
                http="h11",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                timeout_keep_alive=int(IDLE_S),
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._run, name="dcrnet-page", daemon=True)
        self._thread.start()

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Replace what is shown."""
        self._newest.set(observation, unix_s)

    def close(self) -> None:
        """Send every client away and stop listening."""
        self._newest.close()
        if self._loop is not None and self._thread.is_alive():
            # A client that does not read would be waited for.
            self._loop.call_soon_threadsafe(
                self._loop.call_later, _FAREWELL_S, self._crowd.cut_all
            )
        self._server.should_exit = True
        self._thread.join(3 * _GRACE_S)
        self._socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # whatever it is, the other outputs go on
            self.failures += 1
            self.error = f"{type(error).__name__}: {error}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._newest.serve_in(self._loop)
        acceptor = Acceptor(self._socket, self._crowd, self._connection)
        try:
            await self._server.serve(sockets=[])
        finally:
            acceptor.close()
            self._crowd.cut_all()

    def _connection(self) -> Connection:
        return Connection(self._server.config, self._server.server_state, self._crowd)
