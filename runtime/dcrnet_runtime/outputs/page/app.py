"""The live page's routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from dcrnet_runtime.outputs.page.assets import asset_response
from dcrnet_runtime.outputs.page.metrics import exposition
from dcrnet_runtime.outputs.page.newest import Newest

STALLED_S = 15.0
"""A source that has given no frame for so long is not healthy."""

_PICTURE_S, _EVENT_S = 1 / 20, 1 / 10  # at least between two
_IDLE_S = 10.0
_BOUNDARY = b"--frame\r\n"
_FILES = {
    "/": "page.html",
    "/page.css": "page.css",
    "/page.js": "page.js",
    "/icon.svg": "icon.svg",
}


def page_app(newest: Newest) -> ASGIApp:
    """The ASGI application, served by a :class:`Connection` and not guarded yet.

    Args:
        newest: what is shown.
    """

    async def file(request: Request) -> Response:
        return asset_response(_FILES[request.url.path])

    async def healthz(request: Request) -> Response:
        age_s = newest.age_s
        is_well = age_s is not None and age_s < STALLED_S
        status = "ok" if is_well else "starting" if age_s is None else "stalled"
        return JSONResponse({"status": status}, 200 if is_well else 503)

    async def metrics(request: Request) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(exposition(newest), media_type=kind)

    async def stream(request: Request) -> Response:
        kind = "multipart/x-mixed-replace; boundary=frame"
        return _endless(request, _pictures(newest), kind)

    async def events(request: Request) -> Response:
        return _endless(request, _events(newest), "text/event-stream")

    routes = [Route(path, file) for path in _FILES]
    for handler in (healthz, metrics, stream, events):
        routes.append(Route(f"/{handler.__name__}", handler))
    return Starlette(routes=routes)


def _endless(request: Request, parts: AsyncIterator[bytes], kind: str) -> Response:
    if request.method == "HEAD":  # has no body that could end
        return Response(media_type=kind)
    if not request.state.connection.take_seat():
        return PlainTextResponse("Too many are looking.", 503, {"Retry-After": "10"})
    return StreamingResponse(parts, media_type=kind)


async def _pictures(newest: Newest) -> AsyncIterator[bytes]:
    """JPEG parts; each boundary follows its picture at once, or browsers show the one before."""
    yield _BOUNDARY
    sequence = 0
    while not newest.is_closed:
        if not await newest.after(sequence, _IDLE_S):
            continue
        jpeg, sequence = await newest.jpeg(sequence)
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        yield head.encode() + jpeg + b"\r\n" + _BOUNDARY
        await asyncio.sleep(_PICTURE_S)


async def _events(newest: Newest) -> AsyncIterator[bytes]:
    """Server-sent events with the newest observation, and a sign of life when there is none."""
    yield b"retry: 2000\n\n"
    sequence = 0
    while not newest.is_closed:
        if await newest.after(sequence, _IDLE_S):
            sequence = newest.sequence
            yield f"data: {json.dumps(newest.record())}\n\n".encode()
            await asyncio.sleep(_EVENT_S)
        else:
            yield b": nothing new\n\n"
