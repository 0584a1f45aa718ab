"""Which of two models loses less by corrupted pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.bootstrap import Interval, mean_interval, subject_numbers
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.studies.answering import CLEAN


def relative_loss(
    first: Mapping[str, Predictions], second: Mapping[str, Predictions], shown: Sequence[str]
) -> tuple[float, Interval]:
    """By how much less the first loses than the second, clean pictures being each one's own mark.

    Args:
        first: a model's answers by condition, the clean ones among them.
        second: another one's, to the same images.
        shown: the conditions, over which an image's changes are averaged.

    Returns:
        Mean over images of the first's change less the second's, as a fraction; positive where
        the first loses less; and its 95 % interval, paired bootstrap over subjects where they are
        known, else over images.
    """
    images = first[CLEAN].images
    changes = [_changes(answers, images, shown) for answers in (first, second)]
    difference = changes[0] - changes[1]
    subjects = subject_numbers(first[CLEAN])
    return float(difference.mean()), mean_interval(difference, subjects, (-2.0, 2.0))


def _changes(
    answers: Mapping[str, Predictions], images: Sequence[str], shown: Sequence[str]
) -> NDArray[np.float64]:
    """Of each image, (N,): the share of conditions answered rightly less the clean answer."""
    corrupted = np.mean([_right(answers[name], images) for name in shown], axis=0)
    return corrupted - _right(answers[CLEAN], images)


def _right(answers: Predictions, images: Sequence[str]) -> NDArray[np.float64]:
    by_image = dict(zip(answers.images, answers.correct, strict=True))
    return np.array([by_image[image] for image in images], float)
