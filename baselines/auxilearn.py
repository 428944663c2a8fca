"""AuxiLearn with a generated auxiliary task."""

from typing import Any

from auxilearn import AuxiLearn, LabelGenerator, LabelProblem, LabelSource, LinearCombiner, Problem


class AuxiLearnGenerated(AuxiLearn):
    """Generate soft labels of a sub-class task and weigh its loss (Navon et al., ICLR 2021, Sec. 3.3).

    Departures: those of `AuxiLearn`; the auxiliary head, which the released code leaves out of the hypergradient,
    belongs to the network like all else.

    Args:
        problem: The model, its losses and the backbone of the generator.
        skip: Add the main loss to the weighted sum of both losses.
        monotone: Clip negative weights after each update.
        **settings: See `AuxiLearn`.
    """

    generates_labels = True

    def __init__(self, problem: LabelProblem, *, skip: bool = True, monotone: bool = True, **settings: Any) -> None:
        combiner = LinearCombiner(problem.n_tasks, skip=skip, monotone=monotone)
        generator = LabelGenerator(problem.make_generator(), problem.subclasses)
        super().__init__(problem, combiner, generator, **settings)

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Return a reason if the problem has no generated auxiliary task."""
        if isinstance(problem, LabelSource) and problem.subclasses:
            return super().declines(problem)
        return "it generates auxiliary labels, and here these are given; auxilearn-linear weighs given ones"
