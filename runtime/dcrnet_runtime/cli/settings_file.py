"""A command's options in a TOML file, under what stands on the command line."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from dcrnet_runtime.cli.app import PlainCommand
from dcrnet_runtime.errors import DcrnetError

MAX_BYTES = 1 << 20
_OWN = "config"
_ELSEWHERE = frozenset({_OWN, "version", "help"})


class ConfiguredCommand(PlainCommand):
    """A command whose option ``--config FILE.toml`` gives values to options that are not given.

    Attributes:
        alternatives: parameters of which one is wanted: where the command line gives one of them,
            the file's others are left aside.
    """

    alternatives: Collection[str] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        place = given.get(_OWN)
        if isinstance(place, str):
            values = read_options(Path(place), self.params)
            if any(given.get(name) for name in self.alternatives):
                values = {k: v for k, v in values.items() if k not in self.alternatives}
            ctx.default_map = {**(ctx.default_map or {}), **values}
        return super().parse_args(ctx, args)


def read_options(path: Path, params: Iterable[Any]) -> dict[str, Any]:
    """The options in a file, by the names of the parameters that they set.

    Args:
        path: TOML; each key is an option without its dashes, such as ``max-faces = 3``.
        params: a command's, as click has them.

    Raises:
        DcrnetError: the file cannot be read, is no TOML, or has an unknown key or a value of
            another kind. No value is repeated, since it may be a secret.
    """
    known = {}
    for param in params:
        for name in param.opts:
            if name.startswith("--") and name.strip("-") not in _ELSEWHERE:
                known[name.strip("-")] = param
    values = {}
    for key, value in _read(path).items():
        name = key.replace("_", "-")
        if name not in known:
            raise DcrnetError(f"{path} has the unknown key {key}: {_closest(name, known)}")
        values[known[name].name] = _checked(path, key, value, known[name])
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DcrnetError(f"settings file {path} has more than 1 MB: name a TOML file")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise DcrnetError(f"settings file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is no UTF-8"
        raise DcrnetError(f"settings file {path} is no TOML ({why}): mend that line") from error


def _closest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"


def _checked(path: Path, key: str, value: Any, param: Any) -> Any:
    if param.is_flag:
        wanted, fits = "true or false", isinstance(value, bool)
    elif param.multiple or param.nargs != 1:
        value = value if isinstance(value, list) else [value]
        wanted, fits = "a list of texts", all(map(_is_plain, value))
    else:
        wanted, fits = "a text or a number", _is_plain(value)
    if not fits:
        raise DcrnetError(f"{path}: {key} wants {wanted}: mend that line")
    return value


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
