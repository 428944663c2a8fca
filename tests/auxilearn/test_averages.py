import torch

from auxilearn import EpochMean


def test_the_mean_of_the_epoch_so_far() -> None:
    mean = EpochMean(torch.ones(2))
    assert torch.equal(mean.value(), torch.ones(2)), "before anything was noted"
    mean.note(torch.tensor([1.0, -2.0]))
    assert torch.equal(mean.value(), torch.tensor([1.0, -2.0]))
    mean.note(torch.tensor([2.0, 4.0]))
    assert torch.equal(mean.value(), torch.tensor([1.5, 1.0]))


def test_the_last_epoch_s_mean_until_the_next_one_s_first_step() -> None:
    mean = EpochMean(torch.zeros(1))
    for value in (1.0, 2.0):
        mean.note(torch.tensor([value]))
    mean.end_epoch()
    assert mean.value() == 1.5
    mean.note(torch.tensor([7.0]))
    assert mean.value() == 7, "the epoch before does not count"


def test_an_epoch_without_a_step_keeps_the_one_before() -> None:
    mean = EpochMean(torch.zeros(1))
    mean.note(torch.tensor([3.0]))
    for _ in range(2):
        mean.end_epoch()
    assert mean.value() == 3


def test_the_state_is_complete() -> None:
    mean, other = EpochMean(torch.zeros(1)), EpochMean(torch.zeros(1))
    mean.note(torch.tensor([3.0]))
    mean.end_epoch()
    mean.note(torch.tensor([5.0]))
    other.load_state_dict(mean.state_dict())
    for each in (mean, other):
        each.note(torch.tensor([6.0]))
    assert mean.value() == other.value() == 5.5


def test_the_initial_value_is_not_shared() -> None:
    initial = torch.zeros(1)
    mean = EpochMean(initial)
    mean.note(torch.ones(1))
    mean.end_epoch()
    mean.value().add_(1)
    assert initial == 0
    assert mean.value() == 1
