"""Studies by name."""

from __future__ import annotations

from dcrnet_edge.lazy_registry import LazyRegistry
from dcrnet_edge.studies.study import Study

_KINDS = "dcrnet_edge.studies.kinds"
STUDIES: LazyRegistry[Study] = LazyRegistry(
    "study",
    {
        "ablation": f"{_KINDS}.ablation:ABLATION",
        "robustness": f"{_KINDS}.robustness:ROBUSTNESS",
        "fairness": f"{_KINDS}.fairness:FAIRNESS",
        "cross": f"{_KINDS}.cross:CROSS",
        "quantization": f"{_KINDS}.quantization:QUANTIZATION",
        "attention": f"{_KINDS}.attention:ATTENTION",
        "significance": f"{_KINDS}.significance:SIGNIFICANCE",
        "report": f"{_KINDS}.report:REPORT",
        "gan train": f"{_KINDS}.gan.train:GAN_TRAINING",
        "gan sample": f"{_KINDS}.gan.sample:GAN_SAMPLES",
        "gan effect": f"{_KINDS}.gan.effect:GAN_EFFECT",
    },
)


def register(name: str, study: Study) -> None:
    """Make a study known, as ``dcrnet-study NAME``.

    Args:
        name: one word, or two where several studies share the first: ``gan train``.
        study: what it does.
    """
    STUDIES.register(name, study)
