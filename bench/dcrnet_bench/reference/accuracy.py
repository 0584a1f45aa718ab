"""How often the measured models are right, by the means of ``dcrnet-eval``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcrnet_bench.report.model_metrics import Accuracy
from dcrnet_bench.report.report import Report
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.model_refs import Images


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Labelled images that models are asked about.

    Attributes:
        images: themselves, whose faces are found when the first model is asked.
    """

    images: Images

    @classmethod
    def open(cls, root: Path, dataset: str, split: str, landmarks: Path | None) -> Judge:
        """Read a data set.

        Args:
            root: its folder.
            dataset: its layout, by the name of its adapter.
            split: the part that is judged on.
            landmarks: bundle of networks to find faces with; None for the package's.

        Raises:
            DcrnetError: training's extra is not installed, or the data cannot be read.
        """
        from dcrnet_edge.cli.extra import train_extra

        train_extra()
        part = _part(split)
        from dcrnet_edge.cli.face_data import open_data
        from dcrnet_edge.datasets.splits import SplitPlan
        from dcrnet_edge.evaluation.model_refs import Images

        data = open_data(dataset, root, SplitPlan(), landmarks)
        return cls(Images(data, part, root))

    def judged(self, report: Report, models: Sequence[Path]) -> Report:
        """The report with the accuracy of each of its models.

        Args:
            report: of ``models``, in their order.
            models: their files.

        Raises:
            DcrnetError: a model's labels are not the data's.
        """
        found: list[Accuracy | None] = [self._accuracy(path) for path in models]
        if report.gpu is not None:
            # A file has many rows there, and those of exported ones are of none that was named.
            by_path = {str(path): each for path, each in zip(models, found, strict=True)}
            found = [by_path.get(model.path) for model in report.models]
        pairs = zip(report.models, found, strict=True)
        return replace(report, models=tuple(replace(m, accuracy=each) for m, each in pairs))

    def _accuracy(self, path: Path) -> Accuracy:
        from dcrnet_edge.evaluation.metrics import compute_metrics
        from dcrnet_edge.evaluation.model_refs import ModelRef

        metrics = compute_metrics(ModelRef(path).answers(self.images))
        return Accuracy(
            data=self.images.root.name,
            split=self.images.split.value,
            images=metrics.images,
            accuracy=metrics.accuracy,
            interval=metrics.accuracy_interval,
            macro_f1=metrics.macro_f1,
            calibration_error=metrics.expected_calibration_error,
        )


def _part(split: str) -> Split:
    from dcrnet_edge.datasets.sample import Split

    if split not in list(Split):
        raise DcrnetError(f"`split` {split} is unknown: choose {', '.join(Split)}")
    return Split(split)
