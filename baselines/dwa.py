"""Dynamic weight average: tasks whose loss falls slowly weigh more."""

from typing import ClassVar

import torch
from torch import Tensor

from auxilearn import Method, Problem, task_means


def descent_weights(last: Tensor, before_last: Tensor, *, temperature: float) -> Tensor:
    """Return T softmax(w / temperature) with w_i = last_i / before_last_i, (T,), from epoch means (T,).

    A mean of 0 before last stands for no epoch or none with a label of the task; its rate counts as 1. One of 0 last,
    too, is taken as it is: the rate is 0, the lowest.
    """
    rates = torch.where(before_last == 0, 1, last / torch.where(before_last == 0, 1, before_last))
    return len(rates) * torch.softmax(rates / temperature, dim=0)


class DWA(Method):
    """Weigh tasks by their relative rate of descent (Liu, Johns and Davison, CVPR 2019, equation 7).

    w_k(t-1) = L_k(t-1) / L_k(t-2) and lambda_k = T exp(w_k / temperature) / sum_i exp(w_i / temperature),
    with L_k the mean over an epoch; lambda_k = 1 in the first two epochs. Public code that averages over a window
    of steps is another method.

    Departures: the rate of a task without a label in the epoch before last counts as 1, that of one without a label
    in the last as 0.
    """

    citation = "Liu, Johns and Davison, CVPR 2019, arXiv:1803.10704"
    needs = ("loss history",)
    search_space: ClassVar = {"temperature": (0.5, 2.0, 5.0)}
    last: Tensor
    task_weights: Tensor

    def __init__(self, problem: Problem, *, temperature: float = 2.0) -> None:
        super().__init__(problem)
        if temperature <= 0:
            raise ValueError(f"temperature must be positive; found {temperature}")
        self.temperature = temperature
        self.register_buffer("last", torch.zeros(problem.n_tasks))
        self.register_buffer("task_weights", torch.ones(problem.n_tasks))

    def combine(self, losses: Tensor) -> Tensor:
        """Return the sum of the task means under the epoch's weights."""
        return (self.task_weights * task_means(losses)).sum()

    def end_epoch(self, task_losses: Tensor) -> None:
        """Set the next epoch's weights from this epoch's mean losses and the last one's."""
        self.task_weights.copy_(descent_weights(task_losses, self.last, temperature=self.temperature))
        self.last.copy_(task_losses)
