"""What the tests on emulated ARM cores share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


@pytest.fixture(
    scope="session",
    params=[pytest.param(each, marks=pytest.mark.xdist_group(each.value)) for each in Core],
)
def guest(request: pytest.FixtureRequest, root: ArmRoot) -> Guest:
    """Each core in turn; a worker of ``--dist loadgroup`` has one."""
    return Guest(root, request.param)


_FLOAT_PX = 64
"""At which an emulated inference in float takes 3 s, for 12 s at 128 px, by the same kernels."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What is shipped, and what else the shipped weights are exported to."""
    shipped = [path for path in shipped_model().parent.iterdir() if path.suffix == ".onnx"]
    pytest.importorskip("torch", reason="needs the export extra")
    folder = tmp_path_factory.mktemp("export")
    tflite = _exported(folder, 128, [("tflite", "int8")])
    in_float = _exported(folder, _FLOAT_PX, [("onnx", "fp32"), ("tflite", "fp32")])
    return [*sorted(shipped), *tflite, *in_float]


def _exported(folder: Path, size_px: int, forms: Sequence[tuple[str, str]]) -> list[Path]:
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export import ArtifactKind, Precision, export, prepare_job

    kinds = [ArtifactKind(form, Precision(precision)) for form, precision in forms]
    job = prepare_job(shipped_checkpoint(), kinds, size_px=size_px)
    written = [each.path for each in export(job, kinds, folder)]
    assert None not in written
    return [path for path in written if path is not None]


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait, as a file without loss."""
    data = pytest.importorskip("skimage.data", reason="needs the demo extra")
    import cv2

    path = tmp_path_factory.mktemp("photos") / "portrait.png"
    assert cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    return path
