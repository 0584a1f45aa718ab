"""``dcrnet-run``: expressions of the faces in photos, videos, streams and cameras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

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
from dcrnet_runtime.cli.running.archive_options import ArchiveOptions
from dcrnet_runtime.cli.running.browser_page import BrowserOptions
from dcrnet_runtime.cli.running.people_notice import NoticeOptions, people_notice
from dcrnet_runtime.cli.running.summary import app as summary_app
from dcrnet_runtime.cli.settings_file import ConfiguredCommand
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.pictures.specs import BlurOptions
from dcrnet_runtime.outputs.registry import OUTPUTS

if TYPE_CHECKING:
    from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.outputs import FrameFacts, OutputSpec
    from dcrnet_runtime.outputs.plan import OutputPlan
    from dcrnet_runtime.stream import StreamOptions
    from dcrnet_runtime.video.files.inputs import Inputs


class _RunCommand(ConfiguredCommand):
    """Reads options from a file as well; a source on the command line goes before one in it."""

    alternatives = SOURCE_NAMES
    others: ClassVar[Mapping[str, typer.Typer]] = {"summary": summary_app}
    """Commands beside it, by their first word; a file of that name is ./summary."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Of this command, or of the other one that the first word names."""
        other = self.others.get(args[0]) if args else None
        if other is None:
            return super().make_context(info_name, args, parent, **extra)
        command = typer.main.get_command(other)
        return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the context is of."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def build_app() -> typer.Typer:
    """The command, with the options of every output that is registered."""
    app = command_app(is_installed=True)
    before = (SourceOptions, ArchiveOptions, FaceOptions, ModelOptions, BrowserOptions)
    last = (BlurOptions, NoticeOptions, ConfigOptions, CommonOptions)
    groups = (*before, *OUTPUTS, *last)
    names = {"kind": "--detector", "is_strict": "--strict", "providers": "--provider"}
    epilog = "Also: dcrnet-run summary FILE, what a file of answers has in it, counted and drawn."
    app.command(cls=_RunCommand, epilog=epilog)(reported(**names)(with_groups(run, *groups)))
    return app


def run(
    source: SourceOptions,
    archive: ArchiveOptions,
    faces: FaceOptions,
    model: ModelOptions,
    browser: BrowserOptions,
    *rest: Any,
) -> None:
    """Print the expression of every face as JSON Lines.

    Exit codes: 0 at the source's end, after --frames, and on SIGINT, SIGTERM or a closed window;
    2 for bad input, also a source that gives no frame at all, photos without any face, a file
    among many that cannot be read, and a recording that is cut off; 3 for a source that is lost.
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
    if browser.is_wanted:
        browser.run(model)
        return
    if archive.is_clustered:
        _run_clustered(source, archive, faces, model, _plan(specs, blur, None))
        return
    found = archive.applied(source.resolved())
    _warn_of_installation()
    plan = archive.planned(_plan(specs, blur, found))
    plan.check()  # before the model takes its time
    loaded = model.load()
    is_far = found is not None and found.feed.is_still
    spec = replace(model.spec(faces, is_far=is_far), gives_features=plan.needs_features)
    options = source.stream_options(faces.smoothing, faces.track)
    facts = _with_model(plan.facts, loaded, spec, options)
    plan = replace(plan, facts=facts, model=loaded)
    if found is None or found.source is not None:
        _watch(spec, loaded, found, options, plan, source.frames)
    else:
        archive.run(found, spec, loaded, options, plan, source.frames)


def _run_clustered(
    source: SourceOptions,
    archive: ArchiveOptions,
    faces: FaceOptions,
    model: ModelOptions,
    plan: OutputPlan,
) -> None:
    from dcrnet_runtime.cli.running.clustered import check_clustered, run_clustered
    from dcrnet_runtime.outputs import Feed

    check_clustered(plan, source.frames)
    plan.check()
    photos = archive.clustered_photos(source.addresses())
    _warn_of_installation()
    loaded = model.load()
    spec = model.spec(faces, is_far=True)
    options = source.stream_options(faces.smoothing, faces.track)
    facts = replace(_with_model(plan.facts, loaded, spec, options), feed=Feed.PHOTOS)
    plan = replace(plan, facts=facts, model=loaded)
    run_clustered(photos, archive, spec, options, plan)


def _watch(
    spec: RecognizerSpec,
    model: Model,
    inputs: Inputs | None,
    options: StreamOptions,
    plan: OutputPlan,
    limit: int | None,
) -> None:
    from dcrnet_runtime.cli.running.runs import run_demo, run_live

    recognizer = spec.open(model)
    note(plan.notice())
    if inputs is None or inputs.source is None:
        run_demo(recognizer, plan)
    else:
        run_live(recognizer, inputs.source, options, plan, limit)


def _with_model(
    facts: FrameFacts, model: Model, spec: RecognizerSpec, options: StreamOptions
) -> FrameFacts:
    """What is known of the frames once the model is, and by which settings they are answered."""
    settings = {
        **spec.settings(),
        "smoothing_s": options.smoothing_s,
        "track": str(options.track),
        "rotation_deg": options.request.rotation_deg,
    }
    return replace(
        facts,
        labels=model.card.labels,
        model_sha256=model.sha256,
        feature_count=model.card.feature_count,
        settings=settings,
    )


def _plan(specs: list[OutputSpec], blur: BlurOptions, inputs: Inputs | None) -> OutputPlan:
    """The outputs, as far as they are known before the model with its labels is."""
    from dcrnet_runtime.outputs import Feed, FrameFacts, OutputPlan

    if inputs is None:
        facts = FrameFacts(feed=Feed.PHOTO)
    else:
        wants_fps = any(spec.needs_fps and spec.is_wanted for spec in specs)
        fps = inputs.fps if wants_fps else 0.0
        facts = FrameFacts((), inputs.feed, fps, inputs.paths, inputs.names)
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
    import warnings

    from dcrnet_runtime.cli.environment import cv2_conflict

    note_logs()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of oddities in files that it makes good
    conflict = cv2_conflict()
    if conflict:
        note(f"warning: {conflict}")


app = build_app()
