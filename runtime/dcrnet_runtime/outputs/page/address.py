"""Where the live page listens, and who may look at it."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from dcrnet_runtime.errors import DcrnetError

_LOOPBACK = "127.0.0.1"
_SHORTEST_TOKEN = 12
_DEAF_MS = 15_000
_SENT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An address to listen on.

    Attributes:
        host: name or address, without brackets.
        port: 1 to 65535, or 0 for any free one.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> PageAddress:
        """Read ``[ADDR:]PORT``; the address of IPv6 stands in brackets.

        Raises:
            DcrnetError: it is no such thing.
        """
        host, _, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        is_bracketed = host.startswith("[") and host.endswith("]")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536) or (
            ":" in host and not is_bracketed
        ):
            raise DcrnetError(
                f"`serve` {text} is no [ADDR:]PORT: such as 8080, or 0.0.0.0:8080 for the network"
            )
        return cls(bare or _LOOPBACK, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"

    def check_token(self, token: str) -> None:
        """Refuse to show the page to a network without a token that is worth the name.

        Raises:
            DcrnetError: there is none, or it is short.
        """
        if not token and self.is_loopback:
            return
        if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
            raise DcrnetError(
                f"`serve` {self.host}:{self.port} needs a token of {_SHORTEST_TOKEN} or more ASCII"
                f" characters: `token` {secrets.token_urlsafe(16)}, say, or DCRNET_TOKEN in the"
                " environment"
            )

    def listen(self) -> socket.socket:
        """A listening socket.

        Raises:
            DcrnetError: the address is not this machine's, or the port is taken.
        """
        try:
            family, _, _, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listening = socket.create_server(place[:2], family=family)
        except (OSError, UnicodeError) as error:
            # Some versions of Python add the address, which is named anyway.
            reason = (getattr(error, "strerror", None) or "no such host").partition(" (")[0]
            raise DcrnetError(
                f"`serve` {self.host}:{self.port} cannot listen ({reason}): name another port, or"
                " an address of this machine"
            ) from error
        # Accepted sockets inherit both. The system would hold megabytes for a client that takes
        # nothing, and it would not show.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAF_MS)
        return listening


def embedder_origin(text: str) -> str:
    """Check the origin of pages that may show this one in a frame.

    Raises:
        DcrnetError: it is no ``http[s]://HOST[:PORT]``.
    """
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        scheme, host, port = "", "", None
    netloc = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{netloc}" + (f":{port}" if port else "")
    # It becomes part of a header, where a * or a blank would let in others.
    is_plain = all(c.isascii() and (c.isalnum() or c in "-._:[]") for c in netloc)
    if (
        scheme not in ("http", "https")
        or not host
        or origin != text.lower().rstrip("/")
        or not is_plain
    ):
        raise DcrnetError(
            f"`allow_embedding` {text} is no origin: such as http://homeassistant.local:8123"
        )
    return origin
