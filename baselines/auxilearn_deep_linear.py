"""AuxiLearn with one weight a task, learnt as a product of linear layers."""

from typing import Any

from auxilearn import AuxiLearn, DeepLinearCombiner, Problem


class AuxiLearnDeepLinear(AuxiLearn):
    """Weigh each task by a product of linear layers (Navon et al., ICLR 2021, Sec. 3.2, "deep linear").

    Departures: those of `AuxiLearn`; all weights start at one, where the released code draws the layers from [0, 1].

    Args:
        problem: The model and its losses.
        depth: Number of hidden layers.
        width: Units of each.
        skip: Add the main loss to the network's output.
        monotone: Clip negative weights after each update.
        weight_norm: Learn the weights of a unit as their norm times their direction.
        **settings: See `AuxiLearn`.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        depth: int = 2,
        width: int = 10,
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
        **settings: Any,
    ) -> None:
        combiner = DeepLinearCombiner(
            problem.n_tasks, depth=depth, width=width, skip=skip, monotone=monotone, weight_norm=weight_norm
        )
        super().__init__(problem, combiner, **settings)
