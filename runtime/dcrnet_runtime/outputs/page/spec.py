"""The options of the live page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.outputs.page.address import PageAddress, embedder_origin
from dcrnet_runtime.outputs.spec import PANEL, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output


@dataclass(frozen=True, slots=True)
class PageSpec(OutputSpec):
    """The live page.

    Attributes:
        serve: ``[ADDR:]PORT`` to listen on, empty for no page.
        token: that the page asks for.
        allow_embedding: origins whose pages may show it in a frame.
    """

    is_watched: ClassVar[bool] = True
    can_blur: ClassVar[bool] = True

    serve: Annotated[
        str,
        typer.Option(
            help="Live page; on this machine only unless an address is given.",
            metavar="[ADDR:]PORT",
            rich_help_panel=PANEL,
        ),
    ] = ""
    token: Annotated[
        str,
        typer.Option(help="What the page asks for.", envvar="DCRNET_TOKEN", rich_help_panel=PANEL),
    ] = ""
    allow_embedding: Annotated[
        list[str] | None,
        typer.Option(
            help="Let pages of this origin show the live page in a frame; may be repeated.",
            metavar="ORIGIN",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return bool(self.serve)

    def check(self) -> None:
        if self.serve:
            PageAddress.parse(self.serve).check_token(self.token)
        elif self.allow_embedding:
            raise DcrnetError("`allow_embedding` needs a page: `serve` 8080")
        for origin in self.allow_embedding or ():
            embedder_origin(origin)

    def sent(self, faces: str) -> str:
        address = PageAddress.parse(self.serve)
        who = "to this machine" if address.is_loopback else "to the network, in the clear,"
        return f"pictures ({faces}) {who} at {address.url}"

    def open(self, context: OutputContext) -> Output:
        address = PageAddress.parse(self.serve)
        try:
            from dcrnet_runtime.outputs.page.server import LivePage
        except ImportError as error:
            raise DcrnetError(
                f"`serve` needs Starlette, uvicorn and prometheus-client: {extra_command('serve')}"
            ) from error
        return LivePage(
            address,
            self.token,
            blur_faces=context.blur_faces,
            embedders=[embedder_origin(origin) for origin in self.allow_embedding or ()],
            failures=context.failures,
        )
