"""Methods that each break one rule, so that the checks are seen to fail."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from auxilearn import Method, Problem, task_means
from auxilearn.method import Batch


class Sound(Method):
    """A small bilevel method that keeps every rule (nobody, 2026).

    Departures: none.
    """

    citation = "nobody, 2026"
    needs = ("held-out data",)
    search_space: ClassVar = {"rate": (0.1, 0.2)}
    outer_every = 2

    def __init__(self, problem: Problem, *, rate: float = 0.1) -> None:
        super().__init__(problem)
        self.phi = nn.Parameter(torch.ones(problem.n_tasks))
        self.optimizer = torch.optim.SGD([self.phi], lr=rate, momentum=0.9)

    def combine(self, losses: Tensor) -> Tensor:
        return (self.phi.detach() * task_means(losses)).sum()

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        assert self.optimizer is not None
        own = {name: value.detach() for name, value in self.problem.model.named_parameters()}
        losses = self.problem.losses(held_out, params=own, targets=self.targets(held_out))
        self.phi.grad = task_means(losses.detach()).to(self.phi)
        self.optimizer.step()
        self.phi.grad = None


class MovesBatchNorm(Sound):
    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        self.problem.losses(held_out)
        super().outer_step(train, held_out, lr)


class LeavesGradients(Sound):
    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        params = dict(self.problem.model.named_parameters())
        self.problem.losses(held_out, params=params).mean().backward()
        super().outer_step(train, held_out, lr)


class SetsEvaluationMode(Sound):
    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        self.problem.model.eval()
        super().outer_step(train, held_out, lr)


class NeverLearns(Sound):
    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        return


class LeaksToPhi(Sound):
    def combine(self, losses: Tensor) -> Tensor:
        return (self.phi * task_means(losses)).sum()


class ForgetsItsOptimiser(Sound):
    def get_extra_state(self) -> dict[str, Any]:
        return {}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        return


class ForgetsItsHistory(Sound):
    def __init__(self, problem: Problem, *, rate: float = 0.1) -> None:
        super().__init__(problem, rate=rate)
        self.last = torch.ones(problem.n_tasks)

    def combine(self, losses: Tensor) -> Tensor:
        return (self.last * task_means(losses)).sum()

    def end_epoch(self, task_losses: Tensor) -> None:
        self.last = task_losses.clone()


class HoldsTheModel(Sound):
    def __init__(self, problem: Problem, *, rate: float = 0.1) -> None:
        super().__init__(problem, rate=rate)
        self.model = problem.model


class StepsTheModel(Sound):
    def step(self, batch: Batch) -> None:
        with torch.no_grad():
            next(self.problem.model.parameters()).mul_(0.9)


class LooksTwice(Sound):
    def backward(self, batch: Batch) -> Tensor:
        self.problem.losses(batch)
        return super().backward(batch)


class Overwrites(Sound):
    def backward(self, batch: Batch) -> Tensor:
        self.problem.model.zero_grad()
        return super().backward(batch)


class AveragesTwice(Sound):
    """A mean over nonzero losses, of losses that are scaled for a plain mean already."""

    def combine(self, losses: Tensor) -> Tensor:
        counts = (losses != 0).transpose(0, 1).flatten(1).sum(1)
        return (losses.transpose(0, 1).flatten(1).sum(1) / counts).sum()


class SetsTheSeed(Sound):
    def step(self, batch: Batch) -> None:
        torch.manual_seed(0)


class Detached(Sound):
    def backward(self, batch: Batch) -> Tensor:
        return self.problem.losses(batch).detach()


class Undefined(Sound):
    def weights(self, losses: Tensor) -> Tensor:
        return torch.full((self.problem.n_tasks,), float("nan"))


class WeighsSamples(Sound):
    def weights(self, losses: Tensor) -> Tensor:
        return losses[:, 0].flatten()


class Positional(Sound):
    """A method of nobody, 2026."""

    def __init__(self, problem: Problem, rate: float = 0.1) -> None:
        super().__init__(problem, rate=rate)


class Structured(Sound):
    """A method of nobody, 2026."""

    def __init__(self, problem: Problem, *, rates: Any = {"first": 1}) -> None:  # noqa: B006
        super().__init__(problem)


class Misnamed(Sound):
    search_space: ClassVar = {"lr": (0.1, 0.2)}


class Mistyped(Sound):
    search_space: ClassVar = {"rate": ("0.1", "0.2")}


class Rambling(Sound):
    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        return "one line\nand another"


class Anonymous(Sound):
    citation = ""


class Undocumented(Sound):
    pass


class SaysNothingOfDepartures(Sound):
    """A method of nobody, 2026. Departures: none, but in passing."""


class NamesNoDepartures(Sound):
    """A method of nobody, 2026.

    Departures:
    """


class NeedsAWord(Sound):
    needs: Any = "held-out data"


class NeedsTheUnknown(Sound):
    needs: Any = ("held-out data", "luck")


class NeedsTwice(Sound):
    needs = ("held-out data", "held-out data")


class ForgetsItsNeed(Sound):
    needs = ("loss history",)


class NeedsNoHeldOutData(Sound):
    held_out = "train"


class NeedsNoOuterStep(Sound):
    outer_every = 0
