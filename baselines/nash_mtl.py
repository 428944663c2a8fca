"""Nash-MTL: the direction that the tasks agree on when they bargain."""

from auxilearn.bargaining import Bargaining


class NashMTL(Bargaining):
    """Multi-task learning as a bargaining game (Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya, 2022).

    From ICML 2022, algorithm 1: weights a > 0 with G a = 1 / a, which maximise sum_i log <d, g_i> over directions d of
    a given length. Scaling a task's loss does not change the direction. Before clipping its length, in the space of
    the rule, is the square root of the number of tasks whatever the gradients are, so that on all shared parameters
    `max_norm=1` makes every step one of unit length. Weights sum to no fixed number.

    Cost, in units of an equal-weighting step: about 0.8 for each task group more, on all shared parameters; about
    1.2 in all on the representation; what is beyond 1 once every `update_every` steps.

    Departures: solved exactly, by damped Newton on a convex problem, where the paper takes a sequence of convex
    approximations; at a Pareto stationary point, where the paper stops, a ridge keeps the weights finite, see
    `auxilearn.bargaining.agreement`; heads follow their own tasks with weight 1, where the authors' code weights them
    as the shared parameters. `max_norm` and `update_every` are settings of that code.
    """

    citation = "Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya, ICML 2022, arXiv:2202.01017"
    needs = ("per-task gradients",)
