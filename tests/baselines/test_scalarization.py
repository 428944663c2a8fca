from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from auxilearn import Method, task_means
from baselines.equal import Equal
from baselines.scalarization import Scalarization, parse_weights
from baselines.stl import STL
from benchmark.errors import UserError
from benchmark.plan import Arm, Options, make_plan
from tests.contract.loop import gradients
from tests.contract.problems import Factory
from tests.problems import TinyProblem

PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, batch_norm=True),
    "images": partial(TinyProblem, size=(3, 2)),
    "masked": partial(TinyProblem, masked=True),
}


def gradient(method_class: type[Method], factory: Factory, **settings: object) -> list[Tensor]:
    problem = factory()
    method_class(problem, **settings).backward(problem.batch())
    return gradients(problem.model)


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(map(torch.equal, first, second))


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_weight_of_one_is_equal_weighting_bit_for_bit(name: str) -> None:
    assert same(gradient(Scalarization, PROBLEMS[name]), gradient(Equal, PROBLEMS[name]))
    assert not same(gradient(Scalarization, PROBLEMS[name], auxiliary_weight=0.5), gradient(Equal, PROBLEMS[name]))


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_weight_of_zero_is_single_task_learning_bit_for_bit(name: str) -> None:
    assert same(gradient(Scalarization, PROBLEMS[name], auxiliary_weight=0.0), gradient(STL, PROBLEMS[name]))
    assert same(gradient(Scalarization, PROBLEMS[name], task_weights="1/0/0"), gradient(STL, PROBLEMS[name]))


def test_the_sum_worked_out_by_hand() -> None:
    method = Scalarization(TinyProblem(), auxiliary_weight=0.2, task_weights="3/0.5/10")
    losses = torch.tensor([[1.0, 8.0, 4.0], [3.0, 12.0, 6.0]])
    # means 2, 10 and 5 by 3, 0.2 * 0.5 and 0.2 * 10
    assert method.combine(losses).item() == pytest.approx(6 + 1 + 10)
    torch.testing.assert_close(method.weights(losses), torch.tensor([3.0, 0.1, 2.0]))


def test_heads_follow_the_weighted_loss_too() -> None:
    factory = PROBLEMS["vectors"]
    problem = factory()
    (task_means(problem.losses(problem.batch())) @ torch.tensor([1.0, 0.3, 0.3])).backward()
    for found, expected in zip(
        gradient(Scalarization, factory, auxiliary_weight=0.3), gradients(problem.model), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_the_search_spans_two_decades_around_equal_weighting() -> None:
    weights = [float(weight) for weight in Scalarization.search_space["auxiliary_weight"]]
    assert weights[0] < 1.0 < weights[-1]
    assert 1.0 in weights
    assert weights[-1] / weights[0] >= 100
    steps = [larger / smaller for smaller, larger in pairwise(weights)]
    assert all(2 <= step <= 5 for step in steps), "a grid on a logarithmic scale"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/0.5", "one weight for each of the 3 tasks, such as 1/1/1; found '1/0.5'"),
        ("", "found ''"),
        ("1/0.5/0.1/0", "found '1/0.5/0.1/0'"),
        ("1/0.5/-0.1", "at least 0; found '-0.1'"),
        ("1/half/1", "at least 0; found 'half'"),
        ("1/nan/1", "found 'nan'"),
        ("1/inf/1", "found 'inf'"),
        ("1//1", "found ''"),
    ],
)
def test_wrong_texts_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        parse_weights(text, n_tasks=3)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
def test_wrong_weights_of_the_auxiliaries_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=f"auxiliary_weight must be at least 0; found {weight}"):
        Scalarization(TinyProblem(), auxiliary_weight=weight)


def plan(**options: object) -> list[Arm]:
    given = Options("digits", settings=("5-shot",), methods=("scalarization",), **options)  # pyright: ignore[reportArgumentType]
    return make_plan(given)


def test_weights_a_task_come_from_the_command_line() -> None:
    (arm,) = plan(fixed={"scalarization.task_weights": "1/0.5/0.1/1/1/0/0"})
    assert arm.fixed["task_weights"] == "1/0.5/0.1/1/1/0/0"
    (arm,) = plan(grid={"scalarization.task_weights": ("equal", "1/1/1/1/1/0/0")})
    assert arm.space["task_weights"] == ("equal", "1/1/1/1/1/0/0")


@pytest.mark.parametrize("text", ["1/0.5", "1/1/1/1/1/0/x"])
def test_wrong_weights_a_task_are_told_before_training(text: str) -> None:
    with pytest.raises(UserError, match=r"^scalarization: .*found '(1/0.5|x)'$"):
        plan(fixed={"scalarization.task_weights": text})
