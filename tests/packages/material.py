"""What the uses of a package are given: a photo, an exported file, a data set."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import cv2
from generated_trees import write_folders

from packages.distribution import Distributions


def lay_out(built: Distributions, folder: Path) -> Path:
    """Everything into ``folder``, also the distributions, and the sdist unpacked as ``clone``.

    Raises:
        DcrnetError: the demo extra is not installed, or nothing can be exported.
    """
    from skimage.data import astronaut

    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export import ArtifactKind, Precision, export, prepare_job

    folder.mkdir()
    for path in (built.wheel, built.sdist):
        shutil.copy(path, folder / path.name)
    with tarfile.open(built.sdist) as archive:
        archive.extractall(folder, filter="data")
    (folder / built.sdist.name.removesuffix(".tar.gz")).rename(folder / "clone")
    bgr = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "portrait.png"), bgr)
    write_folders(folder / "faces", images=4, splits=("train", "valid", "test"))
    kinds = [ArtifactKind("tflite", Precision.INT8)]
    job = prepare_job(shipped_checkpoint("fast"), kinds)
    (written,) = export(job, kinds, folder / "exported")
    assert written.path is not None
    shutil.copy(written.path, folder / "int8.tflite")
    return folder
