"""A command as another person can give it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def command_line(argv: Sequence[str]) -> str:
    """A command as it was given, for cards and results: of paths, which are private, their names.

    Files that are called alike, such as those of several runs, keep the folder that they lie in.

    Args:
        argv: program and arguments; a value may be a path, or a name and a path as in
            ``ferplus:FOLDER``.
    """
    named, names = [], Counter(Path(argument).name for argument in argv)
    for argument in argv:
        option, equals, value = (
            argument.partition("=") if argument[:1] == "-" else ("", "", argument)
        )
        path = Path(argument)
        if "/" in argument and path.suffix and names[path.name] > 1:
            named.append(f"{path.parent.name}/{path.name}")
        else:
            named.append(option + equals + _named(value))
    return shlex.join(named)


def _named(value: str) -> str:
    label, colon, path = value.partition(":")
    if colon and "/" in path and "/" not in label:
        return f"{label}:{Path(path).name}"
    return Path(value).name if "/" in value else value
