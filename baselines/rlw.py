"""Random loss weighting: new random task weights in every step."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from auxilearn import EpochMean, Method, Problem, task_means
from auxilearn.devices import on_device

Distribution = Literal["normal", "uniform", "dirichlet", "bernoulli", "constrained-bernoulli"]


def _some_tasks(n_tasks: int, generator: torch.Generator) -> Tensor:
    """Return a fair coin a task, (T,), thrown again until one of them shows 1."""
    while True:
        coins = torch.randint(2, (n_tasks,), generator=generator).float()
        if coins.any():
            return coins / coins.sum()


def _one_task(n_tasks: int, generator: torch.Generator) -> Tensor:
    return torch.eye(n_tasks)[torch.randint(n_tasks, (), generator=generator)]


def _dirichlet(n_tasks: int, generator: torch.Generator) -> Tensor:
    """Return a point of the simplex, uniformly: exponential variables over their sum, (T,)."""
    values = torch.empty(n_tasks).exponential_(generator=generator)
    return values / values.sum()


_DRAW: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "normal": lambda n_tasks, generator: torch.randn(n_tasks, generator=generator).softmax(0),
    "uniform": lambda n_tasks, generator: torch.rand(n_tasks, generator=generator).softmax(0),
    "dirichlet": _dirichlet,
    "bernoulli": _some_tasks,
    "constrained-bernoulli": _one_task,
}


def random_weights(n_tasks: int, distribution: Distribution, generator: torch.Generator) -> Tensor:
    """Return random weights, (T,), not negative, that sum to T; each is 1 on average.

    Args:
        n_tasks: T.
        distribution: The softmax of standard `normal` or of `uniform` variables on [0, 1]; a symmetric `dirichlet`
            of concentration 1; `bernoulli`, each task in or out with even odds, at least one in, those in alike;
            `constrained-bernoulli`, one task alone.
        generator: Where the numbers come from.
    """
    return n_tasks * _DRAW[distribution](n_tasks, generator)


class RLW(Method):
    """Weigh tasks at random, anew in each step (Lin, Ye, Zhang and Tsang, TMLR 2022, algorithm 2).

    The bar for every way of choosing weights: with the mean weight 1 of every task it is equal weighting with
    noise. The weights come from a generator of the method's own, so that dropout masks and batches are those of
    any other method. Cost: a step of equal weighting.

    Departures: weights sum to T, not to 1, so that the learning rate means what it means for `equal`. The
    other distributions are those of the authors' first version, of which the normal with random moments is left
    out: its mean weights favour tasks by chance.

    Args:
        problem: The model and its losses.
        distribution: See `random_weights`.
    """

    citation = "Lin, Ye, Zhang and Tsang, TMLR 2022, arXiv:2111.10603"
    task_weights: Tensor

    def __init__(self, problem: Problem, *, distribution: Distribution = "normal") -> None:
        super().__init__(problem)
        if distribution not in get_args(Distribution):
            allowed = ", ".join(get_args(Distribution))
            raise ValueError(f"unknown distribution {distribution!r}; choose one of: {allowed}")
        self.distribution: Distribution = distribution
        self.generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        self.register_buffer("task_weights", self._draw())
        self.noted = EpochMean(torch.ones(problem.n_tasks))

    def combine(self, losses: Tensor) -> Tensor:
        """Return the sum of the task means under the step's weights."""
        return (self.task_weights * task_means(losses)).sum()

    def step(self, batch: object) -> None:
        """Draw the next step's weights."""
        self.noted.note(self.task_weights)
        self.task_weights.copy_(on_device(self._draw(), self.task_weights.device))

    def end_epoch(self, task_losses: Tensor) -> None:
        """Start a new mean of the weights."""
        self.noted.end_epoch()

    def weights(self, losses: Tensor) -> Tensor:
        """Return each task's mean weight over the epoch so far; before its first step, the last epoch's."""
        return self.noted.value()

    def get_extra_state(self) -> dict[str, Any]:
        """Return the generator's state."""
        return {**super().get_extra_state(), "generator": self.generator.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        super().set_extra_state(state)
        self.generator.set_state(state["generator"].cpu())

    def _draw(self) -> Tensor:
        return random_weights(self.problem.n_tasks, self.distribution, self.generator)
