"""Who may see the live page: hosts, token and the headers that keep other pages out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.outputs.page.assets import asset_response
from dcrnet_runtime.outputs.page.attempts import AGAIN_S, Attempts
from dcrnet_runtime.outputs.page.clients.crowd import group_of

_OPEN = frozenset({"/healthz", "/page.css", "/icon.svg"})
_YEAR_S = 365 * 24 * 3600
_MOST_FORM_BYTES, _FORM_S = 4096, 5.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors "
)
_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets through who names the token, or, without one, who asks for this machine by name.

    A token comes as ``Authorization: Bearer``, or once in the form of ``/`` and from then on in a
    cookie that holds its digest. Wrong ones are looked at seldom. Without a token, a request whose
    ``Host`` is not this machine is refused: a hostile page can point its own name at the loopback
    address.

    Args:
        app: what is guarded.
        address: where it is served.
        token: empty for none.
        embedders: origins whose pages may show it in a frame.
    """

    def __init__(
        self, app: ASGIApp, address: PageAddress, token: str, embedders: Sequence[str] = ()
    ) -> None:
        self._app = app
        self._hosts = {"localhost", "127.0.0.1", "::1", address.host.lower()}
        self._token = token
        self._digest = hmac.digest(token.encode(), b"dcrnet live page", hashlib.sha256).hex()
        self._cookie = f"dcrnet_{address.port}"
        self._attempts = Attempts()
        ancestors = " ".join(embedders) or "'none'"
        self._headers = _HEADERS | {"Content-Security-Policy": _POLICY + ancestors}
        if not embedders:  # it knows no origins
            self._headers["X-Frame-Options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if scope["type"] != "http":
            return
        answer = await self._refusal(Request(scope, receive)) or self._app
        await answer(scope, receive, send_guarded)

    async def _refusal(self, request: Request) -> Response | None:
        """What to say instead of the page, None to show it."""
        if not self._token:
            if _host(request.headers) in self._hosts:
                return None
            return PlainTextResponse("This page is served to this machine only.", 421)
        if request.url.path in _OPEN or self._has_cookie(request.headers):
            return None
        is_form = request.url.path == "/" and request.method == "POST"
        given = await _form_token(request) if is_form else _bearer(request.headers)
        if given:
            client = group_of(request.client.host if request.client else "")
            if not self._attempts.may_try(client):
                text = f"Too many wrong tokens: try again in {AGAIN_S} seconds."
                return PlainTextResponse(text, 429, {"Retry-After": str(AGAIN_S)})
            if self._is_token(given):
                return self._welcome() if is_form else None
            self._attempts.fail(client)
        challenge = {"WWW-Authenticate": "Bearer"}
        if request.url.path == "/":
            return asset_response("sign-in.html", 401, challenge)
        return PlainTextResponse("A token is needed.", 401, challenge)

    def _welcome(self) -> Response:
        welcome = RedirectResponse("/", 303)
        welcome.set_cookie(
            self._cookie, self._digest, max_age=_YEAR_S, httponly=True, samesite="strict"
        )
        return welcome

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(
            cookie.value.encode(), self._digest.encode()
        )


def _host(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _bearer(headers: Headers) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


async def _form_token(request: Request) -> str:
    """What the sign-in form holds; empty where it is none, large or slow."""
    body = b""
    try:
        async with asyncio.timeout(_FORM_S):
            async for part in request.stream():
                body += part
                if len(body) > _MOST_FORM_BYTES:
                    return ""
    except (TimeoutError, ClientDisconnect):
        return ""
    return parse_qs(body.decode(errors="replace")).get("token", [""])[-1]
