"""What a training step is given: order, classes, sizes and noise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from edge.runs import face_data
from generated_trees import write_folders

from dcrnet_edge.data.augmentation import AugmentConfig
from dcrnet_edge.data.items import AugmentedFaces
from dcrnet_edge.data.loader_spec import LoaderSpec, SizeSchedule
from dcrnet_edge.data.order import Draw, OversampledOrder, SizedOrder
from dcrnet_edge.datasets.sample import Sample, Split
from dcrnet_runtime.preprocess.spec import PreprocessSpec

COMMON, RARE = 270, 30


def samples() -> list[Sample]:
    labels = [0] * COMMON + [1] * RARE
    return [Sample(Path(f"{i}.png"), label, (1.0, 0.0)) for i, label in enumerate(labels)]


def test_without_oversampling_every_sample_is_drawn_once() -> None:
    order = OversampledOrder(samples(), 2, 0.0, seed=1)
    draws = list(order)
    assert sorted(draw.index for draw in draws) == list(range(COMMON + RARE))
    assert {draw.repeat for draw in draws} == {0}
    order.set_epoch(1)
    assert [draw.index for draw in order] != [draw.index for draw in draws]


@pytest.mark.parametrize(("power", "share"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_oversampling_raises_the_share_of_rare_classes(power: float, share: float) -> None:
    """n becomes n ** (1 - power): of 270 and 30 it leaves 30 the square root's 25 %."""
    order = OversampledOrder(samples(), 2, power, seed=1)
    rare = []
    for epoch in range(40):
        order.set_epoch(epoch)
        rare += [draw.index >= COMMON for draw in order]
    assert np.mean(rare) == pytest.approx(share, abs=0.02)


def test_what_is_drawn_again_is_told_apart() -> None:
    draws = list(OversampledOrder(samples(), 2, 1.0, seed=1))
    assert len(set(draws)) == len(draws)
    counts = Counter(draw.index for draw in draws)
    assert max(draw.repeat for draw in draws) == max(counts.values()) - 1 >= 3


def test_devices_share_an_epoch() -> None:
    whole = list(OversampledOrder(samples(), 2, 0.5, seed=1))
    shares = [OversampledOrder(samples(), 2, 0.5, seed=1, rank=r, devices=2) for r in range(2)]
    assert [draw for pair in zip(*shares, strict=True) for draw in pair] == whole


def test_an_epoch_goes_on_where_it_was_left() -> None:
    sizes = SizeSchedule(128, progressive=((64, 1),), mixed=(64,))
    order = OversampledOrder(samples(), 2, 0.5, seed=1)
    order.set_epoch(2)
    whole = list(SizedOrder(order, sizes, 16))
    order.start_at(2, 5 * 16)
    assert list(SizedOrder(order, sizes, 16)) == whole[5 * 16 :]


@pytest.mark.parametrize("batch_size", [16, 150, 300])
def test_sizes_take_turns_over_the_whole_run(batch_size: int) -> None:
    """Also where an epoch has an odd number of batches, or a single one."""
    schedule = SizeSchedule(224, progressive=((64, 1),), mixed=(64, 128))
    order = OversampledOrder(samples(), 2, 0.0, seed=1)
    batches = []
    for epoch in range(1, 5):
        order.set_epoch(epoch)
        sides = [size_px for _, size_px in SizedOrder(order, schedule, batch_size)]
        steps = len(sides) // batch_size
        for step in range(steps):
            batch = sides[step * batch_size : (step + 1) * batch_size]
            assert len(set(batch)) == 1
            batches.append(batch[0])
    counts = Counter(batches)
    assert counts.keys() == {64, 128, 224}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_no_size_is_above_the_contracts() -> None:
    small, middle, large = (
        SizeSchedule(full_size_px, progressive=((128, 1), (64, 1)), mixed=(128, 128, 64))
        for full_size_px in (64, 128, 224)
    )
    assert [small.at(epoch) for epoch in range(3)] == [(64,)] * 3
    assert [middle.at(epoch) for epoch in range(3)] == [(128,), (64,), (128, 64)]
    assert large.at(2) == (224, 128, 128, 64)


def test_noise_follows_the_draw_alone(tmp_path: Path) -> None:
    data = face_data(write_folders(tmp_path / "tree", 4, ("train", "valid", "test")), tmp_path)
    train = data.samples(Split.TRAIN)
    loading = LoaderSpec(SizeSchedule(64), augment=AugmentConfig(camera=0.5, erase=0.5))
    faces = AugmentedFaces(train, data.faces(Split.TRAIN), PreprocessSpec(size_px=64), loading)
    first = faces[Draw(3, 1, 0), 64]
    assert first[0].shape == (3, 64, 64)
    assert torch.equal(first[0], faces[Draw(3, 1, 0), 64][0])
    assert faces[Draw(3, 1, 0), 128][0].shape == (3, 128, 128)
    for other in (Draw(4, 1, 0), Draw(3, 1, 1)):
        assert not torch.equal(first[0], faces[other, 64][0])
        assert faces[other, 64][2] == first[2] == train[1].label


def test_corruption_is_put_on_the_picture_and_changes_no_other_draw(tmp_path: Path) -> None:
    data = face_data(write_folders(tmp_path / "tree", 4, ("train", "valid", "test")), tmp_path)
    train, draws = data.samples(Split.TRAIN), [Draw(0, 1, repeat) for repeat in range(12)]

    def shown(corrupt: float) -> list[torch.Tensor]:
        still = AugmentConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, corrupt, 0.0)
        loading = LoaderSpec(SizeSchedule(64), augment=still)
        faces = AugmentedFaces(train, data.faces(Split.TRAIN), PreprocessSpec(size_px=64), loading)
        return [faces[draw, 64][0] for draw in draws]

    plain, always, sometimes = shown(0.0), shown(1.0), shown(0.5)
    assert all(torch.equal(each, plain[0]) for each in plain)
    assert not any(torch.equal(each, plain[0]) for each in always)
    assert len({bytes(each.contiguous().numpy()) for each in always}) > 3  # kinds differ
    assert 0 < sum(torch.equal(each, plain[0]) for each in sometimes) < len(draws)
