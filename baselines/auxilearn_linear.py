"""AuxiLearn with one learnt weight a task."""

from typing import Any

from auxilearn import AuxiLearn, LinearCombiner, Problem


class AuxiLearnLinear(AuxiLearn):
    """Weigh each task by one number, learnt on held-out data (Navon et al., ICLR 2021, Sec. 3.2, "linear").

    Departures: those of `AuxiLearn`.

    Args:
        problem: The model and its losses.
        skip: Add the main loss to the weighted sum; the released NYUv2 trainer does not.
        monotone: Clip negative weights after each update.
        weight_norm: Learn the weights as their norm times their direction.
        **settings: See `AuxiLearn`.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
        **settings: Any,
    ) -> None:
        combiner = LinearCombiner(problem.n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)
        super().__init__(problem, combiner, **settings)
