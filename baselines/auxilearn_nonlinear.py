"""AuxiLearn with weights that depend on the sample, by a Softplus network over its losses."""

from typing import Any

from auxilearn import AuxiLearn, NonlinearCombiner, Problem


class AuxiLearnNonlinear(AuxiLearn):
    """Weigh each sample's tasks by its own losses (Navon et al., ICLR 2021, Sec. 3.2, "nonlinear").

    Departures: those of `AuxiLearn`; the layers are scaled at the start to weigh auxiliaries one on average, where
    the released code draws them from [0, 1]; loss images are weighed pixel by pixel, where it takes their means. Where
    labels lack, the network sees losses as `Problem.losses` gives them: 0 of samples without one, those of the others
    times all over labelled.

    Args:
        problem: The model and its losses.
        depth: Number of hidden layers; the paper takes five of ten units on CUB, one of three on NYUv2.
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
        depth: int = 5,
        width: int = 10,
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
        **settings: Any,
    ) -> None:
        combiner = NonlinearCombiner(
            problem.n_tasks, depth=depth, width=width, skip=skip, monotone=monotone, weight_norm=weight_norm
        )
        super().__init__(problem, combiner, **settings)
