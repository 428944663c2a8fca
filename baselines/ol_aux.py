"""OL-AUX: an auxiliary's weight grows while its gradient points along the main task's."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from auxilearn import Method, Problem, labels_are_generated, task_means
from auxilearn.gradients import Randomness, directional_derivative, repeatable_means
from auxilearn.method import Batch, trainable
from auxilearn.precision import without_autocast


def updated(weights: Tensor, products: Tensor, *, beta: float) -> Tensor:
    """Return max(0, w_i + beta p_i) for the auxiliaries and the main task's weight as it is, (T,).

    Args:
        weights: w, (T,), the main task's first.
        products: p_i, the sum of <g_0, g_i> over the horizon, (T,).
        beta: Learning rate.
    """
    return torch.cat([weights[:1], (weights[1:] + beta * products[1:]).clamp(min=0)])


class OLAux(Method):
    """Weigh auxiliaries by online learning (Lin, Baweja, Kantor and Held, NeurIPS 2019, OL-AUX and OL-AUX-N).

    L = L_0 + sum_i w_i L_i, w_i = 1 at the start. Over N steps of length alpha the main loss falls by about
    alpha sum_j <g_0(W_j), g_0(W_j) + sum_i w_i g_i(W_j)>; along the gradient of that by w, at the end of the N steps,
    w_i <- max(0, w_i + beta sum_j <g_0(W_j), g_i(W_j)>), both gradients on the batch of step j and on all shared
    parameters. One forward-mode pass along g_0 gives the products of all tasks.

    beta has no scale of its own: losses c times as large give products c^2 times as large. It has to be searched.

    Cost, in equal-weighting steps: 2.2, whatever the number of tasks.

    Departures: alpha is part of beta, so that w learns at the same rate while the network's falls; losses as they
    are, where the authors' re-implementation takes their logarithms; no average of the gradients over the last steps.
    That code takes the gradient of the weighted sum for g_0; the rule, here, that of the main loss.

    Args:
        problem: The model and its losses.
        beta: Learning rate of the weights.
        horizon: Steps N between two updates of the weights: 5 is OL-AUX-5, 1 the plain OL-AUX.
    """

    citation = "Lin, Baweja, Kantor and Held, NeurIPS 2019, papers.nips.cc/paper/8724"
    needs = ("gradient products",)
    search_space: ClassVar = {"beta": (1e-3, 1e-2, 1e-1, 1.0)}
    task_weights: Tensor
    products: Tensor

    def __init__(self, problem: Problem, *, beta: float = 1e-1, horizon: int = 5) -> None:
        super().__init__(problem)
        if not beta > 0:
            raise ValueError(f"beta must be positive; found {beta}")
        if horizon < 1:
            raise ValueError(f"horizon must be at least 1; found {horizon}")
        self.beta, self.horizon, self.steps = beta, horizon, 0
        self.register_buffer("task_weights", torch.ones(problem.n_tasks))
        self.register_buffer("products", torch.zeros(problem.n_tasks))

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline single tasks, auxiliary tasks without labels and models that share no trained parameter."""
        if labels_are_generated(problem):
            return "its auxiliary labels are generated, not given"
        if problem.n_tasks < 2:
            return "it needs at least one auxiliary task"
        shared = any(parameter.requires_grad for parameter in problem.shared_parameters())
        return None if shared else "the tasks share no trained parameter"

    def combine(self, losses: Tensor) -> Tensor:
        """Return the weighted sum of the task means."""
        return (self.task_weights * task_means(losses)).sum()

    def backward(self, batch: Batch) -> Tensor:
        """Add the gradient of the weighted sum to the model's and note the products of the batch."""
        randomness = Randomness()
        losses = self.problem.losses(batch)
        known = {id(parameter) for parameter in self.problem.shared_parameters()}
        shared = {name: value for name, value in trainable(self.problem.model) if id(value) in known}
        with without_autocast(losses.device):
            main = torch.autograd.grad(
                task_means(losses)[0], tuple(shared.values()), retain_graph=True, materialize_grads=True
            )
            self.combined(losses).backward()
        _, products = directional_derivative(
            repeatable_means(self.problem, batch, randomness),
            dict(self.problem.model.named_parameters()),
            dict(zip(shared, main, strict=True)),
        )
        self.products += products
        return losses.detach()

    def step(self, batch: Batch) -> None:
        """Update the weights at the end of the horizon."""
        self.steps += 1
        if self.steps == self.horizon:
            self.task_weights.copy_(updated(self.task_weights, self.products, beta=self.beta))
            self.products.zero_()
            self.steps = 0

    def get_extra_state(self) -> dict[str, Any]:
        """Return how many steps of the horizon are done."""
        return {**super().get_extra_state(), "steps": self.steps}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        super().set_extra_state(state)
        self.steps = state["steps"]
