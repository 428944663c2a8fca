"""FAMO: weights under which the logarithms of all losses fall alike, from the losses alone."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from auxilearn import Method, Problem, task_means
from auxilearn.gradients import Randomness

_SMALLEST_LOSS = 1e-8
"""Bound below which a loss counts as this value after the step, and not at all before it."""


def present_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Return the softmax z (T,) over the tasks that are present (T,); zeros where none is."""
    weights = torch.softmax(logits, dim=0) * present
    return weights / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)


def logit_gradient(logits: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Return the gradient of sum_i z_i (log before_i - log after_i) by the logits, (T,); 0 for absent tasks.

    It is z_i (d_i - sum_j z_j d_j) with d the fall of the logarithms: tasks that fell less than the others gain
    weight by descent.

    Args:
        logits: Of z, (T,).
        before: Losses of a batch before the model's step, (T,); a task is absent where its loss is not positive.
        after: Losses of the same batch after it, (T,).
    """
    falls = before.clamp(min=_SMALLEST_LOSS).log() - after.clamp(min=_SMALLEST_LOSS).log()
    weights = present_softmax(logits, before > _SMALLEST_LOSS)
    return weights * (falls - (weights * falls).sum())


class FAMO(Method):
    """Lower all log-losses at the same rate (Liu, Feng, Stone and Liu, NeurIPS 2023, algorithm 1).

    The network follows the gradient of c sum_i z_i log L_i, with z the softmax of learnt logits and c = 1 /
    sum_i (z_i / L_i) constant: a convex combination of the tasks' gradients. After the model's step the losses of
    the same batch, under the same dropout masks, say by how much each logarithm fell; Adam moves the logits
    against the gradient of sum_i z_i (log L_i before - log L_i after), with gamma as weight decay.

    Heads follow the weighted loss as the rest of the network does. The losses must be positive. Cost: a step of
    equal weighting and a forward pass, about 1.3.

    Departures: a task whose loss is at most 1e-8, as without a label in the batch, or negative counts as having no
    logarithm: it is left out of the sum, and its logit stays. The second pass leaves BatchNorm's running statistics
    alone. The gradient is not clipped and no lower bound of a loss is subtracted, both of which the released code can
    do; that code's own gamma is 1e-2, which is in the grid.

    Args:
        problem: The model and its losses.
        learning_rate: Of the logits' Adam.
        gamma: Decay of the logits towards equal weights.
    """

    citation = "Liu, Feng, Stone and Liu, NeurIPS 2023, arXiv:2306.03792"
    needs = ("a second pass",)
    search_space: ClassVar = {"gamma": (1e-2, 1e-3, 1e-4)}

    def __init__(self, problem: Problem, *, learning_rate: float = 0.025, gamma: float = 1e-3) -> None:
        super().__init__(problem)
        self.logits = nn.Parameter(torch.zeros(problem.n_tasks))
        self.optimizer = torch.optim.Adam([self.logits], lr=learning_rate, weight_decay=gamma)
        self._before: tuple[Randomness, Tensor] | None = None

    def combine(self, losses: Tensor) -> Tensor:
        """Return c sum_i z_i log L_i over the tasks with a positive loss, constant in the logits."""
        means = task_means(losses)
        present = means.detach() > _SMALLEST_LOSS
        weights = present_softmax(self.logits.detach(), present)
        positive = torch.where(present, means, 1)
        total = (weights / positive.detach()).sum()
        return (weights * positive.log()).sum() / torch.where(total > 0, total, 1)

    def backward(self, batch: object) -> Tensor:
        """Add the training gradient and note losses and random state for `step`."""
        randomness = Randomness()
        losses = super().backward(batch)
        self._before = randomness, task_means(losses)
        return losses

    @torch.no_grad()
    def step(self, batch: object) -> None:
        """Step the logits by what the model's step did to the losses of its batch."""
        assert self.optimizer is not None
        if self._before is None:
            return
        randomness, before = self._before
        with randomness.replayed():
            # detached, so that no autocast takes what it made of the parameters before the step
            params = {name: value.detach() for name, value in self.problem.model.named_parameters()}
            after = task_means(self.problem.losses(batch, params=params, targets=self.targets(batch)))
        logits = self.logits.detach().clone()
        self.logits.grad = logit_gradient(logits, before, after).to(logits.dtype)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.logits.copy_(torch.where(before > _SMALLEST_LOSS, self.logits, logits))
        self._before = None
