"""One request over HTTP, which tells why it failed and takes credentials to no other host."""

from __future__ import annotations

import base64
import socket
import ssl
from http.client import HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPDigestAuthHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPPasswordMgrWithDefaultRealm,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from dcrnet_runtime.errors import DcrnetError

_DEFAULT_TIMEOUT_S = 30.0
_STATUSES = {
    401: "it refuses the name or the password (401): check both",
    403: "it refuses access (403): check the name's rights",
    404: "it has no such path (404): check the address behind the host",
}


def open_http(
    address: str, name: str, timeout_s: float = 0.0, *, first_byte: int = 0
) -> HTTPResponse:
    """The answer to a request for an address.

    Args:
        address: may hold a user's name and password, which go into the head as browsers do it,
            or are proven without being sent where the server asks for a digest.
        name: of the source, for people.
        timeout_s: of opening and of each read, 0 for half a minute.
        first_byte: of the file behind the address, where its server gives parts.

    Raises:
        DcrnetError: there is none, and why.
    """
    try:
        opener, request = _opener(address)
        if first_byte:
            request.add_header("Range", f"bytes={first_byte}-")
        answer: HTTPResponse = opener.open(request, timeout=timeout_s or _DEFAULT_TIMEOUT_S)
    except Exception as error:  # whatever urllib meets in hostile heads
        raise DcrnetError(f"stream {name} gave no frame: {_reason(error, address)}") from error
    return answer


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme.lower(), 0)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or default


class _Redirects(HTTPRedirectHandler):
    """Follows to http and https; credentials go on to the very same origin alone."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme.lower() not in ("http", "https"):
            raise URLError("it redirects to what is no http address")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        secret = req.unredirected_hdrs.get("Authorization")
        if following is not None and secret and origin(req.full_url) == origin(newurl):
            following.add_unredirected_header("Authorization", secret)
        return following


def _opener(address: str) -> tuple[OpenerDirector, Request]:
    """What opens an address, and the request for it without its credentials.

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(address)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    request = Request(plain)
    opener = OpenerDirector()
    handlers: list[Any] = [
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
    ]
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
        passwords = HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, plain, user, password)
        handlers.append(HTTPDigestAuthHandler(passwords))
    for handler in handlers:
        opener.add_handler(handler)
    return opener, request


def _reason(error: Exception, address: str) -> str:
    """Why, in the words of whoever is to mend it."""
    if isinstance(error, HTTPError):
        known = _STATUSES.get(error.code)
        return known or f"it answers {error.code} ({error.reason}): look at it in a browser"
    cause = error.reason if isinstance(error, URLError) else error
    match cause:
        case ConnectionRefusedError():
            return "nothing listens there (connection refused): check host and port"
        case socket.gaierror():
            return f"the host {urlsplit(address).hostname} is not known: check its name"
        case TimeoutError():
            return "it does not answer in time: check that it is reachable"
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({cause.verify_message}): name its authority's"
                " file in the environment as SSL_CERT_FILE"
            )
        case OSError():
            return f"{cause.strerror or cause}: is the address right and reachable?"
    return "it is no address, or its server speaks no HTTP: is the address right and reachable?"
