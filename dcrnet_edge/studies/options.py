"""Options that several studies share: which models, and which images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_edge.cli.face_data import (
    FaceWorkersOption,
    FoldOption,
    FoldsOption,
    LandmarksCacheOption,
    LandmarksOption,
    ProtocolOption,
    SplitSeedOption,
    open_data,
    split_plan,
)
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped, model_path

if TYPE_CHECKING:
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef


@dataclass(frozen=True, slots=True)
class StudiedModels:
    """Whom a study asks."""

    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=model_path,
            metavar="MODEL",
            help="accurate, fast, checkpoints, ONNX or TFLite files; default: accurate and fast.",
        ),
    ] = None

    def refs(self) -> dict[str, ModelRef]:
        """The models by the stems of their answers' files: those called alike with their folder.

        Raises:
            DcrnetError: two files are called alike, and so are their folders.
        """
        from dcrnet_edge.evaluation.model_refs import ModelRef

        paths = self.models or [shipped.path for shipped in Shipped]
        count = Counter(path.name for path in paths)
        refs = {
            path.name if count[path.name] == 1 else _with_folder(path): ModelRef(path)
            for path in paths
        }
        if len(refs) < len(paths):
            twice = next(name for name, times in count.items() if times > 1)
            raise DcrnetError(f"two models are called {twice}: rename one")
        return refs


def _with_folder(path: Path) -> str:
    """Runs' files are all called alike; their folders are not."""
    return f"{path.resolve().parent.name}-{path.name}"


@dataclass(frozen=True, slots=True)
class StudiedImages:
    """What a study asks about."""

    data: Annotated[Path | None, typer.Option(help="The data set's folder.")] = None
    dataset: Annotated[str, typer.Option(help=f"Layout: {', '.join(dataset_names())}.")] = (
        "ferplus"
    )
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test"
    protocol: ProtocolOption = None
    fold: FoldOption = 0
    folds: FoldsOption = 10
    split_seed: SplitSeedOption = 0
    images: Annotated[
        int, typer.Option(min=0, help="A sample of so many images; 0: all of the split.")
    ] = 0
    seed: Annotated[int, typer.Option(min=0, help="Of that sample.")] = 0
    shared_labels: Annotated[
        bool,
        typer.Option("--shared-labels", help="Leave out labels that model or data do not know."),
    ] = False
    landmarks: LandmarksOption = None
    landmarks_cache: LandmarksCacheOption = None
    workers: FaceWorkersOption = 0

    def open(self) -> Images:
        """The images.

        Raises:
            DcrnetError: no folder is named, or it cannot be read or split.
        """
        from dcrnet_edge.datasets.sample import Split
        from dcrnet_edge.evaluation.model_refs import Images

        if self.data is None:
            raise DcrnetError("the study needs images: name the data set's folder with `data`")
        if self.split not in tuple(Split):
            raise DcrnetError(f"`split` {self.split} is unknown: choose {', '.join(Split)}")
        faces = open_data(
            self.dataset,
            self.data,
            split_plan(self.protocol, self.fold, self.folds, self.split_seed),
            self.landmarks,
            self.workers,
            landmarks_cache=self.landmarks_cache,
            needed=(Split(self.split),),
        )
        found = Images(faces, Split(self.split), self.data, self.shared_labels)
        return found if self.images == 0 else self._some(found)

    def _some(self, found: Images) -> Images:
        import numpy as np

        samples = found.data.samples(found.split)
        count = min(self.images, len(samples))
        chosen = np.random.default_rng(self.seed).permutation(len(samples))[:count]
        some = [samples[i] for i in sorted(chosen)]
        return replace(found, data=found.data.with_split(found.split, some))

    def settings(self, images: Images, refs: Mapping[str, ModelRef]) -> dict[str, object]:
        """What the answers depend on, and which models learned from these very images.

        Raises:
            DcrnetError: a model was trained on another split of them.
        """
        from dcrnet_edge.studies.training_data import LEARNED_BY, check_split

        chosen = {"images": self.images, "seed": self.seed} if self.images else {}
        told = {"dataset": images.data.dataset.name, "split": self.split, **images.provenance()}
        learned = check_split(refs, images)
        # Only where there are some: a folder of answers of a version without it goes on.
        return {**told, **chosen, **({LEARNED_BY: learned} if learned else {})}
