"""Where networks look: CBAM's spatial maps, and occlusion sensitivity of any model."""

from __future__ import annotations

import base64
import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.options import StudiedImages, StudiedModels
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.studies.training_data import own_training
from dcrnet_edge.weights import checkpoint_path, shipped_checkpoint
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.attention_maps.map_file import FaceMap
    from dcrnet_edge.studies.attention_maps.viewers import Viewer

_CHUNK = 20
"""Faces a unit: a minute or so."""
_FACES = "faces"
_FACES_OF_A_MEAN = 20
"""Of fewer, a mean face may still be somebody's."""
_MEAN = "mean"


@dataclass(frozen=True, slots=True)
class AttentionOptions:
    """Whom to ask, and what to show."""

    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=checkpoint_path,
            metavar="MODEL",
            help="Checkpoints (accurate and fast are the shipped ones), ONNX or TFLite files;"
            " default: accurate and fast. CBAM's maps are those of checkpoints alone.",
        ),
    ] = None
    examples: Annotated[
        int,
        typer.Option(
            min=0,
            max=12,
            help="Faces that the page shows with their maps; default: none, the mean face alone.",
        ),
    ] = 0

    def refs(self) -> dict[str, ModelRef]:
        """The models by the stems of their files."""
        paths = self.models or [shipped_checkpoint(name) for name in Shipped]
        return StudiedModels(paths).refs()


class AttentionStudy:
    """The share of maps that lies in mouth, eyes and brows, beside the regions' area."""

    summary = "Do networks look at mouth, eyes and brows?"
    groups = (AttentionOptions, StudiedImages)

    def plan(self, own: AttentionOptions, asked: StudiedImages) -> Plan:
        """Maps of some faces a unit, model by model; faces without landmarks are left out."""
        from dcrnet_edge.studies.attention_maps.viewers import Viewer
        from dcrnet_runtime.backends.sensitivity import GRID

        refs = own.refs()
        facts = {name: _facts(ref, Viewer(ref.path)) for name, ref in refs.items()}
        images = asked.open()
        faces = images.data.faces(images.split)
        chosen = [i for i, face in enumerate(faces) if face.landmarks is not None]
        if not chosen:
            raise DcrnetError(
                "landmarks were found in none of these images, and maps are compared with"
                " landmarks: choose other `images`"
            )
        settings = {
            **asked.settings(images, refs),
            "models": facts,
            "grid": GRID,
            "examples": own.examples,
            "faces": len(chosen),
            "without_landmarks": len(faces) - len(chosen),
        }
        parts = [chosen[start : start + _CHUNK] for start in range(0, len(chosen), _CHUNK)]
        units = []
        for name, ref in refs.items():
            write_faces = functools.partial(_write_faces, ref, images, chosen, own.examples)
            units.append(Unit(f"{name}--{_FACES}", write_faces))
            for number, part in enumerate(parts):
                write = functools.partial(_write_maps, ref, images, part)
                units.append(Unit(f"{name}--{number:03}", write))
        return Plan(settings, units)

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Shares with intervals, model by model and model against model."""
        from dcrnet_edge.studies.attention_maps.map_file import read_maps
        from dcrnet_edge.studies.attention_maps.viewers import OCCLUSION

        found: dict[str, dict[str, list[FaceMap]]] = {}
        pictures = {}
        for model in settings["models"]:
            its = {n: p for n, p in answers.items() if n.rpartition("--")[0] == model}
            pictures[model] = its.pop(f"{model}--{_FACES}")
            found[model] = _by_name(read_maps(list(its.values())))
        occlusion = {model: maps[OCCLUSION] for model, maps in found.items()}
        return Findings(
            title="Do networks look at mouth, eyes and brows?",
            claim="CBAM lets the network focus on mouth, eyebrows and eyes and suppress the rest"
            " (section 2.2; it shows no measurement).",
            verdict=[
                *(_verdict(m, settings["models"][m], maps) for m, maps in found.items()),
                f"{settings['faces']} faces; {settings['without_landmarks']} without landmarks are"
                " left out. Occlusion: how far the answer's probability falls when a square of a"
                " quarter of the crop's side is covered; only falls count. The regions are those"
                " of the landmarks in the prepared crop.",
                *own_training(settings),
            ],
            tables=[
                Table("Share of each map in the regions", _rows(settings, found)),
                Table("Occlusion sensitivity by answer", _answer_rows(occlusion)),
                *([Table("Model against model", _pair_rows(occlusion))] if len(found) > 1 else []),
            ],
            charts=[_chart(model, maps, pictures[model]) for model, maps in found.items()],
            facts={
                "shares": {
                    model: {name: _figures(maps) for name, maps in by_name.items()}
                    for model, by_name in found.items()
                }
            },
        )


def _facts(ref: ModelRef, viewer: Viewer) -> dict[str, Any]:
    spec = viewer.spec
    return {
        "sha256": ref.sha256,
        "attention": viewer.attention,
        "size_px": spec.size_px,
        "focus_strength": spec.focus_strength,
    }


def _write_maps(ref: ModelRef, images: Images, chosen: Sequence[int], path: Path) -> None:
    from dcrnet_edge.studies.attention_maps.map_file import FaceMap, save_maps
    from dcrnet_edge.studies.attention_maps.regions import region_masks, shares
    from dcrnet_edge.studies.attention_maps.viewers import Viewer

    viewer = Viewer(ref.path)
    samples, crops = images.data.some_crops(images.split, chosen, viewer.spec)
    faces = images.data.faces(images.split)
    maps = []
    for number, sample, crop in zip(chosen, samples, crops, strict=True):
        masks = region_masks(faces[number], viewer.spec)
        areas = {name: float(mask.mean()) for name, mask in masks.items()}
        view = viewer.look(crop)
        predicted = viewer.labels[int(view.probabilities.argmax())]
        told = str(sample.name).removeprefix(f"{images.root}/"), _label(images, sample.label)
        maps += [
            FaceMap(*told, predicted, name, shares(values, masks), areas, values)
            for name, values in view.maps.items()
        ]
    save_maps(path, maps)


def _label(images: Images, number: int) -> str:
    return images.data.dataset.labels[number]


def _write_faces(
    ref: ModelRef, images: Images, chosen: Sequence[int], examples: int, path: Path
) -> None:
    """The mean of all prepared faces, and as many of them as are to be shown, as PNG."""
    import cv2
    import numpy as np

    from dcrnet_edge.studies.attention_maps.viewers import Viewer
    from dcrnet_runtime.outfile import written_beside

    samples, crops = images.data.some_crops(images.split, chosen, Viewer(ref.path).spec)
    mean = np.mean([crop.mean(axis=2) for crop in crops], axis=0).round().astype(np.uint8)
    shown = {_MEAN: mean}
    for sample, crop in list(zip(samples, crops, strict=False))[:examples]:
        name = str(sample.name).removeprefix(f"{images.root}/")
        shown[name] = crop.mean(axis=2).round().astype(np.uint8)
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "png"])
        for name, grey in shown.items():
            png = cv2.imencode(".png", grey)[1].tobytes()
            writer.writerow([name, base64.b64encode(png).decode()])


def _read_faces(path: Path) -> dict[str, NDArray[np.uint8]]:
    import cv2
    import numpy as np

    csv.field_size_limit(1 << 24)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["image"]: np.asarray(
            cv2.imdecode(
                np.frombuffer(base64.b64decode(row["png"]), np.uint8), cv2.IMREAD_GRAYSCALE
            ),
            np.uint8,
        )
        for row in rows
    }


def _by_name(maps: Sequence[FaceMap]) -> dict[str, list[FaceMap]]:
    found: dict[str, list[FaceMap]] = {}
    for each in maps:
        found.setdefault(each.name, []).append(each)
    return found


def _mean_of(
    values: Sequence[float], *, are_differences: bool = False
) -> tuple[float, float, float]:
    """Mean with its 95 % interval over the faces whose maps have weight; NaN where none has."""
    import numpy as np

    from dcrnet_edge.evaluation.bootstrap import DIFFERENCES, SHARES, mean_interval

    known = np.array([value for value in values if value == value])
    if not len(known):
        return (float("nan"),) * 3
    bounds = DIFFERENCES if are_differences else SHARES
    return float(known.mean()), *mean_interval(known, None, bounds)


def _figures(maps: Sequence[FaceMap]) -> dict[str, Any]:
    """Of one map over all faces; ``lift`` is the share as a multiple of the regions' area."""
    from dcrnet_edge.studies.attention_maps.regions import REGIONS

    share, low, high = _mean_of([each.share for each in maps])
    known = [each for each in maps if each.share == each.share]
    area = sum(each.area for each in known) / max(1, len(known))
    return {
        "faces": len(known),
        "side": maps[0].values.shape[0],
        **{name: _mean_of([each.shares[name] for each in known])[0] for name in REGIONS},
        "share": share,
        "interval": [low, high],
        "area": area,
        "lift": share / area if area else float("nan"),
    }


def _verdict(model: str, facts: Mapping[str, Any], maps: Mapping[str, list[FaceMap]]) -> str:
    from dcrnet_edge.studies.attention_maps.viewers import OCCLUSION

    figures = {name: _figures(each) for name, each in maps.items()}
    own = figures.pop(OCCLUSION)
    low, high = (100 * bound for bound in own["interval"])
    text = (
        f"{model} (attention: {facts['attention']}): {100 * own['share']:.1f} % ({low:.1f} to"
        f" {high:.1f}) of its occlusion sensitivity lies in mouth, eyes and brows, which cover"
        f" {100 * own['area']:.1f} % of the crop: {own['lift']:.2f} times what an even map has."
    )
    if figures:
        told = ", ".join(f"{name} {each['lift']:.2f}" for name, each in figures.items())
        text += f" CBAM's spatial gates, times an even map: {told}."
    if facts["focus_strength"] > 0:
        text += (
            f" Its contract has already faded the rest of the face by"
            f" {100 * facts['focus_strength']:.0f} %."
        )
    return text


def _rows(
    settings: Mapping[str, Any], found: Mapping[str, Mapping[str, Sequence[FaceMap]]]
) -> Rows:
    from dcrnet_edge.studies.attention_maps.regions import REGIONS

    rows = [
        [
            *("model", "attention", "map", "cells", "faces", *REGIONS, "together"),
            *("95 % interval", "area of the regions", "times an even map"),
        ]
    ]
    for model, by_name in found.items():
        for name, maps in by_name.items():
            own = _figures(maps)
            low, high = (100 * bound for bound in own["interval"])
            rows.append(
                [
                    *(model, settings["models"][model]["attention"], name),
                    *(f"{own['side']} x {own['side']}", str(own["faces"])),
                    *(f"{100 * own[region]:.1f} %" for region in (*REGIONS, "share")),
                    *(f"{low:.1f} to {high:.1f}", f"{100 * own['area']:.1f} %"),
                    f"{own['lift']:.2f}",
                ]
            )
    return rows


def _answer_rows(occlusion: Mapping[str, Sequence[FaceMap]]) -> Rows:
    from dcrnet_edge.studies.attention_maps.regions import REGIONS

    rows = [["model", "answer", "faces", *REGIONS, "together", "times an even map"]]
    for model, maps in occlusion.items():
        for label in sorted({each.predicted for each in maps}):
            own = _figures([each for each in maps if each.predicted == label])
            cells = [f"{100 * own[region]:.1f} %" for region in (*REGIONS, "share")]
            rows.append([model, label, str(own["faces"]), *cells, f"{own['lift']:.2f}"])
    return rows


def _pair_rows(occlusion: Mapping[str, Sequence[FaceMap]]) -> Rows:
    """Differences of the regions' share, paired by face."""
    rows = [["first", "second", "faces", "difference of the share", "95 % interval"]]
    by_image = {m: {each.image: each.share for each in maps} for m, maps in occlusion.items()}
    for first, second in combinations(by_image, 2):
        one, other = by_image[first], by_image[second]
        differences = [one[image] - other[image] for image in one if image in other]
        known = [each for each in differences if each == each]
        mean, low, high = (100 * each for each in _mean_of(known, are_differences=True))
        rows.append(
            [first, second, str(len(known)), f"{mean:+.1f} points", f"{low:+.1f} to {high:+.1f}"]
        )
    return rows


def _chart(model: str, maps: Mapping[str, Sequence[FaceMap]], pictures: Path) -> Chart:
    import numpy as np

    from dcrnet_edge.studies.attention_maps.viewers import OCCLUSION

    faces = _read_faces(pictures)
    mean = faces.pop(_MEAN)
    panels: list[tuple[str, NDArray[np.uint8], NDArray[np.float32] | None]]
    panels = [("mean face", mean, None)]
    panels += [
        (f"mean {name}", mean, np.mean([each.values for each in its], axis=0))
        for name, its in maps.items()
    ]
    by_image = {each.image: each for each in maps[OCCLUSION]}
    for image, face in faces.items():
        panels.append((by_image[image].predicted, face, by_image[image].values))
    columns = 3
    lines = -(-len(panels) // columns)

    def draw(figure: Figure) -> None:
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for axis in axes:
            axis.set_axis_off()
        for axis, (title, face, values) in zip(axes, panels, strict=False):
            _overlay(axis, face, values)
            axis.set_title(title, fontsize=10)

    shown = f", and occlusion sensitivity of {len(faces)} faces" if faces else ""
    caption = (
        f"{model}: the mean prepared face and the mean of each map on it{shown}. Bright is strong;"
        " each picture has its own scale from its least to its largest value."
    )
    shows_data = bool(faces) or len(by_image) < _FACES_OF_A_MEAN
    return Chart(caption, draw, (6.0, 2.2 * lines), shows_data=shows_data)


def _overlay(axis: Axes, face: NDArray[np.uint8], values: NDArray[np.float32] | None) -> None:
    extent = (0.0, 1.0, 0.0, 1.0)
    axis.imshow(face, cmap="gray", vmin=0, vmax=255, extent=extent)
    if values is not None:
        axis.imshow(values, cmap="inferno", alpha=0.55, extent=extent, interpolation="bilinear")


ATTENTION = AttentionStudy()
