"""Commands whose options are declared in groups, each a frozen dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_type_hints

from dcrnet_runtime.cli.console import VersionOption


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every command has."""

    version: VersionOption = False


def with_groups(command: Callable[..., None], *groups: type) -> Callable[..., None]:
    """A command for typer that has every field of the groups as an option, in their order.

    Args:
        command: is called with one object of each group.
        groups: dataclasses whose fields are ``Annotated[..., typer.Option(...)]`` with defaults
            and differ in their names.
    """
    names = [[field.name for field in fields(group)] for group in groups]

    def run(**values: Any) -> None:
        given = [{name: values[name] for name in own} for own in names]
        command(*(group(**own) for group, own in zip(groups, given, strict=True)))

    hints = {
        name: hint
        for group in groups
        for name, hint in get_type_hints(group, include_extras=True).items()
    }
    parameters = [_parameter(field, hints[field.name]) for g in groups for field in fields(g)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    return run


def _parameter(field: Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, keyword, default=default, annotation=annotation)
