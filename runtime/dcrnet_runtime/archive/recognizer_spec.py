"""How a recognizer is opened, in a form that can be sent to another process."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class RecognizerSpec:
    """A model and a detector by what they are opened with.

    Attributes:
        model: ``accurate``, ``fast``, or the path of an exported file.
        threads: of the model.
        backend: who runs it; None for the first that does.
        providers: accelerators, in order of preference.
        is_strict: refuse to fall back on the CPU.
        detector: who finds faces.
        task: a landmark bundle to use in the place of the shipped one.
        max_faces: at most so many a frame.
        is_far: find faces half as large.
        min_detection: the detector's confidence, 0..1, below which there is no face.
        min_face_px: faces whose longer side is shorter are left out.
        min_confidence: probability, 0..1, below which a face has no label.
        gives_features: give faces' features as well.
    """

    model: str | os.PathLike[str] = "accurate"
    threads: int = 1
    backend: str | None = None
    providers: tuple[Provider, ...] = ()
    is_strict: bool = False
    detector: str = "auto"
    task: Path | None = None
    max_faces: int = 10
    is_far: bool = True
    min_detection: float | None = None
    min_face_px: float = 0.0
    min_confidence: float = 0.0
    gives_features: bool = False

    def settings(self) -> dict[str, Any]:
        """What answers depend on beside the model's file, as JSON values."""
        providers = [str(each) for each in self.providers]
        own = {**asdict(self), "providers": providers, "task": str(self.task or "")}
        without = ("model", "threads", "gives_features")
        return {name: value for name, value in own.items() if name not in without}

    def load_model(self) -> Model:
        """The model, ready to run.

        Raises:
            DcrnetError: it cannot be.
        """
        from dcrnet_runtime.backends.loading import load_model
        from dcrnet_runtime.models import model_path

        return load_model(
            model_path(os.fspath(self.model)),
            threads=self.threads,
            backend=self.backend,
            providers=self.providers,
            is_strict=self.is_strict,
        )

    def open(self, model: Model | None = None) -> Recognizer:
        """The recognizer.

        Args:
            model: what :meth:`load_model` gave, where that is at hand.

        Raises:
            DcrnetError: a model or detector cannot be opened.
        """
        from dcrnet_runtime.detectors.detector import open_detector

        detector = open_detector(
            self.detector,
            self.task,
            max_faces=self.max_faces,
            far=self.is_far,
            min_detection=self.min_detection,
            min_face_px=self.min_face_px,
        )
        return Recognizer(
            model or self.load_model(),
            detector,
            min_confidence=self.min_confidence,
            gives_features=self.gives_features,
        )
