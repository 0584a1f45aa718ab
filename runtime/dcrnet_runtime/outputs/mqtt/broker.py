"""Where MQTT messages go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.redaction import ENCODING_HINT

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where messages go.

    Attributes:
        host: name or address.
        port: 1883, or 8883 with TLS, where none is given.
        is_encrypted: whether TLS is used, with the system's certificate authorities.
        topic: everything is published below it.
        username: empty for none.
        password: empty for none.
    """

    host: str
    port: int
    is_encrypted: bool
    topic: str
    username: str
    password: str

    @classmethod
    def parse(cls, url: str, environment: Mapping[str, str] = os.environ) -> Broker:
        """Read ``mqtt[s]://[USER:PASSWORD@]HOST[:PORT][/TOPIC]``.

        What the URL does not say of the credentials, ``DCRNET_MQTT_USERNAME`` and
        ``DCRNET_MQTT_PASSWORD`` do.

        Raises:
            DcrnetError: it is no such URL; the password is not repeated.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            host.encode("idna")
        except ValueError:  # UnicodeError is one
            host, port = "", None
        topic = unquote(parts.path).strip("/") if host else ""
        if (
            not host
            or parts.scheme not in _PORTS
            or set(url) & set("#?")
            or "@" in parts.path  # of a password with a slash, most likely
            or set(topic) & set("#+\0")
        ):
            raise DcrnetError(
                "`mqtt` wants mqtt://HOST[:PORT][/TOPIC], or mqtts:// for TLS; #, ? and"
                f" + have no place in it, and are written %23, %3F and %2B; {ENCODING_HINT}"
            )
        return cls(
            host,
            port or _PORTS[parts.scheme],
            parts.scheme == "mqtts",
            topic or "dcrnet",
            unquote(parts.username or "") or environment.get("DCRNET_MQTT_USERNAME", ""),
            unquote(parts.password or "") or environment.get("DCRNET_MQTT_PASSWORD", ""),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
