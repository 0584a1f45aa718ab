"""The page's own files, shipped beside this one."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.responses import Response

_FOLDER = Path(__file__).parent / "static"


def asset_response(
    name: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with a file of the page; read once, so that no client costs a descriptor."""
    kind, _ = mimetypes.guess_type(name)
    return Response(_content(name), status, headers, kind)


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
