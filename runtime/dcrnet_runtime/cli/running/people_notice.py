"""What people in front of the camera are to be told (AI Act, Art. 50(3))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.plan import OutputPlan

_TEXT = """\
THIS CAMERA IS USED TO ESTIMATE FACIAL EXPRESSIONS

A program, dcrnet-run, looks at the faces that this camera sees and estimates
which expression each of them shows. An expression is not a feeling, and the
estimate can be wrong. The program recognises nobody: it computes no identity.

Kept: {kept}.
Sent: {sent}.

Who is responsible (name, contact): ______________________________________
For what purpose, on what legal basis: ___________________________________
What is kept is deleted after: ___________________________________________
How to pass without being seen by it: ____________________________________

You can ask those who are responsible what they hold about you, have it
corrected or deleted, object, and complain to a data protection authority.

In the European Union inferring emotions at the workplace and in education is
prohibited, but for medical or safety reasons (Regulation (EU) 2024/1689,
Art. 5(1)(f)); elsewhere people who are exposed to it have to be told
(Art. 50(3)).
"""


@dataclass(frozen=True, slots=True)
class NoticeOptions:
    """What people are told."""

    notice: Annotated[
        bool,
        typer.Option(
            "--notice",
            help="Print a text for people in front of the camera, with what the outputs that are"
            " named beside it keep and send, and end.",
        ),
    ] = False


def people_notice(plan: OutputPlan) -> str:
    """A text to print and put up, with blanks for what the program cannot know.

    Args:
        plan: the outputs that will run.
    """
    return _TEXT.format(kept=plan.kept or "nothing", sent=plan.sent or "nothing")
