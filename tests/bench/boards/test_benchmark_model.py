"""The lines of LiteRT's ``benchmark_model``, old and new."""

from __future__ import annotations

import pytest
from board_stand_ins import BENCHMARK_MODEL_OUTPUT as NEW

from dcrnet_bench.boards.benchmark_model import parse_output
from dcrnet_runtime.errors import DcrnetError

OLD = """\
count=1 curr=3512391

count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798

Inference timings in us: Init: 17187, First inference: 3512391, Warmup (avg): 3.51239e+06, \
Inference (avg): 2.95034e+06
Peak memory footprint (MB): init=0 overall=12.8672
"""


def test_a_new_one() -> None:
    times = parse_output(NEW)
    assert (times.n, times.mean_ms) == (70, 14.5752)
    assert (times.load_ms, times.first_ms) == (5.685, 27.11)
    assert (times.min_ms, times.max_ms, times.sd_ms) == (14.377, 15.072, 0.141)
    assert (times.p5_ms, times.median_ms, times.p95_ms) == (14.41, 14.55, 14.9)
    assert times.memory_mb == 9.5


def test_an_old_one_tells_no_percentiles_and_rounds() -> None:
    times = parse_output(OLD)
    assert (times.n, times.mean_ms, times.min_ms) == (50, 2950.34, 2727.568)
    assert (times.p5_ms, times.median_ms, times.p95_ms) == (None, None, None)
    assert times.memory_mb == 12.8672


@pytest.mark.parametrize(
    "text", ["", "INFO: STARTING!\nERROR: Could not load model\n", NEW.partition("Inference t")[0]]
)
def test_what_tells_no_times_is_refused(text: str) -> None:
    with pytest.raises(DcrnetError, match="benchmark_model told no times"):
        parse_output(text)
