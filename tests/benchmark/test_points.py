"""Point clouds as inputs: the augmentation by hand, and what it leaves alone."""

import torch

from benchmark.points import Points

STORED = torch.randn(6, 3, 40)
INDEX = torch.tensor([4, 0, 4, 5])


def reader(seed: int = 0, *, scales: tuple[float, float] = (0.5, 2.0), shift: float = 0.3) -> Points:
    return Points(torch.Generator().manual_seed(seed), scales=scales, shift=shift)


def test_each_training_sample_has_a_factor_and_a_shift_of_its_own() -> None:
    found = reader().training(STORED, INDEX)
    factors = found.std(2) / STORED[INDEX].std(2)
    assert torch.allclose(factors, factors[:, :1].expand(-1, 3), atol=1e-5), "one factor for all axes"
    shifts = (found - STORED[INDEX] * factors[:, :1, None]).mean(2)
    assert torch.allclose(found, STORED[INDEX] * factors[:, :1, None] + shifts[:, :, None], atol=1e-5)
    assert len(factors[:, 0].unique()) == len(INDEX)
    assert len(shifts.flatten().unique()) == 3 * len(INDEX)


def test_factors_and_shifts_fill_their_ranges() -> None:
    stored = torch.tensor([[-1.0, 1.0]]).expand(1, 3, 2)
    found = reader().training(stored, torch.zeros(4000, dtype=torch.long))
    factors, shifts = (found[..., 1] - found[..., 0]) / 2, found.mean(2)
    for values, low, high in ((factors, 0.5, 2.0), (shifts, -0.3, 0.3)):
        assert low <= float(values.min()) < low + 0.01
        assert high - 0.01 < float(values.max()) <= high
        assert abs(float(values.mean()) - (low + high) / 2) < 0.03


def test_draws_follow_the_generator() -> None:
    first, again, other = (reader(seed).training(STORED, INDEX) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    plain = reader(scales=(1.0, 1.0), shift=0.0)
    assert torch.equal(plain.training(STORED, INDEX), STORED[INDEX])


def test_evaluation_is_what_is_stored() -> None:
    given = reader()
    before = given.generator.get_state()
    assert torch.equal(given.evaluation(STORED, INDEX), STORED[INDEX])
    assert torch.equal(given.generator.get_state(), before)
