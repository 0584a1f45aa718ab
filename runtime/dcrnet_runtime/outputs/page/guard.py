"""Who may see the live page: hosts, token and the headers that keep other pages out."""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.outputs.page.assets import asset

_OPEN = frozenset({"/healthz", "/page.css", "/icon.svg"})
_YEAR_S = 365 * 24 * 3600
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets through who names the token, or, without one, who asks for this machine by name.

    A token comes as ``Authorization: Bearer``, or once as ``?token=`` and from then on in a
    cookie that holds its digest. Without a token, a request whose ``Host`` is not this machine
    is refused: a hostile page can point its own name at the loopback address.

    Args:
        app: what is guarded.
        address: where it is served.
        token: empty for none.
    """

    def __init__(self, app: ASGIApp, address: PageAddress, token: str) -> None:
        self._app = app
        self._hosts = {"localhost", "127.0.0.1", "::1", address.host.lower()}
        self._token = token
        self._digest = hmac.digest(token.encode(), b"dcrnet live page", hashlib.sha256).hex()
        self._cookie = f"dcrnet_{address.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if scope["type"] != "http":
            return
        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        """What to say instead of the page, None to show it."""
        if not self._token:
            if _host(request.headers) in self._hosts:
                return None
            return PlainTextResponse("This page is served to this machine only.", 421)
        if request.url.path in _OPEN:
            return None
        given = request.query_params.get("token", "")
        if self._is_token(given):
            if request.url.path != "/":
                return None
            welcome = RedirectResponse("/", 303)
            welcome.set_cookie(
                self._cookie, self._digest, max_age=_YEAR_S, httponly=True, samesite="strict"
            )
            return welcome
        if self._is_token(_bearer(request.headers)) or self._has_cookie(request.headers):
            return None
        challenge = {"WWW-Authenticate": "Bearer"}
        if request.url.path == "/":
            return FileResponse(asset("sign-in.html"), 401, challenge)
        return PlainTextResponse("A token is needed.", 401, challenge)

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
