"""Build the ARM root of what is installed here, and tell where it is.

python -m dcrnet_bench.emulation
"""

from __future__ import annotations

import typer

from dcrnet_bench.emulation.root import build_root
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, reported

app = command_app()


@app.command()
@reported
def build() -> None:
    """Build aarch64 Python with what the runtime needs in the user's cache; needs a network."""
    root = build_root(note)
    typer.echo(root.folder)


if __name__ == "__main__":
    app()
