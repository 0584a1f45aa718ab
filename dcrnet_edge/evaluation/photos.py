"""Whether answers hold on real photos, in versions such as cameras and their mounting make.

    python -m dcrnet_edge.evaluation.photos angry.jpg sad-baby.jpeg --landmarks FILE

A photo's name begins with its expression; the largest face counts, and one that is not found is
a wrong answer. Every version is made of the whole photo before anything is looked for in it. The
table counts right answers, with the versions that went wrong; the last line is one JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from dcrnet_edge.datasets.collection import expression
from dcrnet_runtime import DcrnetError, Recognizer, load_model, open_detector, shipped_model
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.models import model_path
from dcrnet_runtime.video.images import read_image

Rgb = NDArray[np.uint8]


app = command_app()


@app.command()
@reported
def main(
    photos: Annotated[list[Path], typer.Argument(help="Named after their expressions.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            parser=model_path,
            metavar="accurate|fast|FILE",
            help="Shipped models or exported files; default: accurate.",
        ),
    ] = None,
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
) -> None:
    """Print the table."""
    detector = open_detector(task=landmarks, far=True)
    results = []
    typer.echo("| photo | model | right | wrong |\n|---|---|---|---|")
    for path in model or [shipped_model()]:
        recognizer = Recognizer(load_model(path), detector)
        for photo in photos:
            wanted = expression(photo.stem.split("-")[0])
            if wanted is None:
                raise DcrnetError(f"{photo.name} is named after no expression: rename it")
            wrong = _wrong(recognizer, read_image(photo), wanted)
            right = f"{len(VERSIONS) - len(wrong)} of {len(VERSIONS)}"
            told = "; ".join(f"{name}: {label}" for name, label in wrong.items())
            typer.echo(f"| {photo.stem} | {path.name} | {right} | {told} |")
            results.append({"photo": photo.stem, "model": path.name, "wrong": wrong})
    typer.echo(json.dumps({"versions": len(VERSIONS), "results": results}))


def _wrong(recognizer: Recognizer, rgb: Rgb, wanted: str) -> dict[str, str]:
    """Versions that get another answer, and which."""
    wrong = {}
    for name, version in VERSIONS.items():
        found = recognizer.recognize(version(rgb))
        largest = max(found, key=lambda each: each.face.box.width, default=None)
        label = "no face" if largest is None else str(largest.label)
        if label != wanted:
            wrong[name] = label
    return wrong


def _sized(side_px: int) -> Callable[[Rgb], Rgb]:
    def version(rgb: Rgb) -> Rgb:
        scale = side_px / max(rgb.shape[:2])
        return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    return version


def _squeezed(fx: float, fy: float) -> Callable[[Rgb], Rgb]:
    return lambda rgb: cv2.resize(_common(rgb), None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)


def _exposed(gain: float) -> Callable[[Rgb], Rgb]:
    return lambda rgb: np.clip(_common(rgb) * gain, 0, 255).astype(np.uint8)


def _curved(gamma: float) -> Callable[[Rgb], Rgb]:
    return lambda rgb: (255 * (_common(rgb) / 255) ** gamma).astype(np.uint8)


def _rolled(angle_deg: float) -> Callable[[Rgb], Rgb]:
    def version(rgb: Rgb) -> Rgb:
        rgb = _common(rgb)
        height, width = rgb.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
        return cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REFLECT)

    return version


def _blurred(sigma_px: float) -> Callable[[Rgb], Rgb]:
    return lambda rgb: cv2.GaussianBlur(_common(rgb), (0, 0), sigma_px)


def _noisy(sigma: float) -> Callable[[Rgb], Rgb]:
    def version(rgb: Rgb) -> Rgb:
        rgb = _common(rgb)
        noise = np.random.default_rng(0).normal(0, sigma, rgb.shape)
        return np.clip(rgb + noise, 0, 255).astype(np.uint8)

    return version


def _coded(quality: int) -> Callable[[Rgb], Rgb]:
    def version(rgb: Rgb) -> Rgb:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        return np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", _common(rgb), options)[1], cv2.IMREAD_COLOR),
            np.uint8,
        )

    return version


_common = _sized(640)
VERSIONS: dict[str, Callable[[Rgb], Rgb]] = {
    "as it is": lambda rgb: rgb,
    **{f"{side} px": _sized(side) for side in (480, 240, 160, 120)},
    **{f"exposure x{gain}": _exposed(gain) for gain in (0.25, 0.5, 1.5, 2.0)},
    **{f"gamma {gamma}": _curved(gamma) for gamma in (0.5, 2.0)},
    **{f"rolled by {angle} degrees": _rolled(angle) for angle in (-40, -20, -10, 10, 20, 40)},
    "mirrored": lambda rgb: rgb[:, ::-1].copy(),
    **{f"blurred by {sigma} px": _blurred(sigma) for sigma in (2, 4)},
    **{f"noise of {sigma}": _noisy(sigma) for sigma in (10, 25)},
    "JPEG of quality 15": _coded(15),
    "squeezed to 80 % width": _squeezed(0.8, 1.0),
    "squeezed to 80 % height": _squeezed(1.0, 0.8),
}


if __name__ == "__main__":
    app()
