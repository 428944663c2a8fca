"""What tables and plans say of a search with a budget of trials; nothing where whole grids are searched."""

from collections.abc import Sequence

from benchmark.arm import Arm


def phrase(arms: Sequence[Arm]) -> str:
    """Return what a caption says of protocol, sampler and number of trials."""
    searched = [arm for arm in arms if arm.search is not None and not arm.declined]
    samplers = dict.fromkeys(arm.search.sampler for arm in searched if arm.search is not None)
    if not searched:
        return ""
    most = max(arm.trials for arm in searched)
    fewer = "; a method with fewer points tries each once" if any(arm.trials < most for arm in searched) else ""
    sampler = ", ".join(samplers)
    return f" (equal-budget: {most} trials a method, failed ones included, by the sampler {sampler}{fewer})"


def trials(arm: Arm) -> str:
    """Return an arm's number of trials, and the sampler that proposes them."""
    return str(arm.trials) if arm.search is None else f"{arm.trials} {arm.search.sampler}"


def options(arms: Sequence[Arm]) -> str:
    """Return the options that make the search of arms under one budget, for a command line."""
    searches = [arm.search for arm in arms if arm.search is not None]
    if not searches:
        return ""
    most = max(arm.trials for arm in arms)
    return f" --protocol equal-budget --trials {max(most, 1)} --sampler {searches[0].sampler}"
