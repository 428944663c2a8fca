"""What is timed and measured: training and outer steps, repeated at one place."""

from collections.abc import Callable

import torch

from auxilearn import Method
from benchmark.data import Batch

Work = Callable[[], object]


def training_step(method: Method, batch: Batch, *, keep_gradients: bool = False) -> Work:
    """Return a training step with Adam at a rate too small to leave the place where it is measured.

    Args:
        method: The method and its model.
        batch: What every step trains on.
        keep_gradients: Zero gradients in place, so that their memory is there before the step.
    """
    optimizer = torch.optim.Adam(method.problem.model.parameters(), lr=1e-9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=not keep_gradients)
        method.backward(batch)
        optimizer.step()
        method.step(batch)

    return step


def outer_step(method: Method, batch: Batch, held_out: Batch) -> Work:
    """Return an update of a bilevel method from held-out data."""
    return lambda: method.outer_step(batch, held_out, lr=1e-3)
