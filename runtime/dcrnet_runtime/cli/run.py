"""``dcrnet-run``: expressions of the faces in photos, videos, streams and cameras."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, note_logs, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups
from dcrnet_runtime.cli.options import (
    SOURCE_NAMES,
    ConfigOptions,
    FaceOptions,
    ModelOptions,
    SourceOptions,
)
from dcrnet_runtime.cli.running.people_notice import NoticeOptions, people_notice
from dcrnet_runtime.cli.settings_file import ConfiguredCommand
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.pictures.specs import BlurOptions
from dcrnet_runtime.outputs.registry import OUTPUTS
from dcrnet_runtime.redaction import redacted

if TYPE_CHECKING:
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.outputs import OutputSpec
    from dcrnet_runtime.outputs.plan import OutputPlan
    from dcrnet_runtime.video.kind import Source


class _WithoutArguments(ConfiguredCommand):
    """Refuses arguments, and tells the option that they were meant for."""

    allow_extra_args = True
    alternatives = SOURCE_NAMES

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if rest:
            name = redacted(rest[0])
            raise DcrnetError(
                f"{name} stands alone: name it with --source {name}; for several photos"
                " their folder, or a pattern in quotes (--source 'photos/*.jpg')"
            )
        return rest


def build_app() -> typer.Typer:
    """The command, with the options of every output that is registered."""
    app = command_app()
    last = (BlurOptions, NoticeOptions, ConfigOptions, CommonOptions)
    groups = (SourceOptions, FaceOptions, ModelOptions, *OUTPUTS, *last)
    names = {"kind": "--detector", "is_strict": "--strict", "providers": "--provider"}
    app.command(cls=_WithoutArguments)(reported(**names)(with_groups(run, *groups)))
    return app


def run(source: SourceOptions, faces: FaceOptions, model: ModelOptions, *rest: Any) -> None:
    """Print the expression of every face as JSON Lines.

    Exit codes: 0 at the source's end, after --frames, and on SIGINT, SIGTERM or a closed window;
    2 for bad input, also a source that gives no frame at all, and photos without any face; 3 for
    a source that is lost.
    """
    *specs, blur, told, _, _ = rest
    if told.notice:
        plan = _plan(specs, blur, None)
        plan.check()
        typer.echo(people_notice(plan), nl=False)
        return
    if faces.fetch_landmarks:
        note("The face landmark networks are in this package: there is nothing to fetch.")
        if not source.is_named:
            return
    if model.self_test:
        _self_test(model.load())
        return
    found = source.resolved()
    _warn_of_installation()
    plan = _plan(specs, blur, found)
    plan.check()  # before the model takes its time
    loaded = model.load()
    plan = replace(plan, facts=replace(plan.facts, labels=loaded.card.labels))
    _observe(source, faces, found, loaded, plan)


def _observe(
    source: SourceOptions,
    faces: FaceOptions,
    found: Source | None,
    model: Model,
    plan: OutputPlan,
) -> None:
    from dcrnet_runtime.cli.running.runs import run_demo, run_live, run_photos
    from dcrnet_runtime.recognizer import Recognizer

    detector = faces.open(is_far=found is not None and found.is_still)
    recognizer = Recognizer(model, detector, min_confidence=faces.min_confidence)
    note(plan.notice())
    if found is None:
        run_demo(recognizer, plan)
    elif found.is_still:
        run_photos(recognizer, found, plan, source.frames)
    else:
        options = source.stream_options(faces.smoothing)
        run_live(recognizer, found, options, plan, source.frames)


def _plan(specs: list[OutputSpec], blur: BlurOptions, found: Source | None) -> OutputPlan:
    """The outputs, as far as they are known before the model with its labels is."""
    from dcrnet_runtime.outputs import Feed, FrameFacts, OutputPlan

    if found is None:
        facts = FrameFacts(feed=Feed.PHOTO)
    else:
        wants_fps = any(spec.needs_fps and spec.is_wanted for spec in specs)
        fps = found.stated_fps() if wants_fps else 0.0
        facts = FrameFacts((), found.kind.feed, fps, found.files())
    return OutputPlan(tuple(specs), facts, blur.blur_faces)


def _self_test(model: Model) -> None:
    """Print the result as one line of JSON.

    Raises:
        DcrnetError: this machine gives other answers than the exporter recorded.
    """
    import json

    from dcrnet_runtime.backends.golden import self_test

    test = self_test(model)
    origin = {"model_sha256": model.sha256, "runs_on": model.runs_on}
    typer.echo(json.dumps({**test.to_json(), **origin}))
    if not test.passed:
        raise DcrnetError(
            f"{model.runs_on} computes this model wrongly: its answer to the golden input"
            f" {test.worst!r} is {test.largest:.2f} off, {test.tolerance:.2g} is allowed. Use"
            " another --backend, or a float model"
        )


def _warn_of_installation() -> None:
    from dcrnet_runtime.cli.environment import cv2_conflict

    note_logs()
    conflict = cv2_conflict()
    if conflict:
        note(f"warning: {conflict}")


app = build_app()
