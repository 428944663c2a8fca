"""AuxiLearn with weights that depend on the surrounding pixels, by a ConvNet over loss images."""

from typing import Any

from auxilearn import AuxiLearn, ConvCombiner, Problem


class AuxiLearnConvNet(AuxiLearn):
    """Weigh each pixel's tasks by the losses around it (Navon et al., ICLR 2021, Sec. 3.2, "ConvNet").

    Departures: those of `AuxiLearn`; the layers are scaled at the start to weigh auxiliaries one on average, where
    the released code draws them from [0, 0.1]; poolings keep the last row or column of an odd size.

    Args:
        problem: The model and its losses.
        skip: Add the main loss to the network's output.
        monotone: Clip negative weights after each update.
        weight_norm: Learn the weights of a unit as their norm times their direction.
        **settings: See `AuxiLearn`; the released trainer takes `auxiliary_lr` 1e-4 and `clip_norm` 100.
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
        combiner = ConvCombiner(problem.n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)
        super().__init__(problem, combiner, **settings)

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Return a reason if losses are no images."""
        return super().declines(problem) if problem.loss_images else "it needs loss images, one loss a pixel"
