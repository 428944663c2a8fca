"""A search with a budget of trials, each proposed by a sampler from the trials before it."""

import itertools
from collections.abc import Mapping

from benchmark.arm import Arm
from benchmark.search import Archive, Outcome, Reached, Trial, propose_by_tpe
from benchmark.seeds import derive
from benchmark.space import Point, draws, purpose

STARTUP = 10
"""Finished trials before which TPE proposes what the random sampler does."""


class SampledStudy:
    """The trials 0, 1, ... of one arm.

    A proposal depends on suite, setting, method, space, the sampler's seed and the trial's number alone and, for TPE,
    on what is known of the trials of lower numbers. Records are the truth: the archive is a copy of them for others to
    look at, and nothing is read from it but where the trials are that were under way when a driver ended.
    """

    def __init__(self, arm: Arm, told: Mapping[int, Outcome], archive: Archive | None) -> None:
        self._arm = arm
        self._archive = archive
        self._trials: dict[int, Outcome] = {}
        self._kept = {} if archive is None else archive.points()
        for number in range(max(told, default=-1) + 1):
            self._begin(number, told[number].point if number in told else None)
            if number in told:
                self.tell(number, told[number].score, told[number].reached)

    def _begin(self, number: int, point: Point | None) -> None:
        if point is None:
            point = self._kept[number] if number in self._kept else self._propose(number)
        self._trials[number] = Outcome(point)
        if self._archive is not None:
            self._archive.begin(number, point)

    def unfinished(self) -> list[Trial]:
        """Return trials that have no record though a later one has."""
        return [Trial(number, found.point) for number, found in self._trials.items() if not found.finished]

    def ask(self) -> Trial | None:
        """Return the next proposal, or None when the budget is spent."""
        number = len(self._trials)
        if number >= self._arm.trials:
            return None
        self._begin(number, None)
        return Trial(number, self._trials[number].point)

    def tell(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Note a trial's score; None for a run that failed or was pruned, when it had `reached` one."""
        self._trials[number] = Outcome(self._trials[number].point, finished=True, score=score, reached=reached)
        if self._archive is not None:
            self._archive.finish(number, score, reached)

    def _propose(self, number: int) -> Point:
        arm = self._arm
        words = arm.suite.name, arm.setting
        sampler_seed = 0 if arm.search is None else arm.search.seed
        points = draws(arm.space, *words, arm.method, seed=sampler_seed)
        told = sum(found.finished for found in self._trials.values())
        if arm.search is None or arm.search.sampler == "random" or told < STARTUP:
            return next(itertools.islice(points, number, None))
        seed = derive(*words, number, purpose("tpe", arm.method, sampler_seed)) % 2**32
        maximize = arm.suite.selection.higher_is_better
        point = propose_by_tpe(arm.space, self._trials, seed=seed, maximize=maximize)
        tried = [found.point for found in self._trials.values()]
        return point if point not in tried else next(p for p in points if p not in tried)
