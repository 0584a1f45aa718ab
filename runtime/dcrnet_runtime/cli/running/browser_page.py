"""The options of ``dcrnet-run`` that write or serve the phone's page instead of running here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command

if TYPE_CHECKING:
    from dcrnet_runtime.cli.options import ModelOptions

_PANEL = "In a phone's browser"


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """The page that runs a TFLite model in a browser."""

    write_page: Annotated[
        Path | None,
        typer.Option(
            help="Write the page that runs --model, a TFLite file, in a browser.",
            metavar="DIR",
            rich_help_panel=_PANEL,
        ),
    ] = None
    serve_page: Annotated[
        str,
        typer.Option(
            help="Serve that page; to this machine only unless an address is given.",
            metavar="[ADDR:]PORT",
            rich_help_panel=_PANEL,
        ),
    ] = ""
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="Serve it by HTTPS with a self-made certificate: over the network a browser gives"
            " its camera to no other page.",
            rich_help_panel=_PANEL,
        ),
    ] = False

    @property
    def is_wanted(self) -> bool:
        """Whether the page is what is asked for."""
        return self.write_page is not None or bool(self.serve_page)

    def run(self, model: ModelOptions) -> None:
        """Write it, then serve it until a signal comes.

        Raises:
            DcrnetError: the model is none for the page, or it cannot be written or served.
        """
        with tempfile.TemporaryDirectory(prefix="dcrnet-page-") as temporary:
            folder = self.write_page or Path(temporary) / "page"
            _write(folder, model)
            if self.serve_page:
                self._serve(folder, Path(temporary))
            else:
                note(f"The page is {folder}: any web server can serve it (docs/phone.md).")

    def _serve(self, folder: Path, temporary: Path) -> None:
        from dcrnet_runtime.outputs.page.address import PageAddress

        try:
            from dcrnet_runtime.browser.certificate import Certificate
            from dcrnet_runtime.browser.server import folder_app, folder_server, serve
        except ImportError as error:
            raise DcrnetError(
                f"`serve_page` needs Starlette and uvicorn: {extra_command('serve')}"
            ) from error
        try:
            address = PageAddress.parse(self.serve_page)
            listening = address.listen()
        except DcrnetError as error:  # there the option is the live page's
            raise DcrnetError(str(error).replace("`serve`", "`serve_page`")) from error
        certificate = None
        if self.tls:
            certificate = Certificate.make(temporary, [address.host, "localhost"])
        url = address.url.replace("http:", "https:") if self.tls else address.url
        note(f"The page is at {url}")
        if not (self.tls or address.is_loopback):
            note("A browser gives its camera to HTTPS and localhost alone: --tls, or photos only.")
        serve(folder_server(folder_app(folder), certificate), listening)


def _write(folder: Path, model: ModelOptions) -> None:
    from dcrnet_runtime.browser.folder import write_page
    from dcrnet_runtime.models import shipped_model

    write_page(folder, model.load(), model.model or shipped_model())
