"""Dataclasses out of the JSON values that ``dataclasses.asdict`` made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_values(kind: type[T], values: object, place: str = "") -> T:
    """The dataclass ``kind`` of JSON values; keys that it does not know are left out.

    Args:
        kind: of dataclasses, tuples, dicts with text as keys, enums, None and JSON's own types.
        values: as ``json.loads`` gives them.
        place: of ``values`` in the document, for the error.

    Raises:
        ValueError: a key is missing, or a value has another type; names its place.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{place or 'the document'} is no object")
    hints = get_type_hints(kind)
    given = {}
    for each in fields(kind):  # type: ignore[arg-type]
        if not each.init:
            continue
        where = f"{place}.{each.name}".lstrip(".")
        if each.name in values:
            given[each.name] = _value(hints[each.name], values[each.name], where)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{where} is missing")
    return kind(**given)


def _value(hint: Any, value: object, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, UnionType):
        if value is None and NoneType in arguments:
            return None
        (inner,) = (each for each in arguments if each is not NoneType)
        return _value(inner, value, place)
    if is_dataclass(hint):
        return from_values(hint, value, place)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        if len(kinds) == len(value):
            pairs = enumerate(zip(kinds, value, strict=True))
            return tuple(_value(inner, each, f"{place}.{i}") for i, (inner, each) in pairs)
    if origin is dict and isinstance(value, Mapping):
        return {key: _value(arguments[1], each, f"{place}.{key}") for key, each in value.items()}
    if isinstance(hint, type) and _is_plain(hint, value):
        return hint(value)
    raise ValueError(f"{place} cannot be {value!r}"[:200])


def _is_plain(hint: type, value: object) -> bool:
    if issubclass(hint, Enum):
        return value in [each.value for each in hint]
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
