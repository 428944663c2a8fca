"""Per-task gradients against a loop over the tasks, and their weighted sum against the sum by hand."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auxilearn import GradientWeighting, Parts, gradient_weighting, task_means
from auxilearn.method import Problem
from tests.contract.problems import Factory, without_labels
from tests.problems import TinyModel, TinyProblem

TASKS = ("classification", "regression", "classification", "regression", "classification")
GROUPS = (0, 1, 2, 1, 2)


class Recorded(GradientWeighting):
    """Weights that tell the tasks apart, and a note of what the rule saw (nobody, 2026)."""

    seen: list[Parts]

    def __init__(self, problem: Problem, **settings: Any) -> None:
        super().__init__(problem, **settings)
        self.seen = []

    def rule(self, parts: Parts) -> Tensor:
        self.seen.append(parts)
        return weights_by_hand(parts.gramian)


def weights_by_hand(gramian: Tensor) -> Tensor:
    """Return weights of both signs that depend on all inner products."""
    return (gramian / gramian.diagonal().sum()).sum(1) + torch.arange(len(gramian)) - 0.5


class InPlaceModel(TinyModel):
    """With an activation that overwrites what the last shared layer returned."""

    def forward(self, x: Tensor) -> list[Tensor]:
        hidden = self.last_shared(self.trunk(x)).mul_(2).relu_()
        return [head(hidden) for head in self.heads]


def in_place() -> TinyProblem:
    problem = TinyProblem(TASKS)
    problem.model.__class__ = InPlaceModel
    return problem


def grouped() -> TinyProblem:
    problem = TinyProblem(TASKS, masked=True)
    problem.task_groups = GROUPS
    return problem


PROBLEMS: dict[str, Factory] = {
    "vectors": partial(TinyProblem, TASKS),
    "pixels": partial(TinyProblem, TASKS, size=(3, 4)),
    "masked": partial(TinyProblem, TASKS, masked=True),
    "masked pixels": partial(TinyProblem, TASKS, masked=True, size=(3, 4)),
    "batch norm": partial(TinyProblem, TASKS, batch_norm=True),
    "dropout": partial(TinyProblem, TASKS, dropout=0.5),
    "in place": in_place,
    "grouped": grouped,
    "all": partial(TinyProblem, TASKS, masked=True, size=(3, 4), batch_norm=True, dropout=0.3),
}


def part_losses(problem: TinyProblem, batch: Any) -> Tensor:
    """Return the sum of the losses of each group of tasks, by a loop, from one seed."""
    torch.manual_seed(7)
    means = task_means(problem.losses(batch))
    return torch.stack(
        [
            torch.stack([mean for mean, group in zip(means, problem.task_groups, strict=True) if group == part]).sum()
            for part in range(max(problem.task_groups) + 1)
        ]
    )


def loop(values: Tensor, wanted: list[Any]) -> Tensor:
    """Return the gradient of each value, (K, P), by one backward pass after another."""
    return torch.stack(
        [
            torch.cat([g.flatten() for g in torch.autograd.grad(v, wanted, retain_graph=True, materialize_grads=True)])
            for v in values
        ]
    )


def representation_rows(problem: TinyProblem, batch: Any) -> Tensor:
    """Return the gradient of each part on the output of the last shared layer, (K, B * width)."""
    kept: list[Tensor] = []
    leaf: list[Tensor] = []

    def cut(_layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        kept.append(output)
        leaf.append(output.detach().requires_grad_())
        return leaf[0].clone()

    handle = problem.last_shared_layer.register_forward_hook(cut)
    values = part_losses(problem, batch)
    handle.remove()
    return loop(values, leaf)


def trained(factory: Factory, batch: Any = None, **settings: Any) -> tuple[Recorded, TinyProblem]:
    """Return the method and the problem after a backward pass."""
    problem = factory()
    method = Recorded(problem, **settings)
    torch.manual_seed(7)
    method.backward(problem.batch() if batch is None else batch)
    return method, problem


def shared_gradient(problem: TinyProblem) -> Tensor:
    return torch.cat([p.grad.flatten() for p in problem.shared_parameters() if p.grad is not None])


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_inner_products_and_direction_are_those_of_a_loop(name: str, space: str) -> None:
    method, problem = trained(PROBLEMS[name], space=space)
    plain = PROBLEMS[name]()
    values = part_losses(plain, plain.batch())
    rows = loop(values, plain.shared_parameters())
    compared = rows if space == "parameters" else representation_rows(plain, plain.batch())
    expected = compared.double() @ compared.double().T
    (parts,) = method.seen
    assert parts.gramian.dtype == parts.losses.dtype == torch.float64
    torch.testing.assert_close(parts.gramian, expected, rtol=1e-5, atol=1e-6 * float(expected.max()))
    torch.testing.assert_close(parts.losses, values.detach().double())
    weights = weights_by_hand(expected)
    assert (weights < 0).any()
    torch.testing.assert_close(shared_gradient(problem), weights.float() @ rows, rtol=1e-4, atol=1e-5)
    by_task = weights[torch.tensor(plain.task_groups)].float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), by_task, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("space", ["parameters", "representation"])
@pytest.mark.parametrize("name", ["dropout", "grouped", "in place"])
def test_each_head_follows_its_own_task_alone(name: str, space: str) -> None:
    _, problem = trained(PROBLEMS[name], space=space)
    plain = PROBLEMS[name]()
    torch.manual_seed(7)
    means = task_means(plain.losses(plain.batch()))
    heads = [list(head.parameters()) for head in plain.model.get_submodule("heads").children()]
    found = [list(head.parameters()) for head in problem.model.get_submodule("heads").children()]
    for mean, ours, theirs in zip(means, found, heads, strict=True):
        expected = torch.autograd.grad(mean, theirs, retain_graph=True)
        for parameter, gradient in zip(ours, expected, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(parameter.grad, gradient)


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_gradients_add_to_those_that_are_there(space: str) -> None:
    _, once = trained(PROBLEMS["batch norm"], space=space)
    problem = PROBLEMS["batch norm"]()
    for parameter in problem.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    Recorded(problem, space=space).backward(problem.batch())
    for twice, alone in zip(problem.model.parameters(), once.model.parameters(), strict=True):
        assert twice.grad is not None
        assert alone.grad is not None
        torch.testing.assert_close(twice.grad, alone.grad + 1)


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_frozen_parameters_stay_without_gradient_and_out_of_the_inner_products(space: str) -> None:
    problem = PROBLEMS["vectors"]()
    trunk, *others = problem.shared_parameters()
    head = next(problem.model.get_submodule("heads").parameters())
    for parameter in (trunk, head):
        parameter.requires_grad_(False)
    method = Recorded(problem, space=space)
    method.backward(problem.batch())
    assert trunk.grad is None
    assert head.grad is None
    assert all(p.grad is not None for p in problem.model.parameters() if p not in {trunk, head})
    if space == "parameters":
        rows = loop(part_losses(problem, problem.batch()), others)
        torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("space", ["parameters", "representation"])
@pytest.mark.parametrize("unlabelled", [0, 2])
def test_a_task_without_a_label_in_the_batch_is_left_out(space: str, unlabelled: int) -> None:
    batch = without_labels(PROBLEMS["masked"]().batch(), unlabelled)
    method, problem = trained(PROBLEMS["masked"], batch, space=space)
    (parts,) = method.seen
    present = torch.arange(5) != unlabelled
    assert torch.equal(parts.present, present)
    rows = loop(part_losses(problem, batch), problem.shared_parameters())[present]
    assert parts.gramian.shape == (4, 4)
    assert len(parts.losses) == 4
    weights = weights_by_hand(parts.gramian).float()
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=1e-4, atol=1e-5)
    assert method.weights(torch.zeros(1))[unlabelled] == 0


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_a_batch_without_any_label_moves_nothing(space: str) -> None:
    batch = PROBLEMS["masked"]().batch()
    batch["mask"] = torch.zeros_like(batch["mask"])
    method, problem = trained(PROBLEMS["masked"], batch, space=space)
    assert not method.seen
    assert not shared_gradient(problem).any()
    assert not method.weights(torch.zeros(1)).any()


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_gradients_that_are_not_finite_are_seen_in_the_sum_and_not_by_the_rule(space: str) -> None:
    problem = PROBLEMS["vectors"]()
    batch = problem.batch()
    batch["y1"][0] = torch.inf
    method = Recorded(problem, space=space)
    method.backward(batch)
    assert not method.seen
    assert not shared_gradient(problem).isfinite().any()


def test_a_part_that_is_not_finite_is_none_for_the_rule() -> None:
    method, _ = trained(PROBLEMS["vectors"])
    rows = torch.tensor([[1.0, 2.0], [torch.inf, 0.0], [torch.nan, 1.0], [0.0, 0.0], [3.0, 4.0]])
    parts = method.parts(torch.arange(5.0), [rows])
    assert parts.present.tolist() == [True, False, False, False, True]
    torch.testing.assert_close(parts.gramian, torch.tensor([[5.0, 11.0], [11.0, 25.0]], dtype=torch.float64))
    assert parts.losses.tolist() == [0, 4]


@pytest.mark.parametrize(("partition", "parts"), [("tasks", 5), ("groups", 3), ("sum", 2)])
def test_partitions_join_losses_and_share_weights(partition: str, parts: int) -> None:
    method, problem = trained(grouped, partition=partition)
    gramian = method.seen[0].gramian
    assert len(gramian) == parts
    numbers = {"tasks": range(5), "groups": GROUPS, "sum": (0, 1, 1, 1, 1)}[partition]
    weights = weights_by_hand(gramian)[torch.tensor(list(numbers))].float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), weights)
    torch.manual_seed(7)
    rows = loop(task_means(problem.losses(problem.batch())), problem.shared_parameters())
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=1e-4, atol=1e-5)


def test_the_resolution_is_that_of_the_gradients() -> None:
    single, _ = trained(partial(TinyProblem, TASKS))
    double, _ = trained(partial(TinyProblem, TASKS, dtype=torch.float64))
    assert single.seen[0].resolution == 5 * torch.finfo(torch.float32).eps
    assert double.seen[0].resolution == 5 * torch.finfo(torch.float64).eps


def test_rounding_does_not_hide_that_gradients_depend_on_one_another() -> None:
    class Twice(TinyProblem):
        """Every task twice, the second time threefold."""

        def losses(self, batch: Any, params: Any = None, targets: Any = None) -> Tensor:
            once = super().losses(batch, params, targets)
            return torch.cat([once, 3 * once], 1)

    problem = Twice(("regression", "classification"))
    problem.n_tasks, problem.task_groups = 4, (0, 1, 2, 3)
    method = Recorded(problem)
    method.backward(problem.batch())
    eigenvalues = torch.linalg.eigvalsh(method.seen[0].gramian)
    assert eigenvalues[:2].abs().max() < 1e-13 * eigenvalues[-1]
    assert eigenvalues[2] > 1e-3 * eigenvalues[-1]


@pytest.mark.parametrize("space", ["parameters", "representation"])
def test_autocast_reaches_the_losses_alone(space: str) -> None:
    problem, plain = PROBLEMS["vectors"](), PROBLEMS["vectors"]()
    method = Recorded(problem, space=space)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        method.backward(problem.batch())
        values = part_losses(plain, plain.batch())
    rows = loop(values, plain.shared_parameters())
    if space == "parameters":
        torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-4, atol=1e-5)
    weights = weights_by_hand(method.seen[0].gramian).float()
    tolerance = 1e-5 if space == "parameters" else 1e-2  # one backward pass through layers in bfloat16
    torch.testing.assert_close(shared_gradient(problem), weights @ rows, rtol=tolerance, atol=tolerance)


def test_a_last_shared_layer_that_is_called_twice_counts_with_both_outputs() -> None:
    class Again(TinyModel):
        """Two passes through the last shared layer, of which the second matters to the first head alone."""

        def forward(self, x: Tensor) -> list[Tensor]:
            hidden = torch.tanh(self.last_shared(self.trunk(x)))
            main, *others = self.heads
            return [main(self.last_shared(hidden)), *(head(hidden) for head in others)]

    problem = TinyProblem(TASKS)
    problem.model.__class__ = Again
    method = Recorded(problem, space="representation")
    method.backward(problem.batch())
    outputs: list[Tensor] = []

    def note(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        outputs.append(output)

    handle = problem.last_shared_layer.register_forward_hook(note)
    values = part_losses(problem, problem.batch())
    handle.remove()
    rows = loop(values, outputs)
    torch.testing.assert_close(method.seen[0].gramian, (rows @ rows.T).double(), rtol=1e-5, atol=1e-6)
    expected = weights_by_hand(method.seen[0].gramian).float() @ loop(values, problem.shared_parameters())
    torch.testing.assert_close(shared_gradient(problem), expected, rtol=1e-4, atol=1e-5)


def test_on_the_parameters_nothing_is_asked_of_the_last_shared_layer() -> None:
    problem = PROBLEMS["vectors"]()
    for parameter in (*problem.model.get_submodule("trunk").parameters(), *problem.last_shared_layer.parameters()):
        parameter.requires_grad_(False)
    extra = nn.Parameter(torch.zeros(()))
    problem.model.register_parameter("extra", extra)
    problem.shared_parameters = lambda: [extra]  # pyright: ignore[reportAttributeAccessIssue]
    plain = problem.losses
    problem.losses = lambda *args, **more: plain(*args, **more) * (1 + extra)  # pyright: ignore[reportAttributeAccessIssue]
    method = Recorded(problem)
    losses = method.backward(problem.batch())
    assert extra.grad is not None
    torch.testing.assert_close(extra.grad, weights_by_hand(method.seen[0].gramian).float() @ task_means(losses))


def test_logged_weights_are_the_mean_of_an_epoch() -> None:
    problem = PROBLEMS["vectors"]()
    method = Recorded(problem)
    assert torch.equal(method.weights(torch.zeros(1)), torch.ones(5))
    for seed in range(3):
        method.backward(problem.batch(seed=seed))
    mean = torch.stack([weights_by_hand(parts.gramian) for parts in method.seen]).mean(0).float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean)
    method.end_epoch(torch.ones(5))
    torch.testing.assert_close(method.weights(torch.zeros(1)), mean, msg="until the next epoch's first step")
    method.backward(problem.batch(seed=4))
    last = weights_by_hand(method.seen[-1].gramian).float()
    torch.testing.assert_close(method.weights(torch.zeros(1)), last)


def test_gradients_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = grouped()
    size = 4 * sum(parameter.numel() for parameter in problem.shared_parameters())
    monkeypatch.setattr(gradient_weighting, "LARGEST_JACOBIAN", 3 * size)
    Recorded(problem)
    for fits in ({"space": "representation", "partition": "tasks"}, {"partition": "sum"}):
        Recorded(problem, **fits)
    with pytest.raises(ValueError, match=r"5 tasks .* take 0 GiB; choose space=representation or partition=sum"):
        Recorded(problem, partition="tasks")


@pytest.mark.parametrize("settings", [{"space": "features"}, {"partition": "pairs"}])
def test_unknown_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="choose one of"):
        Recorded(TinyProblem(), **settings)


def test_what_cannot_be_weighted_is_declined() -> None:
    problem = TinyProblem()
    assert Recorded.declines(problem) is None
    assert Recorded.declines(TinyProblem(("regression",))) == "it needs at least one auxiliary task"
    assert Recorded.declines(TinyProblem(subclasses=(2, 2))) == "its auxiliary labels are generated, not given"
    for parameter in problem.shared_parameters():
        parameter.requires_grad_(False)
    assert Recorded.declines(problem) == "the tasks share no trained parameter"
