"""One client's connection to the live page, with deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dcrnet_runtime.outputs.page.clients.crowd import Crowd, group_of

HEADERS_S = 5.0
"""For the headers of a request, from the connection or the request's first byte on."""

IDLE_S = 15.0
"""For the first byte of another request on the same connection."""

BLOCKED_S = 15.0
"""For taking what has been sent, some 50 KB."""


class Connection(H11Protocol):
    """uvicorn's connection, which alone would wait for ever.

    Args:
        config: uvicorn's.
        server_state: uvicorn's.
        crowd: counts it; the application reaches the connection as ``request.state.connection``.
    """

    def __init__(self, config: Config, server_state: ServerState, crowd: Crowd) -> None:
        super().__init__(config, server_state, {"connection": self})
        self.group = ""
        self.is_stream = False
        self.blocked_since_s: float | None = None
        self._crowd = crowd
        self._is_between = False
        self._deadline: asyncio.TimerHandle | None = None
        self._blocked_deadline: asyncio.TimerHandle | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def take_seat(self) -> bool:
        """Whether there is room for an answer without an end."""
        return self._crowd.seat(self)

    def cut_off(self) -> None:
        """End it at once."""
        self.transport.abort()

    def connection_made(self, transport: Any) -> None:
        """It is open."""
        super().connection_made(transport)
        self.group = group_of(self.client[0] if self.client else "")
        self._crowd.add(self)
        self._allow(HEADERS_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        super().connection_lost(exc)
        self._crowd.remove(self)
        self._allow(None)
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Bytes have come; those that end no request's headers give no more time."""
        if self._is_between:
            self._is_between = False
            self._allow(HEADERS_S)
        super().data_received(data)
        if self.is_busy:
            self._allow(None)

    def on_response_complete(self) -> None:
        """The answer is written."""
        self.is_stream = False
        super().on_response_complete()
        if not self.transport.is_closing() and not self.is_busy:
            self._crowd.renew(self)
            self._is_between = True
            self._allow(IDLE_S)

    def pause_writing(self) -> None:
        """The client takes nothing at the moment."""
        super().pause_writing()
        self.blocked_since_s = self.loop.time()
        self._blocked_deadline = self.loop.call_later(BLOCKED_S, self.cut_off)

    def resume_writing(self) -> None:
        """The client has taken what was sent."""
        super().resume_writing()
        self.blocked_since_s = None
        if self._blocked_deadline is not None:
            self._blocked_deadline.cancel()

    def _allow(self, seconds: float | None) -> None:
        """Cut it off in so many seconds, None for never."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.cut_off)
