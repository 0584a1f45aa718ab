"""The files that are asked for, as networks that can be run on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.reference.checkpoint import open_checkpoint
from dcrnet_bench.targets.gpu.exporting import export_for_gpu
from dcrnet_bench.targets.gpu.onnx_session import onnx_network, onnx_placement
from dcrnet_bench.targets.gpu.requirements import Requirements
from dcrnet_bench.timing.gpu.session import GpuNetwork, NoSessionError
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.errors import DcrnetError

_CHECKPOINT = ".safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A file and the network in it.

    Attributes:
        path: of the file.
        format: of the file.
        sha256: of the file.
        size_mb: of the file, in 10^6 bytes.
        card: what it says of itself.
        network: what can be run of it.
        placement: who runs it.
    """

    path: Path
    format: str
    sha256: str
    size_mb: float
    card: ModelCard
    network: GpuNetwork
    placement: Placement


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """All that is measured, and why something is not.

    Attributes:
        found: in the order in which they are measured.
        notes: what was left out, one line each.
    """

    found: list[Subject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def open_subjects(paths: Sequence[Path], there: Requirements, folder: Path) -> Subjects:
    """Load what is measured; checkpoints are exported for the program's own path.

    Args:
        paths: checkpoints and ONNX files.
        there: which engines can be used.
        folder: to export to.

    Raises:
        DcrnetError: a file cannot be used, or none is left that the engines at hand run.
    """
    subjects = Subjects()
    for index, path in enumerate(paths):
        if path.suffix.lower() == _CHECKPOINT:
            _add_checkpoint(subjects, path, there, folder / str(index))
        else:
            _add_onnx(subjects, path, path.name, there)
    if not subjects.found:
        raise DcrnetError(
            f"`device` gpu: nothing is left to be measured: {'; '.join(subjects.notes)}"
        )
    return subjects


def _add_checkpoint(subjects: Subjects, path: Path, there: Requirements, folder: Path) -> None:
    if there.has_provider:
        try:
            for file in export_for_gpu(path, folder):
                _add_onnx(subjects, file, file.name, there)
        except NoSessionError as error:
            subjects.notes.append(f"{path.name} is not run by onnxruntime: {error}")
    if not there.has_torch:
        subjects.notes.append(f"{path.name} is not run by torch, which finds no card here")
        return
    opened = open_checkpoint(path)
    placement = Placement("torch", reason="torch computes all of it on the card")
    subjects.found.append(
        Subject(
            path=path,
            format="safetensors",
            sha256=sha256(path.read_bytes()).hexdigest(),
            size_mb=path.stat().st_size / 1e6,
            card=opened.card,
            network=opened.network,
            placement=placement,
        )
    )


def _add_onnx(subjects: Subjects, path: Path, name: str, there: Requirements) -> None:
    if not there.has_provider:
        subjects.notes.append(f"{name} is not run: this onnxruntime has no CUDA provider")
        return
    model = load_model(path)
    if model.format is not ModelFormat.ONNX:
        raise DcrnetError(
            f"`device` gpu runs no {model.format} files such as {path}: name an ONNX file or a"
            " checkpoint"
        )
    subjects.found.append(
        Subject(
            path=path,
            format="onnx",
            sha256=model.sha256,
            size_mb=path.stat().st_size / 1e6,
            card=model.card,
            network=onnx_network(name, path, model),
            placement=onnx_placement(path, model.card.preprocess.size_px),
        )
    )
