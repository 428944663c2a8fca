"""What all runs of one plan share, and how a title says it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.controls import phrase
from benchmark.hyper import as_text
from benchmark.pruning import RULES
from benchmark.spec import AskedPrecision, Search, Spec, is_sample, other_weights
from benchmark.suite import Suite
from benchmark.text import plain
from benchmark.values import Values


@dataclass(frozen=True)
class Conditions:
    """What all runs of one plan share; `search` is without space and trials, and None where grids are searched."""

    data: str
    epochs: int
    controls: tuple[str, ...]
    precision: AskedPrecision
    search: Search | None

    def own_epochs(self, suite: Suite) -> int:
        """Return the length of training that the suite has on such data."""
        return min(suite.sample_epochs, suite.epochs) if is_sample(self.data) else suite.epochs

    def own(self, suite: Suite) -> bool:
        """Return whether all is as the suite has it."""
        plain = not (self.controls or self.search or other_weights(self.data))
        return plain and self.precision == "auto" and self.epochs == self.own_epochs(suite)


def conditions_of(spec: Spec) -> Conditions:
    """Return what a run shares with the others of its plan."""
    search = spec.search and dataclasses.replace(spec.search, space="", trial=None, trials=None)
    return Conditions(spec.data, spec.epochs, spec.controls, spec.precision, search)


def title_of(
    name: str, conditions: Conditions, suite: Suite, *, asked: Values, trials: int | None, several_data: bool
) -> str:
    """Return what tells the table of one plan from others of its suite.

    Args:
        name: Of the suite as results bear it.
        conditions: What its runs share.
        suite: The suite.
        asked: Hyper-parameters whose values are not the suite's own.
        trials: The budget, if there is one.
        several_data: Whether other tables of the suite are of other data.
    """
    search = conditions.search
    parts = [f"equal-budget of {trials} trial{'s' * (trials != 1)} by {search.proposer}"] if search else []
    parts += [f"pruned by {RULES[search.pruner]}"] if search and search.pruner else []
    parts += [phrase(conditions.controls).removeprefix(", ")] if conditions.controls else []
    if conditions.epochs != (own := conditions.own_epochs(suite)):
        whose = "sample" if is_sample(conditions.data) else "suite"
        parts.append(f"{conditions.epochs} epoch{'s' * (conditions.epochs != 1)}, the {whose}'s own are {own}")
    parts += [f"in {conditions.precision}"] if conditions.precision != "auto" else []
    parts += [_values(asked)] if asked else []
    parts += [f"data {conditions.data}"] if several_data else []
    return ": ".join([f"Results of suite {name}", "; ".join(parts)] if parts else [f"Results of suite {name}"])


def _values(asked: Values) -> str:
    told = {plain(name): [plain(as_text(value)) for value in values] for name, values in asked.items()}
    return f"with {', '.join(f'{name} {_words(texts)}' for name, texts in told.items())}"


def _words(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
