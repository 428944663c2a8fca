"""Which cell runs next: list scheduling along each arm's critical path, a search and then its final runs."""

import bisect
from collections.abc import Iterable, Sequence

from benchmark.arm import Arm
from benchmark.record import Record


def path_sec(*, searches: int, finals: int, run_sec: float, workers: int) -> float:
    """Return the seconds from now to the end of an arm, were all workers its own; the longest path goes first.

    Final runs wait for the whole search, so that an arm with a search to go is at least two runs long. Where the
    search is done, final runs are independent jobs and the longest go first, which is Graham's rule of the longest
    processing time (SIAM J. Appl. Math. 17, 1969): at most 4/3 - 1/(3 workers) of the best makespan. With searches
    before them, every order that leaves no worker idle while a cell may run ends within W / workers +
    (1 - 1 / workers) P of total work W and longest path P (Graham 1966).

    Args:
        searches: Search runs that are not handed out yet.
        finals: Final runs that are not handed out yet.
        run_sec: Expected seconds of one run.
        workers: Cells that run at the same time.
    """
    if not searches:
        return run_sec
    return max(searches / workers, 1.0) * run_sec + max(finals / workers, 1.0) * run_sec


class Durations:
    """What runs of each arm take: the median of those that are recorded, in its setting or else in others.

    Only runs on the same data and of the same length count. They may have been made on other machines, which moves
    the order and never a result.
    """

    def __init__(self, arms: Sequence[Arm], records: Iterable[Record]) -> None:
        self._like = {(arm.data, arm.epochs) for arm in arms}
        self._known: dict[tuple[str | None, str], list[float]] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Learn from one more run."""
        spec, seconds = record.spec, record.timing.get("total_sec")
        if record.status != "ok" or seconds is None or (spec.data, spec.epochs) not in self._like:
            return
        for setting in (spec.setting, None):
            bisect.insort(self._known.setdefault((setting, spec.method), []), seconds)

    def recorded(self, arm: Arm) -> float | None:
        """Return the seconds that a run of an arm took, None if none in its setting is known."""
        return self._median(arm.setting, arm.method)

    def expected(self, arm: Arm) -> float | None:
        """Return the seconds that a run of an arm takes, None if no run of its method is known."""
        found = self.recorded(arm)
        return self._median(None, arm.method) if found is None else found

    def _median(self, setting: str | None, method: str) -> float | None:
        known = self._known.get((setting, method))
        return known[len(known) // 2] if known else None
