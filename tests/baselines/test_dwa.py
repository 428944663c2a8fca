import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.dwa import DWA, descent_weights
from tests.problems import TinyProblem

LOSSES = torch.ones(4, 3)


def test_the_first_two_epochs_weigh_tasks_equally_and_the_third_by_rate_of_descent() -> None:
    method = DWA(TinyProblem(), temperature=2.0)
    torch.testing.assert_close(method.weights(LOSSES), torch.ones(3))
    method.end_epoch(torch.tensor([4.0, 1.0, 2.0]))
    torch.testing.assert_close(method.weights(LOSSES), torch.ones(3))
    method.end_epoch(torch.tensor([2.0, 1.0, 3.0]))
    # rates 1/2, 1 and 3/2 over a temperature of 2: e^0.25 = 1.2840, e^0.5 = 1.6487, e^0.75 = 2.1170, sum 5.0497
    expected = torch.tensor([0.7628, 0.9795, 1.2577])
    torch.testing.assert_close(method.weights(LOSSES), expected, atol=1e-4, rtol=0)


def test_the_fourth_epoch_looks_at_the_last_two_alone() -> None:
    method = DWA(TinyProblem())
    for means in ([9.0, 9.0, 1.0], [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]):
        method.end_epoch(torch.tensor(means))
    torch.testing.assert_close(method.weights(LOSSES), torch.ones(3))


@settings(derandomize=True)
@given(
    rates=st.lists(st.floats(0.1, 3), min_size=2, max_size=6),
    scales=st.lists(st.floats(0.01, 100), min_size=6, max_size=6),
    temperature=st.floats(0.3, 9),
)
def test_weights_sum_to_the_number_of_tasks_and_ignore_the_scale_of_a_loss(
    rates: list[float], scales: list[float], temperature: float
) -> None:
    before = torch.ones(len(rates), dtype=torch.float64)
    last = torch.tensor(rates, dtype=torch.float64)
    scale = torch.tensor(scales[: len(rates)], dtype=torch.float64)
    weights = descent_weights(last, before, temperature=temperature)
    assert weights.sum().item() == pytest.approx(len(rates))
    scaled = descent_weights(last * scale, before * scale, temperature=temperature)
    torch.testing.assert_close(scaled, weights)
    assert weights.argmax() == last.argmax() or weights.max() - weights[last.argmax()] < 1e-12


def test_a_high_temperature_is_equal_weighting() -> None:
    weights = descent_weights(torch.tensor([0.1, 2.0]), torch.ones(2), temperature=1e6)
    torch.testing.assert_close(weights, torch.ones(2), atol=1e-5, rtol=0)


def test_a_task_without_labels_for_an_epoch_counts_as_level() -> None:
    weights = descent_weights(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 1.0]), temperature=1.0)
    torch.testing.assert_close(weights, torch.ones(2))


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be positive; found 0"):
        DWA(TinyProblem(), temperature=0)
