"""Network cameras that serve JPEG pictures over HTTP."""

from __future__ import annotations

import base64
from http.client import HTTPException
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.captures.jpegs import JpegCapture
from dcrnet_runtime.video.kind import Source

_DEFAULT_TIMEOUT_S = 30.0


def open_mjpeg(source: Source, timeout_s: float) -> JpegCapture | None:
    """The camera at an HTTP address; None where it serves something else, or nothing.

    OpenCV reads such cameras as well, but when the size of their pictures changes it repeats
    the last one for ever.

    Args:
        source: a stream; its address may hold a user's name and password.
        timeout_s: of opening and of each read, 0 for half a minute.
    """
    try:
        response = urlopen(_request(source.address), timeout=timeout_s or _DEFAULT_TIMEOUT_S)
    except (OSError, ValueError, HTTPException):  # what is wrong with it, OpenCV finds as well
        return None
    if response.headers.get_content_maintype() != "multipart":
        response.close()
        return None
    facts = CaptureFacts(source.name, is_live=True, is_endless=True)

    def read(size: int) -> bytes:
        try:
            return response.read1(size)
        except HTTPException as error:
            raise OSError(f"the answer broke off ({type(error).__name__})") from error

    return JpegCapture(facts, read, response.close)


def _request(address: str) -> Request:
    """A name and a password go into the head, as browsers do it.

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(address)
    request = Request(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(secret).decode()}")
    return request
