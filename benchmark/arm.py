"""One method in one setting: what it searches and which runs that makes."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmark.space import Point, Space, ends, size
from benchmark.spec import SEARCH_SEED, AskedPrecision, Phase, Search, Spec, Value
from benchmark.suite import Suite


@dataclass(frozen=True)
class Arm:
    """One method in one setting: a search over its grid, then final runs of the setting that validation chose.

    Under a budget of trials the search has ranges in place of the grid, see `benchmark.space.domain`. A method with
    fewer points than the budget has trials tries each of them once.

    Attributes:
        suite: The suite, with the controls that were asked for.
        space: Hyper-parameters with more than one value to try.
        fixed: All others.
        declined: Why the method cannot serve the suite; None if it can.
        search: Sampler and number of trials under protocol `equal-budget`; None where the whole grid is searched.
    """

    suite: Suite
    data: str
    setting: str
    method: str
    space: Space
    fixed: Mapping[str, Value]
    epochs: int
    seeds: int
    declined: str | None = None
    precision: AskedPrecision = "auto"
    search: Search | None = None

    @property
    def trials(self) -> int:
        """Number of search runs; 0 where there is nothing to choose from."""
        if self.search is not None:
            return self.search.trials or 0
        return int(size(self.space)) if self.space else 0

    @property
    def runs(self) -> int:
        """Number of runs of both phases."""
        return 0 if self.declined else self.trials + self.seeds

    def points(self) -> list[Point]:
        """Return every point of the grid, or every combination of the ends of ranges."""
        return [
            dict(zip(self.space, point, strict=True)) for point in itertools.product(*map(ends, self.space.values()))
        ]

    def spec(
        self,
        point: Mapping[str, Value],
        *,
        seed: int = SEARCH_SEED,
        phase: Phase = "search",
        trial: int | None = None,
    ) -> Spec:
        """Return the run at one point, under a budget the search run of that number."""
        search = self.search
        if search is not None and phase == "search":
            search = dataclasses.replace(search, trial=trial, trials=None)
        return Spec(
            suite=self.suite.name,
            setting=self.setting,
            method=self.method,
            hyper=tuple(sorted({**self.fixed, **point}.items())),
            seed=seed,
            phase=phase,
            epochs=self.epochs,
            data=self.data,
            controls=self.suite.controls,
            precision=self.precision,
            search=search,
        )

    def finals(self, point: Mapping[str, Value]) -> list[Spec]:
        """Return the final runs at the chosen point of the grid, one a seed, none of them the search's."""
        first = SEARCH_SEED + 1
        return [self.spec(point, seed=seed, phase="final") for seed in range(first, first + self.seeds)]


def served_first(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Return arms with those last whose method declines every setting."""
    arms = tuple(arms)
    served = {arm.method for arm in arms if not arm.declined}
    return tuple(sorted(arms, key=lambda arm: arm.method not in served))
