"""The training loop of the interface, as small as it gets, with a checkpoint."""

import copy
import io
from typing import Any

import torch
from torch import Tensor, nn

from auxilearn import Method, task_means
from tests.contract.problems import Factory

STEPS_AN_EPOCH = 3


class Run:
    """One method on one problem, with steps that can be counted, saved and resumed."""

    def __init__(self, method_class: type[Method], factory: Factory, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.problem = factory()
        self.method = method_class(self.problem)
        if self.method.outer_every:
            self.method.outer_every = 2
        self.optimizer = torch.optim.SGD(self.problem.model.parameters(), lr=0.05, momentum=0.9)
        self.steps = 0
        self.epoch_losses = torch.zeros(self.problem.n_tasks)

    def train(self, steps: int) -> "Run":
        """Take that many steps, with an outer step every second and an end of epoch every third."""
        for _ in range(steps):
            batch = self.problem.batch(seed=self.steps)
            if self.method.outer_every and self.steps % self.method.outer_every == 0:
                self.outer_step()
            self.optimizer.zero_grad()
            losses = self.method.backward(batch)
            self.optimizer.step()
            self.method.step(batch)
            self.steps += 1
            self.epoch_losses += task_means(losses).to(self.epoch_losses)
            if self.steps % STEPS_AN_EPOCH == 0:
                self.method.end_epoch(self.epoch_losses / STEPS_AN_EPOCH)
                self.epoch_losses.zero_()
        return self

    def outer_step(self) -> None:
        """Take one outer step on the batches of the present step."""
        train, held_out = self.problem.batch(seed=self.steps), self.problem.batch(seed=1000 + self.steps)
        self.method.outer_step(train, held_out, lr=0.05)

    def state(self) -> dict[str, Any]:
        """Return all that a checkpoint holds."""
        return {
            "model": self.problem.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "method": self.method.state_dict(),
            "epoch_losses": self.epoch_losses,
            "steps": self.steps,
            "random": torch.get_rng_state(),
        }

    def saved(self) -> io.BytesIO:
        """Return a checkpoint file."""
        file = io.BytesIO()
        torch.save(self.state(), file)
        file.seek(0)
        return file

    def load(self, file: io.BytesIO) -> "Run":
        """Take over the state of a checkpoint file, read without executing pickled code."""
        state = torch.load(file, weights_only=True)
        self.problem.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.method.load_state_dict(state["method"])
        self.epoch_losses, self.steps = state["epoch_losses"], state["steps"]
        torch.set_rng_state(state["random"])
        return self


def snapshot(value: Any) -> Any:
    """Return a deep copy of a state."""
    return copy.deepcopy(value)


def same(first: Any, second: Any) -> bool:
    """Return whether two states agree bit for bit."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def model_state(model: nn.Module) -> dict[str, Any]:
    """Return copies of everything a method could disturb in a model."""
    return snapshot(
        {
            "state": dict(model.state_dict()),
            "gradients": [parameter.grad for parameter in model.parameters()],
            "trained": [parameter.requires_grad for parameter in model.parameters()],
            "modes": [module.training for module in model.modules()],
        }
    )


def gradients(model: nn.Module) -> list[Tensor]:
    """Return copies of the model's gradients, zeros where there is none."""
    return [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        for parameter in model.parameters()
    ]
