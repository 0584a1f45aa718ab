"""Serves the page's folder: what browsers ask of a page that computes with threads."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dcrnet_runtime.browser.certificate import Certificate

_HEADERS = {
    # Both together let the page use threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Kept by the browser, which asks whether it has changed: the next visit transfers nothing.
    "Cache-Control": "no-cache",
}
_LEAST_BYTES = 1024
_LEVEL = 4  # of gzip: the model takes a third of a second


class _Headers:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def folder_app(folder: Path, routes: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The folder's files, compressed, behind routes that come first."""
    return Starlette(
        routes=[*routes, Mount("/", StaticFiles(directory=folder, html=True))],
        middleware=[
            Middleware(_Headers),
            Middleware(GZipMiddleware, minimum_size=_LEAST_BYTES, compresslevel=_LEVEL),
        ],
    )


def folder_server(app: ASGIApp, certificate: Certificate | None = None) -> uvicorn.Server:
    """A server for :func:`serve`, to be ended by its ``should_exit``."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            ssl_certfile=certificate.chain if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
    )


def serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until ``server.should_exit``, SIGINT or SIGTERM."""
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn gives the signal back once it has ended in order
        return
    finally:
        listening.close()
