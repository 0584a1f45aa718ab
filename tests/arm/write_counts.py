"""Writes docs/figures/instructions.json: what a frame of the live loop executes on emulated cores.

python tests/arm/write_counts.py              # on every core
python tests/arm/write_counts.py cortex-a76   # on this one; the others' counts stay
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2

from dcrnet_bench.emulation.core import Core
from dcrnet_bench.emulation.guest import Guest
from dcrnet_bench.emulation.plugin import build_plugin
from dcrnet_bench.emulation.root import ArmRoot, build_root
from dcrnet_runtime.models import shipped_model

FIGURES = Path(__file__).parents[2] / "docs" / "figures" / "instructions.json"
MODELS = (shipped_model(), shipped_model("fast"))
_LIMIT_S = 7200.0
_PACKAGES = ("onnxruntime", "ai-edge-litert", "opencv-python-headless", "numpy")


def count_on(
    core: Core, root: ArmRoot, plugin: Path, photo: Path, models: Sequence[Path] = MODELS
) -> dict[str, Any]:
    """Counts of the models' inference and frame on a core, by their files' names.

    Args:
        core: that is played.
        root: of its files.
        plugin: that counts.
        photo: with one face.
        models: default: the shipped ones.

    Raises:
        DcrnetError: the emulator failed.
    """
    script = Path(__file__).with_name("counted_frame.py")
    with tempfile.TemporaryDirectory() as folder:
        told = Guest(root, core, plugin).run(
            [*map(str, (script, photo, *models))],
            what="counting",
            limit_s=_LIMIT_S,
            counts=Path(folder) / "counts",
        )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def main() -> None:
    """Count on the cores that are named, or all, and write each when it is done."""
    from skimage.data import astronaut

    root, plugin = build_root(lambda text: None), build_plugin()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "portrait.png"
        cv2.imwrite(str(photo), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
        for name in sys.argv[1:] or list(Core):
            counts = count_on(Core(name), root, plugin, photo)
            known = json.loads(FIGURES.read_text())["cores"] if FIGURES.is_file() else {}
            document = {
                "date": f"{datetime.now(UTC):%Y-%m-%d}",
                "versions": {each: metadata.version(each) for each in _PACKAGES},
                "cores": {**known, str(name): counts},
            }
            FIGURES.write_text(json.dumps(document, indent=1) + "\n")
    sys.stdout.write(f"{FIGURES}\n")


if __name__ == "__main__":
    main()
