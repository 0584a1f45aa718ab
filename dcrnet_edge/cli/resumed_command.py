"""A command that goes on with what it was once asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dcrnet_runtime.cli.app import PlainCommand
from dcrnet_runtime.cli.settings_file import read_options

OPTIONS_NAME = "options.toml"
"""In a run's folder, what its command was given besides settings."""

_FIRST_WEIGHTS = ("start_from", "backbone_weights", "from_scratch")


class ResumedCommand(PlainCommand):
    """With ``--resume``, options that are not given are those of the run in ``--out``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        usual = next(param.default for param in self.params if param.name == "out")
        path = Path(str(given.get("out") or usual)) / OPTIONS_NAME
        if given.get("resume") and not given.get("all_folds") and path.is_file():
            values = read_options(path, self.params)
            values.pop("preset", None)  # what it says is in the run's own settings
            if any(given.get(name) for name in _FIRST_WEIGHTS):
                values = {k: v for k, v in values.items() if k not in _FIRST_WEIGHTS}
            ctx.default_map = values
        return super().parse_args(ctx, args)
