"""Writes docs/bench-schema.json from the dataclasses that dcrnet-bench prints.

python tests/docs/write_schema.py
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from dcrnet_bench.report.report import SCHEMA, Report

PATH = Path(__file__).parents[2] / "docs" / "bench-schema.json"
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12; descriptions are those of the classes' attributes."""
    from pydantic import TypeAdapter

    found = TypeAdapter(Report).json_schema(mode="serialization")
    kinds = {kind.__name__: kind for kind in _classes(Report)}
    for name, definition in found["$defs"].items():
        if name in kinds:
            _describe(definition, kinds[name])
    _describe(found, Report)
    found["properties"]["schema"] = {
        "const": SCHEMA,
        "description": found["properties"]["schema"]["description"],
    }
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The last line that dcrnet-bench prints",
    }
    return {**head, **{key: value for key, value in found.items() if key != "title"}}


def text() -> str:
    """What the file holds."""
    return json.dumps(schema(), indent=2) + "\n"


def _describe(definition: dict[str, Any], kind: type) -> None:
    """All keys are always written, and no others; pydantic leaves out those that are derived."""
    from pydantic import TypeAdapter

    hints = get_type_hints(kind)
    for each in fields(kind):
        if not each.init:
            definition["properties"][each.name] = TypeAdapter(hints[each.name]).json_schema()
    told = dict(_ATTRIBUTE.findall(inspect.getdoc(kind) or ""))
    for key, value in definition["properties"].items():
        value.pop("title", None)
        value.pop("default", None)
        if "$ref" in value:
            definition["properties"][key] = value = {"allOf": [value]}
        value["description"] = " ".join(told[key].split())
    definition.pop("description", None)
    definition["required"] = list(definition["properties"])
    definition["additionalProperties"] = False


def _classes(kind: type) -> Iterator[type]:
    """The dataclass and those that its fields hold."""
    yield kind
    hints = get_type_hints(kind)
    for each in fields(kind):
        for inner in _inner(hints[each.name]):
            yield from _classes(inner)


def _inner(hint: Any) -> Iterator[type]:
    if is_dataclass(hint):
        yield cast(type, hint)
    for argument in get_args(hint):
        yield from _inner(argument)


if __name__ == "__main__":
    PATH.write_text(text())
    sys.stdout.write(f"{PATH}\n")
