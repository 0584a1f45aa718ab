"""What the tests on emulated ARM cores share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcrnet_bench.emulation.core import Core
from dcrnet_bench.emulation.guest import Guest
from dcrnet_bench.emulation.plugin import build_plugin
from dcrnet_bench.emulation.programs import missing_packages
from dcrnet_bench.emulation.root import ArmRoot, build_root
from dcrnet_runtime.cache import cache_folder
from dcrnet_runtime.models import shipped_model

USER_CACHE = cache_folder()
"""The user's own, where roots are kept: tests have another."""


@pytest.fixture(scope="session")
def user_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("root", "plugin"):
            patch.setattr(f"dcrnet_bench.emulation.{module}.cache_folder", lambda: USER_CACHE)
        yield


@pytest.fixture(scope="session")
def root(user_cache: None) -> ArmRoot:
    """Built when it is first needed, from the network; kept."""
    missing = missing_packages()
    if missing:
        pytest.skip(f"needs apt-get install {' '.join(missing)}")
    return build_root(lambda text: None)


@pytest.fixture(scope="session")
def counter(user_cache: None, root: ArmRoot) -> Path:
    """The plug-in."""
    return build_plugin()


@pytest.fixture(scope="session", params=list(Core))
def guest(request: pytest.FixtureRequest, root: ArmRoot) -> Guest:
    """Each core in turn."""
    return Guest(root, request.param)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What is shipped, and what the shipped weights are exported to, at 128 px."""
    shipped = sorted(
        path for path in shipped_model().parent.iterdir() if path.suffix in (".onnx", ".tflite")
    )
    pytest.importorskip("torch", reason="needs the export extra")
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export import ArtifactKind, Precision, export, prepare_job

    kinds = [
        ArtifactKind(form, precision)
        for form in ("onnx", "tflite")
        for precision in (Precision.FP32, Precision.INT8)
    ]
    folder = tmp_path_factory.mktemp("export")
    job = prepare_job(shipped_checkpoint(), kinds, size_px=128)
    written = [each.path for each in export(job, kinds, folder)]
    assert None not in written
    return [*shipped, *(path for path in written if path is not None)]


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait, as a file without loss."""
    data = pytest.importorskip("skimage.data", reason="needs the demo extra")
    import cv2

    path = tmp_path_factory.mktemp("photos") / "portrait.png"
    assert cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    return path
