"""torchjd as its own documentation uses it, to compare the methods that take their rules from it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from auxilearn import Method, Problem, split_parameters, task_means
from auxilearn.task_gradients import memberships
from benchmark.data import Batch

AGGREGATORS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "pcgrad": ("PCGrad", {}),
    "mgda": ("MGDA", {}),
    "cagrad": ("CAGrad", {"c": 0.4}),
    "imtl-g": ("IMTLG", {}),
    "aligned-mtl": ("AlignedMTL", {}),
}
"""Class in torchjd and its arguments, by method; not of `nash-mtl`, for which torchjd needs a solver under the GPL."""


class Direct(Method):
    """Base of torchjd's interfaces as methods, for problems whose model is a `MultiTask`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.register_buffer("members", memberships(problem, "groups"), persistent=False)

    def values(self, losses: Tensor) -> Tensor:
        """Return the loss of each group of tasks from the losses (B, T)."""
        return self.get_buffer("members") @ task_means(losses)


class MtlBackward(Direct):
    """Every group's gradient on all shared parameters by `autojac.mtl_backward`, then `jac_to_grad`."""

    def __init__(self, problem: Problem, aggregator: str, settings: Mapping[str, Any]) -> None:
        from torchjd import aggregation

        super().__init__(problem)
        self.aggregate = getattr(aggregation, aggregator)(**settings)

    def backward(self, batch: Batch) -> Tensor:
        """Fill every gradient and return the detached losses."""
        from torchjd.autojac import jac_to_grad, mtl_backward

        with outputs_of(self.problem.model.get_submodule("trunk")) as features:
            losses = self.problem.losses(batch)
        mtl_backward(list(self.values(losses)), features=features, retain_graph=True)
        jac_to_grad(split_parameters(self.problem)[0], self.aggregate)
        return losses.detach()


class Autogram(Direct):
    """The groups' Gramian by `autogram.Engine`, then one backward pass of the weighted losses."""

    def __init__(self, problem: Problem, aggregator: str, settings: Mapping[str, Any]) -> None:
        from torchjd import aggregation
        from torchjd.autogram import Engine

        super().__init__(problem)
        self.weighting = getattr(aggregation, f"{aggregator}Weighting")(**settings)
        self.__dict__["engine"] = Engine(problem.model.get_submodule("trunk"), batch_dim=None)

    def backward(self, batch: Batch) -> Tensor:
        """Fill every gradient and return the detached losses; heads follow the weighted losses."""
        losses = self.problem.losses(batch)
        values = self.values(losses)
        values.backward(self.weighting(self.__dict__["engine"].compute_gramian(values)))
        return losses.detach()


INTERFACES: Mapping[str, Callable[[Problem, str, Mapping[str, Any]], Method]] = {
    "mtl_backward": MtlBackward,
    "autogram": Autogram,
}


@contextmanager
def outputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Record, within the block, what each call of `module` returns."""
    returned: list[Tensor] = []

    def note(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        returned.append(output)

    handle = module.register_forward_hook(note)
    try:
        yield returned
    finally:
        handle.remove()
