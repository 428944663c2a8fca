"""AuxiLearn with one learned part alone, as the page's sentences compare it."""

from benchmark.explanations.parts import FILE, Run
from benchmark.findings.runs import RESULTS
from benchmark.speed.rows import read
from tests.benchmark.prose.scores import Scores, finals, mean, scores

SUITE = "cifar10-convnet"


def alone(part: str, phase: str, suite: str = SUITE) -> list[Run]:
    """Return the runs that learn a part alone."""
    return [run for run in read(RESULTS / FILE, Run) if (run.suite, run.learnt, run.phase) == (suite, part, phase)]


def scores_alone(part: str, suite: str = SUITE) -> Scores:
    """Return the test scores of the final runs that learn a part alone."""
    return {run.seed: 100 * run.top1 for run in alone(part, "final", suite) if run.top1 is not None}


def with_both(suite: str = SUITE) -> Scores:
    return scores(finals(f"rates/{suite}", "auxilearn"))


def with_neither(suite: str = SUITE) -> Scores:
    return scores(finals(f"rates/{suite}", "maxl-f"))


def share_of_weights(suite: str = SUITE) -> float:
    """Return the share of AuxiLearn's lead that its mean has by the weights alone."""
    neither = mean(with_neither(suite))
    return (mean(scores_alone("weights", suite)) - neither) / (mean(with_both(suite)) - neither)
