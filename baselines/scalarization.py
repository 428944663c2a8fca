"""Scalarization: static task weights, tuned."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from auxilearn import Method, Problem, task_means

EQUAL = "equal"


def parse_weights(text: str, *, n_tasks: int) -> Tensor:
    """Return the weights (T,) that `text` gives, such as 1/0.5/0.1, or ones for `equal`.

    Raises:
        ValueError: Their number is not T, or one of them is no number or below 0.
    """
    if text == EQUAL:
        return torch.ones(n_tasks)
    words = text.split("/")
    if len(words) != n_tasks:
        wanted = f"'{EQUAL}' or one weight for each of the {n_tasks} tasks, such as {'/'.join(['1'] * n_tasks)}"
        raise ValueError(f"task_weights must be {wanted}; found {text!r}")
    return torch.tensor([_weight(word) for word in words])


def _weight(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"a task weight must be a number of at least 0; found {word!r}")
    return value


class Scalarization(Method):
    """Weigh tasks by constants that the search tunes (Xin et al., NeurIPS 2022; Kurin et al., NeurIPS 2022).

    w_0 L_0 + a (w_1 L_1 + ... + w_K L_K). Xin et al. find that no multi-task optimiser beats a weighted sum whose
    weights are tuned, Kurin et al. that none beats weights of 1 with the usual regularisation. The search tunes
    a, which all auxiliaries share; `task_weights` are the w. Cost: a step of equal weighting.

    Departures: Xin et al. search weights that sum to 1, one a task; here the main task's stays 1, as the learning
    rate is searched too, and one weight a task is searched where values are given or where a search has a budget of
    trials and tasks are few. Kurin et al. tune dropout
    beside weight decay; here the network's stays as the suite has it.

    Args:
        problem: The model and its losses.
        auxiliary_weight: a.
        task_weights: One weight a task, the main task's first, between slashes, as in 1/0.5/0.1; `equal` is 1 for
            all.
    """

    citation = (
        "Xin, Ghorbani, Gilmer, Garg and Firat, NeurIPS 2022, arXiv:2209.11379; "
        "Kurin, De Palma, Kostrikov, Whiteson and Mudigonda, NeurIPS 2022, arXiv:2201.04122"
    )
    search_space: ClassVar = {"auxiliary_weight": (0.01, 0.05, 0.2, 1.0, 5.0, 20.0)}
    one_a_task: ClassVar = {"auxiliary_weight": "task_weights"}
    task_weights: Tensor

    def __init__(self, problem: Problem, *, auxiliary_weight: float = 1.0, task_weights: str = EQUAL) -> None:
        super().__init__(problem)
        if not (math.isfinite(auxiliary_weight) and auxiliary_weight >= 0):
            raise ValueError(f"auxiliary_weight must be at least 0; found {auxiliary_weight}")
        weights = parse_weights(task_weights, n_tasks=problem.n_tasks)
        weights[1:] *= auxiliary_weight
        self.register_buffer("task_weights", weights)

    def combine(self, losses: Tensor) -> Tensor:
        """Return the weighted sum of the task means."""
        return (self.task_weights * task_means(losses)).sum()
