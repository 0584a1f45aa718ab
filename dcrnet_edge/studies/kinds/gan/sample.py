"""How good a generator's faces are, and whether they are copies."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.kinds.gan.options import GeneratorOptions, OpenedGenerator
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.weights import checkpoint_path
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from dcrnet_edge.datasets.sample import Sample
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.generating.features import Described
    from dcrnet_edge.studies.generating.memorisation import Memorisation
    from dcrnet_edge.studies.generating.picture_file import Picture

SHEET_NAME = "faces.png"
_GENERATED, _FEATURES, _NEIGHBOURS = "generated", "features", "neighbours"
_LEAST_VALID = 10
_DRAWS = 20


@dataclass(frozen=True, slots=True)
class GanSampleOptions:
    """How many faces, and by whose features they are judged."""

    model: Annotated[
        Path,
        typer.Option(
            parser=checkpoint_path,
            metavar="CHECKPOINT",
            help="The expression network: accurate, fast or a checkpoint.",
        ),
    ] = Path(Shipped.FAST)
    faces: Annotated[int, typer.Option(min=20, help="To draw of each label.")] = 200
    shown: Annotated[int, typer.Option(min=1, max=20, help="Of these in the grid.")] = 8
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0


class GanSamples:
    """Draws faces, describes them and real ones by features, and looks for neighbours."""

    summary = "How good are generated faces, and are they copies of training faces?"
    groups = (GeneratorOptions, GanSampleOptions)

    def plan(self, asked: GeneratorOptions, own: GanSampleOptions) -> Plan:
        """Faces, their features, and the nearest real ones of those that are shown."""
        from hashlib import sha256

        from dcrnet_edge.datasets.sample import Split
        from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
        from dcrnet_edge.models.checkpoint import load_checkpoint

        model = own.model
        if model.suffix != CHECKPOINT_SUFFIX:
            raise DcrnetError(
                f"`model` {model} has no features to compare: name a .safetensors checkpoint"
            )
        load_checkpoint(model)
        opened = asked.open({Split.VALID: _LEAST_VALID})
        settings = {
            **opened.settings(),
            "model": model.name,
            "model_sha256": sha256(model.read_bytes()).hexdigest(),
            **{"faces": own.faces, "shown": own.shown, "seed": own.seed},
        }
        write = functools.partial
        return Plan(
            settings,
            [
                Unit(_GENERATED, write(_write_generated, opened, own)),
                Unit(_FEATURES, write(_write_features, opened, model), (_GENERATED,)),
                Unit(_NEIGHBOURS, write(_write_neighbours, opened, own.shown), (_FEATURES,)),
            ],
        )

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Distances by label, signs of copying, and the grid."""
        from dcrnet_edge.studies.generating.features import read_described
        from dcrnet_edge.studies.generating.memorisation import memorisation
        from dcrnet_edge.studies.generating.picture_file import read_pictures

        labels, shown = settings["labels"], settings["shown"]
        found = read_described(answers[_FEATURES])
        qualities = {label: _quality(label, found) for label in labels}
        copies = {
            label: memorisation(found[_GENERATED].of(label), found["train"], found["valid"])
            for label in labels
        }
        drawn = _by_label(read_pictures(answers[_GENERATED]), labels, shown)
        neighbours = _by_label(read_pictures(answers[_NEIGHBOURS]), labels, shown)
        return Findings(
            title="How good are generated faces, and are they copies?",
            claim="it shows no generated face and measures none.",
            verdict=[
                *(_verdict(label, qualities[label], copies[label]) for label in labels),
                f"Features: those of {settings['model']} before its head, averaged over the map,"
                " by the principal components of Train's. Frechet distances are the mean of"
                f" {_DRAWS} draws of as many faces as the row names, real and generated alike,"
                " against Train: with other numbers they would be others.",
            ],
            tables=[
                Table("Quality by label", _quality_rows(qualities)),
                Table("Nearest training faces", _copy_rows(copies)),
            ],
            charts=[
                _grid(drawn, is_copying=any(each.is_copying for each in copies.values())),
                _beside(drawn, neighbours, found),
            ],
            facts={
                "quality": {label: asdict(each) for label, each in qualities.items()},
                "memorisation": {label: asdict(each) for label, each in copies.items()},
            },
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """How near one label's generated faces are to its real ones.

    Attributes:
        faces: that each Frechet distance to Train is of.
        generated: mean Frechet distance of so many generated faces.
        real: of so many faces of Valid, the floor.
        recognised: share of the generated faces that the network gives their label.
        real_recognised: the same of Valid's.
    """

    faces: int
    generated: float
    real: float
    recognised: float
    real_recognised: float


def _quality(label: str, found: Mapping[str, Described]) -> Quality:
    import numpy as np

    from dcrnet_edge.studies.generating.frechet import frechet_distance

    generated, train, valid = (found[kind].of(label) for kind in (_GENERATED, "train", "valid"))
    count = min(len(generated), len(valid))
    rng = np.random.default_rng(0)

    def mean(rows: NDArray[np.float64]) -> float:
        chosen = [rng.permutation(len(rows))[:count] for _ in range(_DRAWS)]
        return float(np.mean([frechet_distance(rows[i], train.features) for i in chosen]))

    return Quality(
        count,
        mean(generated.features),
        mean(valid.features),
        float((generated.answers == label).mean()),
        float((valid.answers == label).mean()),
    )


def _verdict(label: str, quality: Quality, copies: Memorisation) -> str:
    text = (
        f"{label}: Frechet distance to Train {quality.generated:.3g} for generated faces and"
        f" {quality.real:.3g} for real ones of Valid ({quality.faces} faces each). The network"
        f" calls {100 * quality.recognised:.0f} % of the generated faces {label}, and"
        f" {100 * quality.real_recognised:.0f} % of the real ones. "
    )
    if copies.is_copying:
        return text + (
            f"WARNING: {copies.closer} of {copies.faces} are nearer to a training face than 99 of"
            f" 100 real ones are to another, {copies.near_copies} are near-copies by their pixels:"
            " this generator repeats faces that it was trained on, so treat them as those people's"
            " pictures."
        )
    return text + (
        f"{copies.closer} of {copies.faces} are nearer to a training face than 99 of 100 real ones"
        f" are to another, {copies.near_copies} are near-copies by their pixels: no sign of"
        " copying."
    )


def _quality_rows(qualities: Mapping[str, Quality]) -> Rows:
    rows = [
        [
            *("label", "faces", "Frechet, generated", "Frechet, Valid (floor)"),
            *("recognised, generated", "recognised, Valid"),
        ]
    ]
    for label, each in qualities.items():
        rows.append(
            [
                *(label, str(each.faces), f"{each.generated:.4g}", f"{each.real:.4g}"),
                *(f"{100 * each.recognised:.1f} %", f"{100 * each.real_recognised:.1f} %"),
            ]
        )
    return rows


def _copy_rows(copies: Mapping[str, Memorisation]) -> Rows:
    rows = [
        [
            *("label", "generated", "distance to the nearest of Train, median"),
            *("real ones to another, median", "1 in 100 real ones below", "generated below that"),
            *("near-copies by pixels", "of Valid", "copying"),
        ]
    ]
    for label, each in copies.items():
        rows.append(
            [
                *(label, str(each.faces), f"{each.distance:.4g}", f"{each.real_distance:.4g}"),
                *(f"{each.limit:.4g}", str(each.closer), str(each.near_copies)),
                *(f"{100 * each.real_near_copies:.1f} %", "yes" if each.is_copying else "no sign"),
            ]
        )
    return rows


def _by_label(
    pictures: Sequence[Picture], labels: Sequence[str], most: int
) -> dict[str, list[Picture]]:
    return {label: [p for p in pictures if p.label == label][:most] for label in labels}


def _grid(drawn: Mapping[str, Sequence[Picture]], *, is_copying: bool) -> Chart:
    from dcrnet_edge.studies.generating.pictures import sheet

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(drawn), 1, squeeze=False).ravel()
        for axis, (label, row) in zip(axes, drawn.items(), strict=True):
            axis.imshow(sheet([_stack(row)]), cmap="gray", vmin=0, vmax=255)
            axis.set_title(label, fontsize=10, loc="left")
            axis.set_axis_off()

    size_in = (7.0, 1.3 * len(drawn))
    return Chart("Generated faces, a row a label.", draw, size_in, shows_data=is_copying)


def _beside(
    drawn: Mapping[str, Sequence[Picture]],
    neighbours: Mapping[str, Sequence[Picture]],
    found: Mapping[str, Described],
) -> Chart:
    from dcrnet_edge.studies.generating.memorisation import nearest

    def draw(figure: Figure) -> None:
        columns = max(len(row) for row in drawn.values())
        axes = figure.subplots(2 * len(drawn), columns, squeeze=False)
        for axis in axes.ravel():
            axis.set_axis_off()
        for place, (label, row) in enumerate(drawn.items()):
            own = found[_GENERATED].of(label).features[: len(row)]
            distances = nearest(own, found["train"].features)[1]
            pairs = zip(row, neighbours[label], distances, strict=True)
            for column, (face, neighbour, distance) in enumerate(pairs):
                upper, lower = axes[2 * place, column], axes[2 * place + 1, column]
                upper.imshow(face.grey, cmap="gray", vmin=0, vmax=255)
                lower.imshow(neighbour.grey, cmap="gray", vmin=0, vmax=255)
                lower.set_title(f"{distance:.3g}", fontsize=8)
            axes[2 * place, 0].set_title(label, fontsize=9, loc="left")

    caption = (
        "Each generated face above the face of Train that is nearest by features, with its"
        " distance; the table has how far real faces are from each other."
    )
    return Chart(caption, draw, (7.0, 2.0 * len(drawn)), shows_data=True)


def _stack(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    import numpy as np

    return np.stack([each.grey for each in pictures])


def _write_generated(opened: OpenedGenerator, own: GanSampleOptions, path: Path) -> None:
    """The faces, and a sheet of those that are shown."""
    import cv2

    from dcrnet_edge.studies.generating.drawing import draw_faces
    from dcrnet_edge.studies.generating.pictures import sheet
    from dcrnet_runtime.outfile import written_beside

    pictures = draw_faces(opened.path, opened.labels, own.faces, own.seed, path)
    rows = _by_label(pictures, opened.labels, own.shown)
    with written_beside(path.parents[1] / SHEET_NAME) as beside:
        cv2.imwrite(str(beside), sheet([_stack(row) for row in rows.values()]))


def _write_features(opened: OpenedGenerator, model: Path, path: Path) -> None:
    """Features of what the generator learned from, of Valid, and of the generated faces."""
    import tempfile

    import numpy as np

    from dcrnet_edge.data.crop_cache import CropCache
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.distillation.near_copies import PictureHashes
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_edge.studies.generating.features import (
        Described,
        pooled,
        projected,
        save_described,
    )
    from dcrnet_edge.studies.generating.picture_file import as_samples, read_pictures

    checkpoint = load_checkpoint(model)
    network, spec = checkpoint.network, checkpoint.card.preprocess
    names, data = opened.data.dataset.labels, opened.data
    answered = np.array(checkpoint.card.labels)
    valid = [s for s in data.samples(Split.VALID) if names[s.label] in opened.labels]
    with tempfile.TemporaryDirectory(prefix="dcrnet-study-") as folder:
        crops = CropCache(Path(folder) / "crops")  # asked for once: kept, they would fill the disk
        pictures = read_pictures(path.parent / f"{_GENERATED}.csv")
        made = as_samples(pictures, Path(folder) / "faces", names)
        kinds: dict[str, Sequence[Sample]] = {
            "train": _learned(opened),
            "valid": valid,
            _GENERATED: made,
        }
        rows, answers, hashes = [], [], []
        for kind, samples in kinds.items():
            if kind == _GENERATED:
                faces = data.find(samples)
            else:
                faces = data.with_split(Split(kind), samples).faces(Split(kind))
            features, numbers = pooled(network, crops.crops(samples, faces, spec))
            rows.append(features)
            answers.append(answered[numbers])
            hashes.append(PictureHashes.of(samples).perceptual)
        train, *others = rows
        described = [
            Described(
                kind,
                np.array([names[sample.label] for sample in samples]),
                np.array(_names(opened, kind, samples)),
                *(answers[i], hashes[i], features),
            )
            for i, ((kind, samples), features) in enumerate(
                zip(kinds.items(), projected(train, others), strict=True)
            )
        ]
    save_described(path, described)


def _learned(opened: OpenedGenerator) -> list[Sample]:
    from dcrnet_edge.studies.generating.pictures import chosen_samples

    card = opened.card
    return chosen_samples(opened.data.dataset, card.per_label, card.recipe["seed"])


def _names(opened: OpenedGenerator, kind: str, samples: Sequence[Sample]) -> list[str]:
    if kind == _GENERATED:
        return [sample.path.stem for sample in samples]
    return [opened.name_of(sample) for sample in samples]


def _write_neighbours(opened: OpenedGenerator, shown: int, path: Path) -> None:
    """Of each shown face the picture of the nearest one of Train."""
    from dcrnet_edge.datasets.sample import read_rgb
    from dcrnet_edge.studies.generating.features import read_described
    from dcrnet_edge.studies.generating.memorisation import nearest
    from dcrnet_edge.studies.generating.picture_file import Picture, save_pictures
    from dcrnet_edge.studies.generating.pictures import grey_picture

    found = read_described(path.parent / f"{_FEATURES}.csv")
    train = _learned(opened)
    pictures = []
    for label in opened.labels:
        own = found[_GENERATED].of(label).features[:shown]
        for place in nearest(own, found["train"].features)[0]:
            sample = train[place]
            grey = grey_picture(read_rgb(sample))
            pictures.append(Picture(label, opened.name_of(sample), grey))
    save_pictures(path, pictures)


GAN_SAMPLES = GanSamples()
"""``dcrnet-study gan sample``."""
