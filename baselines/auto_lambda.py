"""Auto-Lambda: one weight a task, chosen so that a step ahead the main loss is low."""

from typing import ClassVar, get_args

import torch
from torch import Tensor, nn

from auxilearn import Method, Problem, labels_are_generated, look_ahead_gradient, task_means
from auxilearn.gradients import Randomness, repeatable_means
from auxilearn.method import Batch, HeldOut, trainable
from auxilearn.precision import full_precision


class AutoLambda(Method):
    """Learn task weights by looking ahead (Liu, James, Davison and Johns, TMLR 2022, Section 4).

    The network minimises sum_i lambda_i L_i, the main task weighted too. Before each step lambda descends, by Adam, on
    L_main(W - lr sum_i lambda_i g_i) of another batch, with lr the network's present learning rate. Its gradient,
    - lr <grad L_main(W'), g_i(W)>, comes for all tasks from one forward-mode pass.

    Cost: an outer step takes 2.5 equal-weighting steps beside the training step's one, whatever the number of tasks.

    Departures: the gradient is exact, where the paper takes a difference of two losses on either side of W; weights
    are kept at 0 or above (`monotone`), where in the released code they may turn negative, and a negative weight
    maximises a loss; the step that is looked ahead is plain, where the released code adds the optimiser's momentum
    and weight decay.

    Args:
        problem: The model and its losses.
        initial_weight: lambda_i at the start, of every task.
        learning_rate: Adam's learning rate for lambda.
        outer_every: Training steps between two steps of lambda.
        held_out: Which set the other batch is from: "train" is the paper's ("swapping training data"); "auxiliary" is
            the auxiliary set, which the network is then not trained on.
        monotone: Clip negative weights after each update.
    """

    citation = "Liu, James, Davison and Johns, TMLR 2022, arXiv:2202.03091"
    needs = ("gradient products", "a second pass")
    search_space: ClassVar = {"learning_rate": (1e-4, 1e-3, 1e-2)}

    def __init__(
        self,
        problem: Problem,
        *,
        initial_weight: float = 0.1,
        learning_rate: float = 1e-4,
        outer_every: int = 1,
        held_out: HeldOut = "train",
        monotone: bool = True,
    ) -> None:
        super().__init__(problem)
        if not initial_weight > 0:
            raise ValueError(f"initial_weight must be positive; found {initial_weight}")
        if outer_every < 1:
            raise ValueError(f"outer_every must be at least 1; found {outer_every}")
        if held_out not in get_args(HeldOut):
            raise ValueError(f"unknown held_out {held_out!r}; choose one of: {', '.join(get_args(HeldOut))}")
        self.outer_every, self.monotone = outer_every, monotone
        self.held_out: HeldOut = held_out
        self.task_weights = nn.Parameter(torch.full((problem.n_tasks,), float(initial_weight)))
        self.optimizer = torch.optim.Adam([self.task_weights], lr=learning_rate)

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline single tasks, and auxiliary tasks without labels."""
        if labels_are_generated(problem):
            return "its auxiliary labels are generated, not given"
        return None if problem.n_tasks > 1 else "it needs at least one auxiliary task"

    def combine(self, losses: Tensor) -> Tensor:
        """Return the weighted sum of the task means, constant in the weights."""
        return (self.task_weights.detach() * task_means(losses)).sum()

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        """Move the weights down the main loss of `held_out` after a step on `train`."""
        assert self.optimizer is not None
        randomness = Randomness()
        params = {name: parameter.detach() for name, parameter in trainable(self.problem.model)}
        losses = repeatable_means(self.problem, train, randomness)
        main = repeatable_means(self.problem, held_out, randomness)
        with full_precision(self.task_weights.device):
            found = look_ahead_gradient(
                [lambda p: (self.task_weights * losses(p)).sum()],
                [lambda p: main(p)[0]],
                params,
                [self.task_weights],
                lr=lr,
            )
        (self.task_weights.grad,) = found.gradients
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.monotone:
            with torch.no_grad():
                self.task_weights.clamp_(min=0)
        self.diagnostics = {"held_out_loss": found.held_out_loss}
