"""Uncertainty weighting: each task's weight follows from its learnt observation noise."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from auxilearn import Method, Problem, task_means


def negative_log_likelihood(losses: Tensor, log_variances: Tensor, precision_scale: Tensor) -> Tensor:
    """Return the sum over tasks of c_i e^(-s_i) L_i + s_i / 2, leaving out tasks whose loss is exactly 0.

    A loss of exactly 0 means that the batch holds no label of the task; its term s_i / 2 alone would push
    the variance down on no evidence.

    Args:
        losses: Mean losses L_i, (T,).
        log_variances: s_i = log sigma_i^2, (T,).
        precision_scale: c_i, 1/2 for regression and 1 for classification, (T,).
    """
    terms = precision_scale * torch.exp(-log_variances) * losses + log_variances / 2
    return torch.where(losses != 0, terms, 0).sum()


def precision_scales(task_kinds: Sequence[str]) -> Tensor:
    """Return c_i of each task, (T,): 1/2 for a Gaussian likelihood, 1 for a scaled softmax."""
    return torch.tensor([0.5 if kind == "regression" else 1.0 for kind in task_kinds])


class Uncertainty(Method):
    """Weigh tasks by homoscedastic uncertainty (Kendall, Gal and Cipolla, CVPR 2018, equations 7 and 10).

    L = sum over regressions of e^(-s_i) L_i / 2 + s_i / 2, and over classifications of e^(-s_i) L_i + s_i /
    2, with s_i = log sigma_i^2 learnt. For fixed losses s_i settles at sigma_i^2 = L_i for a regression and 2
    L_i for a classification. The total may be negative, as it should.

    Departures: s has its own Adam at its own learning rate and no weight decay, where the paper trains it
    with the network; a task without a label in the batch contributes neither term, and its s_i moves in that step by
    what Adam remembers of others.
    """

    citation = "Kendall, Gal and Cipolla, CVPR 2018, arXiv:1705.07115"
    precision_scale: Tensor

    def __init__(self, problem: Problem, *, learning_rate: float = 1e-2) -> None:
        super().__init__(problem)
        self.log_variances = nn.Parameter(torch.zeros(problem.n_tasks))
        self.register_buffer("precision_scale", precision_scales(problem.task_kinds))
        self.optimizer = torch.optim.Adam([self.log_variances], lr=learning_rate)

    def combine(self, losses: Tensor) -> Tensor:
        """Return the joint negative log-likelihood."""
        return negative_log_likelihood(task_means(losses), self.log_variances, self.precision_scale)

    def step(self, batch: object) -> None:
        """Step the log variances with the gradient that `backward` left them."""
        assert self.optimizer is not None
        self.optimizer.step()
        self.optimizer.zero_grad()
