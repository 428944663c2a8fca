"""Optuna proposes the settings of a search and archives their scores; the driver alone asks and tells."""

import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from benchmark.errors import UserError
from benchmark.space import Point, Range, Space, coordinates, ends, join, split


class Trial(NamedTuple):
    """A proposed point of the search space; its number is the study's own."""

    number: int
    point: Point


class Reached(NamedTuple):
    """Where a pruned trial ended: the number of its epochs, and the best score of them."""

    epoch: int
    score: float


class Outcome(NamedTuple):
    """What is known of a trial: a finished one has a score, or was pruned when it had `reached` one, or failed."""

    point: Point
    finished: bool = False
    score: float | None = None
    reached: Reached | None = None


class Study(Protocol):
    """The search of one arm."""

    def unfinished(self) -> list[Trial]:
        """Return trials that an earlier driver asked for and never told."""
        ...

    def ask(self) -> Trial | None:
        """Return the next proposal, or None when there is none."""
        ...

    def tell(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Archive a trial's score; None for a run that failed or was pruned, when it had `reached` one."""
        ...


class GridStudy:
    """A grid searched point by point, in a storage that optuna-dashboard opens.

    Optuna's own `GridSampler` looks at all pairs of points and trials whenever a trial ends, which takes longer than
    many runs do; here each point is a trial that is added as it is.
    """

    def __init__(self, storage: Any, name: str, space: Space, *, maximize: bool) -> None:
        import optuna

        self._optuna = optuna
        self._space = space
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            sampler=optuna.samplers.RandomSampler(seed=0),  # draws nothing
            direction="maximize" if maximize else "minimize",
            load_if_exists=True,
        )
        found = self._study.get_trials(deepcopy=False)
        running = optuna.trial.TrialState.RUNNING
        complete = [trial for trial in found if trial.params.keys() == space.keys()]
        self._unfinished = [Trial(trial.number, dict(trial.params)) for trial in complete if trial.state == running]
        for trial in found:  # earlier versions could be killed between a trial's creation and its point
            if trial.state == running and trial.params.keys() != space.keys():
                self.tell(trial.number, None)
        proposed = {tuple(trial.params[name] for name in space) for trial in complete}
        values = itertools.product(*map(ends, space.values()))
        self._points = (dict(zip(space, each, strict=True)) for each in values if each not in proposed)

    def unfinished(self) -> list[Trial]:
        """Return trials that an earlier driver asked for and never told."""
        return self._unfinished

    def ask(self) -> Trial | None:
        """Return the next point of the grid, or None when all have been proposed."""
        point = next(self._points, None)
        if point is None:
            return None
        storage, trial = self._study._storage, _frozen(self._optuna, self._space, Outcome(point))
        identity = storage.create_new_trial(self._study._study_id, template_trial=trial)
        return Trial(storage.get_trial_number_from_id(identity), point)

    def tell(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Archive a trial's score; None for a run that failed. No point of a grid is pruned."""
        state = self._optuna.trial.TrialState
        end = state.FAIL if score is None else state.COMPLETE
        self._study.tell(number, score, state=end, skip_if_finished=True)


class UnarchivedGrid:
    """A grid searched in order, for machines without Optuna."""

    def __init__(self, points: list[Point]) -> None:
        self._remaining = iter(enumerate(points))

    def unfinished(self) -> list[Trial]:
        """Return nothing: proposals are not kept."""
        return []

    def ask(self) -> Trial | None:
        """Return the next point of the grid, or None when all have been proposed."""
        return next((Trial(number, point) for number, point in self._remaining), None)

    def tell(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Do nothing: the record has the score."""


class AtUrl:
    """A study whose storage is at a URL: an error ends in one line, as Optuna's text may have the URL's password."""

    def __init__(self, open_study: Callable[[], Study]) -> None:
        with told_in_one_line():
            self._study = open_study()

    def unfinished(self) -> list[Trial]:
        """Return trials that an earlier driver asked for and never told."""
        with told_in_one_line():
            return self._study.unfinished()

    def ask(self) -> Trial | None:
        """Return the next proposal, or None when there is none."""
        with told_in_one_line():
            return self._study.ask()

    def tell(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Archive a trial's score; None for a run that failed or was pruned."""
        with told_in_one_line():
            self._study.tell(number, score, reached)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Turn an error of the storage at a URL into one line without its text."""
    try:
        yield
    except Exception as error:
        what = f"the storage of --storage failed ({type(error).__name__})"
        raise UserError(f"{what}; finished runs are recorded, run the command again") from None


class Archive:
    """A copy of a search with a budget in Optuna's storage, which optuna-dashboard opens; trials keep their numbers."""

    def __init__(self, storage: Any, name: str, space: Space, *, maximize: bool) -> None:
        import optuna

        self._optuna = optuna
        self._space = space
        direction = "maximize" if maximize else "minimize"
        self._study = optuna.create_study(storage=storage, study_name=name, direction=direction, load_if_exists=True)

    def points(self) -> dict[int, Point]:
        """Return the points of all trials by number."""
        trials = self._study.get_trials(deepcopy=False)
        names = coordinates(self._space).keys()
        return {trial.number: join(self._space, trial.params) for trial in trials if trial.params.keys() == names}

    def begin(self, number: int, point: Point) -> None:
        """Add the trial of that number, which is under way, if it is not there."""
        if number == len(self._study.get_trials(deepcopy=False)):
            self._study.add_trial(_frozen(self._optuna, self._space, Outcome(point)))

    def finish(self, number: int, score: float | None, reached: Reached | None = None) -> None:
        """Archive a trial's score; None for a run that failed or was pruned, when it had `reached` one."""
        state = self._optuna.trial.TrialState
        end = state.COMPLETE if score is not None else state.FAIL if reached is None else state.PRUNED
        found = self._study.get_trials(deepcopy=False)[number]
        if reached is not None and not found.state.is_finished():
            self._optuna.trial.Trial(self._study, found._trial_id).report(reached.score, reached.epoch)
        self._study.tell(number, score, state=end, skip_if_finished=True)


def propose_by_tpe(space: Space, before: Mapping[int, Outcome], *, seed: int, maximize: bool) -> Point:
    """Return the point that the tree-structured Parzen estimator proposes after the trials before.

    All hyper-parameters are proposed together (Falkner et al., ICML 2018, arXiv:1807.01774). A trial under way
    counts as a bad one (constant liar), so that those at the same time differ; one that was pruned is worse than any
    that was not, the earlier the worse, and one that failed is worse still.
    """
    import optuna

    direction = "maximize" if maximize else "minimize"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of versions before 5
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=1, multivariate=True, constant_liar=True)
    study = optuna.create_study(direction=direction, sampler=sampler)
    study.add_trials(_frozen(optuna, space, before[number]) for number in sorted(before))
    return join(space, study.ask(_distributions(optuna, space)).params)


def _frozen(optuna: Any, space: Space, outcome: Outcome) -> Any:
    """Return an outcome as Optuna's trial; one that failed is pruned before it began, which Optuna ranks last."""
    state = optuna.trial.TrialState
    return optuna.trial.create_trial(
        state=state.RUNNING if not outcome.finished else state.PRUNED if outcome.score is None else state.COMPLETE,
        params=split(space, outcome.point),
        distributions=_distributions(optuna, space),
        value=outcome.score,
        intermediate_values={} if outcome.reached is None else {outcome.reached.epoch: outcome.reached.score},
    )


def _distributions(optuna: Any, space: Space) -> dict[str, Any]:
    kinds = optuna.distributions
    found: dict[str, Any] = {}
    for name, each in coordinates(space).items():
        if isinstance(each, Range):
            kind = kinds.IntDistribution if each.whole else kinds.FloatDistribution
            found[name] = kind(each.low, each.high, log=each.log)
        else:
            found[name] = kinds.CategoricalDistribution(each)
    return found
