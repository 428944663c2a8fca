"""What tables and plans say of a search with a budget of trials; nothing where whole grids are searched."""

from collections.abc import Sequence

from benchmark.arm import Arm
from benchmark.pruning import RULES


def phrase(arms: Sequence[Arm]) -> str:
    """Return what a caption says of protocol, sampler and number of trials."""
    searched = [arm for arm in arms if arm.search is not None and not arm.declined]
    samplers = dict.fromkeys(arm.search.proposer for arm in searched if arm.search is not None)
    if not searched:
        return ""
    most = max(arm.trials for arm in searched)
    fewer = "; a method with fewer points tries each once" if any(arm.trials < most for arm in searched) else ""
    sampler = ", ".join(samplers)
    rules = dict.fromkeys(RULES[arm.search.pruner] for arm in searched if arm.search and arm.search.pruner)
    pruned = f"; hopeless trials pruned by {' and '.join(rules)}" if rules else ""
    return f" (equal-budget: {most} trials a method, failed ones included, by the sampler {sampler}{fewer}{pruned})"


def trials(arm: Arm) -> str:
    """Return an arm's number of trials, and the sampler that proposes them."""
    if arm.search is None:
        return str(arm.trials)
    seed = f", seed {arm.search.seed}" if arm.search.seed else ""
    return f"{arm.trials} {arm.search.sampler}{seed}"


def options(arms: Sequence[Arm], trials: int | None = None) -> str:
    """Return the options that make the search of arms under one budget, for a command line.

    Args:
        arms: Of one budget.
        trials: The budget, of which methods with fewer points know nothing; None for the most of the arms.
    """
    searches = [arm.search for arm in arms if arm.search is not None]
    if not searches:
        return ""
    first, most = searches[0], trials or max(arm.trials for arm in arms)
    pruner = f" --pruner {first.pruner}" if first.pruner else ""
    seed = f" --sampler-seed {first.seed}" if first.seed else ""
    return f" --protocol equal-budget --trials {max(most, 1)} --sampler {first.sampler}{seed}{pruner}"
