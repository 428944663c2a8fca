"""Single-task learning: the main task alone."""

from torch import Tensor

from auxilearn import Method, Problem, task_means


class STL(Method):
    """Minimise the main loss and ignore the auxiliaries, L = L_0.

    The bar that every use of auxiliary tasks must clear, as in Caruana, Machine Learning 1997. The auxiliary
    heads receive gradients of zero.

    Departures: none.
    """

    citation = "Caruana, Machine Learning 1997, doi:10.1023/A:1007379606734"

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Serve every problem."""
        return None

    def combine(self, losses: Tensor) -> Tensor:
        """Return the mean loss of the main task."""
        return task_means(losses)[0]
