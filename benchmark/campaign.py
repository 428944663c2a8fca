"""The progress of a plan: what to run next, what is known, what validation chose."""

import hashlib
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from benchmark import space
from benchmark.order import Durations, path_sec
from benchmark.plan import Arm
from benchmark.pruning import Bars, bars_of
from benchmark.record import Record
from benchmark.search import Outcome, Reached, Study
from benchmark.space import Point, ends
from benchmark.spec import Spec

OpenStudy = Callable[[Arm], Study]


def study_name(arm: Arm) -> str:
    """Return the name under which Optuna archives an arm's search; another grid, length or data is another study.

    The number of trials has no part in it: a search goes on where a larger budget is given.
    """
    identity = json.dumps([space.to_json(arm.space), arm.spec({}).to_json()], sort_keys=True)
    return f"{arm.suite.name}/{arm.setting}/{arm.method}/{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def score(record: Record, metric: str) -> float | None:
    """Return the validation score that selects, or None for a run that failed or was pruned."""
    return record.selected["validation"][metric] if record.status == "ok" else None


def reached(record: Record, metric: str) -> Reached | None:
    """Return where a trial was pruned, None for one that was not."""
    if record.status != "pruned":
        return None
    return Reached(len(record.epochs), record.selected["validation"][metric])


def search_records(arm: Arm, records: Mapping[str, Record]) -> list[Record | None]:
    """Return the record of each search run, in order of grid or trials, None for one that is missing."""
    if arm.search is None:
        return [records.get(arm.spec(point).digest) for point in arm.points()] if arm.space else []
    found = trial_records(arm, records)
    return [found[number][0] if number in found else None for number in range(arm.trials)]


def trial_records(arm: Arm, records: Mapping[str, Record]) -> dict[int, list[Record]]:
    """Return the records of an arm's trials by number: those whose spec is the arm's but for the point.

    A trial has several where records are of several searches, whose sampler proposed other points; the first counts.
    """
    found: dict[int, list[Record]] = {}
    for record in records.values():
        spec = record.spec
        trial = None if spec.search is None else spec.search.trial
        if trial is not None and (spec.setting, spec.method) == (arm.setting, arm.method):
            hyper = dict(spec.hyper)
            if arm.space.keys() <= hyper.keys() and spec == arm.spec(_point(arm, record), trial=trial):
                found.setdefault(trial, []).append(record)
    return found


def _point(arm: Arm, record: Record) -> Point:
    """Return the point of an arm's space at which a record's run was."""
    hyper = dict(record.spec.hyper)
    return {name: hyper[name] for name in arm.space}


def outcomes(arm: Arm, records: Mapping[str, Record]) -> dict[int, Outcome]:
    """Return what the records say of an arm's trials, by number."""
    metric = arm.suite.selection.name
    return {
        number: Outcome(
            _point(arm, record), finished=True, score=score(record, metric), reached=reached(record, metric)
        )
        for number, record in enumerate(search_records(arm, records))
        if record is not None
    }


def choose(arm: Arm, records: Mapping[str, Record]) -> Point | None:
    """Return the point with the best validation score, the first of equals in order of grid or trials.

    None while a search run is missing, or if all failed. A pure function of search records: no final run and no
    test metric has a say.
    """
    if not arm.space:
        return {}
    found = [record for record in search_records(arm, records) if record is not None]
    metric = arm.suite.selection
    scores = [score(record, metric.name) for record in found]
    if len(found) < arm.trials or all(value is None for value in scores):
        return None
    worst = float("-inf")
    keys = [worst if value is None else value if metric.higher_is_better else -value for value in scores]
    return _point(arm, found[keys.index(max(keys))])


def own_records(arm: Arm, records: Mapping[str, Record]) -> list[Record]:
    """Return the records of an arm's runs, of its search and of the final runs with the point that it chose."""
    point = choose(arm, records)
    finals = () if point is None else (records.get(spec.digest) for spec in arm.finals(point))
    return [record for record in (*search_records(arm, records), *finals) if record is not None]


def belongs(arm: Arm, record: Record) -> bool:
    """Return whether a record is of a run that an arm may ask for: of its search, or final at any point of it."""
    spec, hyper = record.spec, dict(record.spec.hyper)
    if (spec.setting, spec.method) != (arm.setting, arm.method) or not arm.space.keys() <= hyper.keys():
        return False
    point = _point(arm, record)
    if arm.search is None and not all(point[name] in tuple(ends(values)) for name, values in arm.space.items()):
        return False
    if spec.phase == "search":
        return spec == arm.spec(point, trial=spec.search.trial if spec.search else None)
    return spec in arm.finals(point)


def missing(arm: Arm, records: Mapping[str, Record]) -> int:
    """Return how many runs of an arm have no record and can still be made."""
    searches = search_records(arm, records).count(None)
    point = choose(arm, records)
    if point is not None:
        return searches + sum(spec.digest not in records for spec in arm.finals(point))
    return searches + arm.seeds if searches else 0  # after a search of failures alone there is nothing to repeat


def is_complete(arm: Arm, records: Mapping[str, Record]) -> bool:
    """Return whether all runs of an arm that can be made have a record."""
    return not arm.declined and missing(arm, records) == 0


@dataclass
class ArmProgress:
    """One arm's way from proposals to final runs."""

    arm: Arm
    study: Study | None
    records: Mapping[str, Record]
    trials: dict[str, int | None] = field(default_factory=dict)
    """Numbers of the search runs under way, by digest; None for one whose trial was told before."""
    finals: deque[Spec] | None = None
    """Final runs to hand out; None until the search is complete."""
    under_way: int = 0
    """Runs of both phases that are handed out and not done."""
    searches: int = 0
    """Search runs that are not handed out yet."""
    _left: deque = field(default_factory=deque)
    _lost: deque[Spec] = field(default_factory=deque)
    """Points of the grid whose trials are told and whose records are gone."""
    _exhausted: bool = False

    def __post_init__(self) -> None:
        self._left.extend(self.study.unfinished() if self.study else ())
        self._exhausted = self.study is None
        self.searches = search_records(self.arm, self.records).count(None)

    @property
    def finals_left(self) -> int:
        """Final runs that are not handed out yet."""
        return self.arm.seeds if self.finals is None else len(self.finals)

    @property
    def ahead(self) -> int:
        """Trials under way that a proposal does not know of: the fewer, the better it is."""
        return len(self.trials) if self.arm.search is not None and self.arm.search.sampler == "tpe" else 0

    def next_spec(self) -> Spec | None:
        """Hand out the next run that has no record; None if there is none at present."""
        spec = self._next_spec()
        if spec is not None:
            self.under_way += 1
            self.searches -= spec.phase == "search"
        return spec

    def _next_spec(self) -> Spec | None:
        while not self._exhausted:
            trial = self._left.popleft() if self._left else self.study.ask() if self.study else None
            if trial is None:
                self._exhausted = True
                specs = map(self.arm.spec, self.arm.points()) if self.arm.search is None else ()
                self._lost.extend(s for s in specs if s.digest not in self.records and s.digest not in self.trials)
                break
            spec = self.arm.spec(trial.point, trial=None if self.arm.search is None else trial.number)
            if spec.digest not in self.records:
                self.trials[spec.digest] = trial.number
                return spec
            self._tell(trial.number, self.records[spec.digest])
        if self._lost:
            spec = self._lost.popleft()
            self.trials[spec.digest] = None
            return spec
        if self._exhausted and not self.trials and self.finals is None:
            point = choose(self.arm, self.records)
            self.finals = deque(() if point is None else self.arm.finals(point))
        while self.finals:
            spec = self.finals.popleft()
            if spec.digest not in self.records:
                return spec
        return None

    def done(self, record: Record) -> None:
        """Take note of a record that is on disk."""
        self.under_way -= 1
        number = self.trials.pop(record.spec.digest, None)
        if number is not None:
            self._tell(number, record)

    def _tell(self, number: int, record: Record) -> None:
        if self.study is not None:
            metric = self.arm.suite.selection.name
            self.study.tell(number, score(record, metric), reached(record, metric))


class Campaign:
    """All arms of a plan; hands out what has no record, the longest path first (`benchmark.order`).

    The order decides nothing but the time: grids and the random sampler give the same runs and the same choices in
    any order. TPE learns from what it is told, so its trials are spread over the arms before paths are compared.

    Attributes:
        workers: Cells that run at the same time, as far as it is known.
    """

    def __init__(self, arms: Iterable[Arm], records: Mapping[str, Record], open_study: OpenStudy) -> None:
        self.arms = [arm for arm in arms if not arm.declined]
        self.records = records
        self.workers = 1
        self._progress = [ArmProgress(arm, open_study(arm) if arm.space else None, records) for arm in self.arms]
        self._owner: dict[str, ArmProgress] = {}
        self._durations = Durations(self.arms, records.values())

    def next_spec(self) -> Spec | None:
        """Return the next run that has no record and is not under way, or None if there is none at present."""
        for progress in sorted(self._progress, key=self._rank):
            spec = progress.next_spec()
            if spec is not None:
                self._owner[spec.digest] = progress
                return spec
        return None

    def bars(self, spec: Spec) -> Bars | None:
        """Return what a run that is handed out has to reach, from the trials of its arm that are completed by now."""
        if spec.search is None or spec.search.pruner is None or spec.phase != "search":
            return None
        arm = self._owner[spec.digest].arm
        completed = [r for r in search_records(arm, self.records) if r is not None and r.status == "ok"]
        name = arm.suite.selection.name
        return bars_of([[row["validation"][name] for row in r.epochs] for r in completed], spec.epochs)

    def _rank(self, progress: ArmProgress) -> tuple[int, float, int]:
        """Return what sorts arms: a method of which no run is known may be the longest, and is to be learnt of."""
        run_sec = self._durations.expected(progress.arm)
        if run_sec is None:
            return progress.ahead, -math.inf, progress.under_way
        path = path_sec(searches=progress.searches, finals=progress.finals_left, run_sec=run_sec, workers=self.workers)
        return progress.ahead, -path, 0

    def done(self, record: Record) -> None:
        """Take note of a record that is on disk."""
        self._owner.pop(record.spec.digest).done(record)
        self._durations.add(record)

    @property
    def under_way(self) -> int:
        """Number of runs handed out and not done."""
        return len(self._owner)
