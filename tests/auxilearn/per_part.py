"""A rule that notes what it sees, problems to see it on, and the gradients of parts by a loop."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from auxilearn import GradientWeighting, Parts, task_means
from auxilearn.method import Problem
from tests.contract.problems import Factory
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
