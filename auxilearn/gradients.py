"""Directional derivatives of all task losses at once, by one forward-mode pass."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from auxilearn.method import Batch, Parameters, Problem, task_means


def directional_derivative(
    function: Callable[[dict[str, Tensor]], Tensor],
    params: Mapping[str, Tensor],
    direction: Mapping[str, Tensor],
) -> tuple[Tensor, Tensor]:
    """Return `function(params)` and its derivative along `direction`, both of the function's shape.

    One forward-mode pass, exact, whatever the number of outputs. Parameters that `direction` does not name are
    held constant.

    Args:
        function: Maps parameters by name to a tensor, such as unreduced losses (B, T).
        params: The point, by name.
        direction: The tangent, by name, each of its parameter's shape.
    """
    with torch.no_grad(), dual_level():
        duals = {
            name: forward_ad.make_dual(value.detach(), direction[name]) if name in direction else value.detach()
            for name, value in params.items()
        }
        primal, tangent = forward_ad.unpack_dual(function(duals))
        return primal, torch.zeros_like(primal) if tangent is None else tangent


@contextmanager
def dual_level() -> Iterator[None]:
    """Enter forward-mode differentiation, of one level: it cannot be nested."""
    _load_forward_mode()
    with forward_ad.dual_level():
        yield


@cache
def _load_forward_mode() -> None:
    # at its first use torch compiles decompositions with torch.jit, and warns that torch.jit is deprecated
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.filterwarnings("ignore", ".*torch.jit")
        forward_ad.make_dual(torch.zeros(()), torch.zeros(()))


class Randomness:
    """The state of torch's random generators at one moment, to draw the same dropout masks again."""

    def __init__(self) -> None:
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    @contextmanager
    def replayed(self) -> Iterator[None]:
        """Run the block with the noted state, then go on as if it had drawn nothing."""
        devices = [torch.cuda.current_device()] if self._cuda is not None else []
        with torch.random.fork_rng(devices=devices):
            torch.set_rng_state(self._cpu)
            if self._cuda is not None:
                torch.cuda.set_rng_state(self._cuda)
            yield


def repeatable_means(
    problem: Problem, batch: Batch, randomness: Randomness, targets: Any = None
) -> Callable[[Parameters], Tensor]:
    """Return the mean loss of each task, (T,), as a function of the parameters by name, the same at each call.

    Args:
        problem: The model and its losses.
        batch: Where the losses are taken.
        randomness: Whose dropout masks each call draws.
        targets: Generated auxiliary targets.
    """

    def means(params: Parameters) -> Tensor:
        with randomness.replayed():
            return task_means(problem.losses(batch, params, targets))

    return means
