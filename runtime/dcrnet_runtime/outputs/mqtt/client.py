"""paho's client with bounds, and with the reasons that paho keeps to itself."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

MOST_BYTES = 65_536
"""Of one packet from a broker. Nothing is subscribed to, so that acknowledgements are all that is
due, of some bytes each."""

# Of OpenSSL's X509_V_ERR_*.
_OTHER_NAME = (62, 64)
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_WRONG_TIME = (9, 10)


class BoundedClient(Client):
    """A client that takes no large packet, and knows why it could not connect.

    Attributes:
        trouble: why the last attempt failed, empty where it did not.
    """

    def __init__(self, client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id)
        self.trouble = ""

    def reconnect(self) -> Any:
        """Connect; see :meth:`Client.reconnect`."""
        self.trouble = ""
        try:
            return super().reconnect()
        except OSError as error:
            self.trouble = why(error)
            raise

    def _sock_recv(self, bufsize: int) -> bytes:
        # paho asks for as many bytes as a packet announces, and Python sets them aside at once.
        if bufsize > MOST_BYTES:
            self.trouble = f"it announces a message of {bufsize / 1e6:.1f} MB: is it a broker?"
            raise ConnectionAbortedError(self.trouble)
        return super()._sock_recv(bufsize)


def why(error: OSError) -> str:
    """What kept a connection from being made, and what to look at."""
    match error:
        case ssl.SSLCertVerificationError(verify_code=code) if code in _OTHER_NAME:
            return "its certificate is for another name: call it as the certificate does"
        case ssl.SSLCertVerificationError(verify_code=code) if code in _UNKNOWN_AUTHORITY:
            return (
                "its certificate is from an authority that this machine does not know: name the"
                " authority's file in SSL_CERT_FILE"
            )
        case ssl.SSLCertVerificationError(verify_code=code) if code in _WRONG_TIME:
            return "its certificate is out of date, or this machine's clock is wrong"
        case ssl.SSLCertVerificationError():
            return f"its certificate is refused: {error.verify_message}"
        case ssl.SSLError():
            return "it speaks no TLS there: another port, or mqtt:// for none"
        case ConnectionRefusedError():
            return "nothing listens at that port"
        case socket.gaierror():
            return "its name is not known"
        case TimeoutError():
            return "it does not answer"
        case _:
            return error.strerror or str(error) or type(error).__name__
