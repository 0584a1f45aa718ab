"""Addresses without what they keep secret."""

from __future__ import annotations

import re

HIDDEN = "..."
"""Stands where something is not shown."""

ENCODING_HINT = "in a name or password write / as %2F, ? as %3F, # as %23, @ as %40 and : as %3A"
"""What an address may lack in which user and password cannot be told from the rest."""

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%a-z]+\]|[\w.-]*)(?::\d{1,5})?", re.ASCII)
_IN_TEXT = re.compile(r"(?<![\w+])[A-Za-z][\w+.-]*://\S+")
_TRAILING = "'\")]},.;:"
# What cameras, servers and recorders call their streams; any other part of a path may be a token.
_STREAM_WORD = re.compile(
    r"""
    amp| api| app| asf| av| avi| avif| axis| bin| cam| camera| cameras| cams| cgi| ch|
    channel| channels| clip| feed| flv| frame| gif| h| hls| http| id| image| images|
    img| index| jpeg| jpg| live| m| main| mainstream| media| mjpeg| mjpg| mkv| monitor|
    motion| mov| mp| mpd| mpeg| mpegts| mpg| multicast| nph| nphmotionjpeg| onvif|
    photo| picture| play| playlist| png| preview| profile| realmonitor| record| rtmp|
    rtsp| s| sdp| shot| snap| snapshot| stream| streamer| streaming| streams| sub|
    substream| test| track| ts| u| unicast| video| videos| view| webm| webp
    """,
    re.VERBOSE,
)
_MOST_DIGITS = 3  # of a channel or track
_SECRET_SIGNS = re.compile(r":[^@]*@|\?[^=]*=|^[A-Za-z][A-Za-z0-9+.-]+:/")


def redacted(address: str) -> str:
    """An address as people, outputs and logs may see it.

    Left are scheme, host and port, and the parts of its path that are usual names of streams.
    User, password, query and fragment are left out, and so is any part of a path that may be a
    token. Where a password cannot be told from the rest, only the scheme is left. What is no
    address (a path, a camera's number) stays as it is, unless it seems to be a mistyped one.
    """
    scheme, sign, rest = address.partition("://")
    if not sign:
        return HIDDEN if _SECRET_SIGNS.search(address) else address
    if scheme.lower() == "file" and rest.startswith("/"):
        return address
    if is_ambiguous(address):
        return f"{scheme}://{HIDDEN}" if scheme.replace("+", "").isalnum() else HIDDEN
    authority, tail = _divided(rest)
    path, *hidden = re.split(r"[?#]", tail, maxsplit=1)
    parts = [part if _is_usual(part) else HIDDEN for part in path.split("/")]
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}{'/'.join(parts)}{'?' + HIDDEN if hidden else ''}"


def redacted_text(text: str) -> str:
    """A text of others' making, such as a library's message, with every address redacted."""

    def replaced(found: re.Match[str]) -> str:
        address = found[0].rstrip(_TRAILING)
        return redacted(address) + found[0][len(address) :]

    return _IN_TEXT.sub(replaced, text)


def is_ambiguous(address: str) -> bool:
    """Whether a password may reach into what looks like the host or the path of an address."""
    _, sign, rest = address.partition("://")
    authority, tail = _divided(rest)
    return bool(sign) and ("@" in tail or not _HOST.fullmatch(authority.rpartition("@")[2]))


def _divided(rest: str) -> tuple[str, str]:
    """What stands before the first ``/``, ``?`` or ``#``, and all from there on."""
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    return rest[:end], rest[end:]


def _is_usual(part: str) -> bool:
    if not re.fullmatch(r"[\w.-]*", part, re.ASCII):
        return False
    words, numbers = re.findall(r"[a-z]+", part.lower()), re.findall(r"\d+", part)
    digits = sum(map(len, numbers))
    return digits <= _MOST_DIGITS and all(map(_STREAM_WORD.fullmatch, words))
