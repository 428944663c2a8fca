"""Equal weighting: the plain sum of all task losses."""

from torch import Tensor

from auxilearn import Method, task_means


class Equal(Method):
    """Minimise the sum of the task losses, L = sum_i L_i (Caruana, Machine Learning 1997).

    The sum, not the mean: every task has weight 1 whatever their number, so the gradient on the shared
    parameters grows with the number of tasks and the learning rate has to be tuned.

    Departures: none.
    """

    citation = "Caruana, Machine Learning 1997, doi:10.1023/A:1007379606734"

    def combine(self, losses: Tensor) -> Tensor:
        """Return the sum over tasks of the mean losses."""
        return task_means(losses).sum()
