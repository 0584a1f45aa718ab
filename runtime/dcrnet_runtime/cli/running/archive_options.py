"""The options of ``dcrnet-run`` for many files: who answers them, and which."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dcrnet_runtime.archive.answering import ReadOptions
    from dcrnet_runtime.archive.cluster.photo_list import PhotoList
    from dcrnet_runtime.archive.engine import Engine
    from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
    from dcrnet_runtime.backends.model import Model
    from dcrnet_runtime.outputs.plan import OutputPlan
    from dcrnet_runtime.outputs.spec import OutputSpec
    from dcrnet_runtime.stream import StreamOptions
    from dcrnet_runtime.video.files.inputs import Inputs

_PANEL = "Many files"


class EngineName(StrEnum):
    """Who goes through the files."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """How many photos and recordings are gone through."""

    workers: Annotated[
        str,
        typer.Option(
            help="Processes that answer files: a number, or auto for one a core where there are"
            " enough files and memory.",
            metavar="auto|N",
            rich_help_panel=_PANEL,
        ),
    ] = "auto"
    shard: Annotated[
        str,
        typer.Option(
            help="Take every N-th file from the I-th on, for machines that share a list.",
            metavar="I/N",
            rich_help_panel=_PANEL,
        ),
    ] = ""
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Let outputs grow file by file, and go on with what they hold, also after a"
            " kill; give it from the first run on.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    engine: Annotated[
        EngineName,
        typer.Option(
            help="Who answers: processes of this machine, or a Ray cluster's, which read photos"
            " from paths and s3:// addresses and write --parts.",
            rich_help_panel=_PANEL,
        ),
    ] = EngineName.LOCAL
    ray_address: Annotated[
        str,
        typer.Option(
            help="Of the cluster; default: RAY_ADDRESS, or a cluster of this machine alone.",
            metavar="HOST:PORT",
            rich_help_panel=_PANEL,
        ),
    ] = ""

    @property
    def is_clustered(self) -> bool:
        """Whether a cluster answers.

        Raises:
            DcrnetError: an address is given, but no cluster is asked for.
        """
        if self.ray_address and self.engine is not EngineName.RAY:
            raise DcrnetError("`ray_address` is of `engine` ray: give that, or leave it out")
        return self.engine is EngineName.RAY

    def applied(self, inputs: Inputs | None) -> Inputs | None:
        """The sources of a call, of which this machine's share is left.

        Raises:
            DcrnetError: they are no files, and one of these options was given; or it is wrong.
        """
        from dcrnet_runtime.archive.item import Shard
        from dcrnet_runtime.archive.processes.cores import worker_count

        worker_count(self.workers, 1)
        share = Shard.parse(self.shard) if self.shard else Shard()
        if inputs is None or (inputs.source is not None and not inputs.paths):
            if self != ArchiveOptions():
                raise DcrnetError(
                    "`workers`, `shard` and `resume` are for photos and recordings in files: leave"
                    " them out"
                )
            return inputs
        source = None if self.resume or self.shard else inputs.source
        paths, names = share.of(inputs.paths), share.of(inputs.names)
        return replace(inputs, source=source, paths=tuple(paths), names=tuple(names))

    def clustered_photos(self, addresses: Sequence[str]) -> PhotoList:
        """The photos of a cluster's run, of which this share is left.

        Raises:
            DcrnetError: there are none, one cannot be answered by a cluster, or it is no share.
        """
        from dcrnet_runtime.archive.cluster.photo_list import PhotoList
        from dcrnet_runtime.archive.item import Shard

        share = Shard.parse(self.shard) if self.shard else Shard()
        found = PhotoList.of(addresses)
        if not found.photos:
            raise DcrnetError(
                "there is no photo to answer: name photos, folders or s3://BUCKET/KEY"
            )
        return replace(found, photos=tuple(share.of(found.photos)))

    def planned(self, plan: OutputPlan) -> OutputPlan:
        """The outputs, of which those to be gone on with have a file.

        Raises:
            DcrnetError: one cannot be gone on with, or wants the pictures that workers keep.
        """
        for spec in plan.wanted:
            if spec.takes_pixels and self.workers not in ("auto", "1"):
                raise DcrnetError(
                    f"`workers` {self.workers} send no pictures back, which `{_option(spec)}`"
                    " needs: leave one of them out"
                )
        if not self.resume:
            return plan
        plan = replace(plan, specs=tuple(spec for spec in plan.specs if not spec.yields))
        for spec in plan.wanted:
            if not spec.resumes or spec.standard_output:
                raise DcrnetError(
                    f"`{_option(spec)}` cannot be gone on with: `resume` wants files, such as"
                    " `jsonl` FILE or `csv` FILE, and no other output"
                )
        if not plan.wanted:
            raise DcrnetError("`resume` wants a file to go on with: `jsonl` FILE or `csv` FILE")
        return plan

    def run(
        self,
        inputs: Inputs,
        spec: RecognizerSpec,
        model: Model,
        stream: StreamOptions,
        plan: OutputPlan,
        limit: int | None,
    ) -> None:
        """Go through the files.

        Args:
            inputs: the files.
            spec: how workers open the recognizer.
            model: loaded.
            stream: how recordings are read.
            plan: the outputs.
            limit: frames after which it ends.

        Raises:
            DcrnetError: nothing can be answered, or outputs cannot be gone on with.
            typer.Exit: a file could not be read, or there was no face in any.
        """
        from dcrnet_runtime.archive.answering import ENOUGH_PX, ReadOptions
        from dcrnet_runtime.archive.engine import LocalEngine
        from dcrnet_runtime.archive.processes.cores import worker_count
        from dcrnet_runtime.archive.processes.pool import WorkerPool
        from dcrnet_runtime.cli.running.files import run_files

        takes_pixels = any(each.takes_pixels for each in plan.wanted)
        enough_px = None if takes_pixels or spec.min_face_px else ENOUGH_PX
        options = ReadOptions(stream, takes_pixels, enough_px)
        workers = 1 if takes_pixels else worker_count(self.workers, len(inputs.paths))
        engine: Engine
        if workers == 1:
            engine = LocalEngine(spec.open(model), options)
        else:
            engine = WorkerPool(spec, options, workers, model.sha256)
        note(plan.notice())
        settings = answer_settings(spec, model, options) if self.resume else None
        run_files(inputs, engine, plan, limit=limit, settings=settings)


def answer_settings(spec: RecognizerSpec, model: Model, options: ReadOptions) -> dict[str, Any]:
    """What answers depend on, by names that people know, as JSON values."""
    from dcrnet_runtime.outputs.record import SCHEMA

    stream = options.stream
    return {
        "schema": SCHEMA,
        "model (SHA-256)": model.sha256,
        **spec.settings(),
        "smoothing_s": stream.smoothing_s,
        "track": str(stream.track),
        "rotation_deg": stream.request.rotation_deg,
        "fps": stream.request.fps,
        "enough_px": options.enough_px,
    }


def _option(spec: OutputSpec) -> str:
    return fields(spec)[0].name
