"""Whether two models differ."""

from __future__ import annotations

from dataclasses import dataclass

from statsmodels.stats.contingency_tables import mcnemar

from dcrnet_edge.evaluation.bootstrap import Interval, mean_interval, subject_numbers
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_runtime.errors import DcrnetError


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same images.

    Attributes:
        images: how many.
        only_first: images that the first alone gets right.
        only_second: images that the second alone gets right.
        p_value: of McNemar's exact test (two-sided) that both err equally often. It takes
            images for independent: where a subject has many, the interval is to be believed.
        difference: accuracy of the first less that of the second.
        interval: 95 % percentile interval of the difference, paired bootstrap over subjects
            where they are known, else over images; exact where no answer differs.
    """

    images: int
    only_first: int
    only_second: int
    p_value: float
    difference: float
    interval: Interval


def compare(first: Predictions, second: Predictions) -> Comparison:
    """Compare two models' answers to the same images.

    Raises:
        DcrnetError: they were not asked about the same images, each once.
    """
    places = {image: i for i, image in enumerate(second.images)}
    if set(places) != set(first.images) or first.labels != second.labels:
        raise DcrnetError(
            f"the two models answer about different images or labels ({len(first.images)} and"
            f" {len(second.images)} images): give predictions of the same split"
        )
    if len(places) < max(len(first.images), len(second.images)):
        raise DcrnetError("an image is answered twice: give predictions that have each once")
    order = [places[image] for image in first.images]
    if (first.truth != second.truth[order]).any():
        raise DcrnetError("the two predictions state different true labels for an image")
    one, other = first.correct, second.correct[order]
    table = [
        [int((one & other).sum()), int((one & ~other).sum())],
        [int((~one & other).sum()), int((~one & ~other).sum())],
    ]
    differences = one.astype(float) - other
    return Comparison(
        len(one),
        table[0][1],
        table[1][0],
        float(mcnemar(table, exact=True).pvalue),
        float(differences.mean()),
        mean_interval(differences, subject_numbers(first)),
    )
