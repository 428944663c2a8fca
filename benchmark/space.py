"""What a search with a budget of trials draws from: ranges and choices, derived from the values of a grid."""

import hashlib
import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmark.hyper import as_text
from benchmark.seeds import derive
from benchmark.spec import Value

LOGARITHMIC_FROM = 10.0
"""Ratio of the greatest to the least value from which a range is logarithmic."""

DIGITS = 4
"""Significant digits of a value drawn from a range, so that it can be read and typed."""

MOST_LISTED = 100_000
"""Points up to which a space is shuffled rather than drawn from."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `whole` for integers, `log` for a logarithmic scale."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> float:
        """Return the number at a share in [0, 1) of the range; each integer of a whole one has a part of it.

        The parts are equal, or as long as those of the logarithm.
        """
        top = self.high + 1 if self.whole else self.high
        value = self.low * (top / self.low) ** share if self.log else self.low + share * (top - self.low)
        return self.near(math.floor(value) if self.whole else value)

    def near(self, value: float) -> float:
        """Return the number of the range that stands for `value`: an integer, or one of four significant digits."""
        short = round(value) if self.whole else float(f"{value:.{DIGITS}g}")
        return min(max(short, self.low), self.high)


@dataclass(frozen=True)
class TaskWeights:
    """One weight a task as text, such as 1/0.5/0.1: the main task's is 1, each auxiliary's is of the same range."""

    each: Range
    auxiliaries: int


Domain = tuple[Value, ...] | Range | TaskWeights
Space = Mapping[str, Domain]
Point = dict[str, Value]
Coordinates = Mapping[str, Range | tuple[Value, ...]]


def domain(values: Sequence[Value]) -> Domain:
    """Return what is searched in place of a grid's values of one hyper-parameter.

    Two or more different numbers become the range from the least to the greatest: of integers where all are
    integers, logarithmic where the least is above 0 and the greatest at least ten times as large, else uniform.
    All else, as words, truth values and None, stays a choice of the values given.
    """
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values) or len(set(numbers)) < 2:
        return tuple(values)
    low, high = min(numbers), max(numbers)
    whole = all(isinstance(value, int) for value in numbers)
    log = low > 0 and high / low >= LOGARITHMIC_FROM * (1 - 1e-9)
    return Range(low, high, log=log, whole=whole) if whole else Range(float(low), float(high), log=log)


def size(space: Space) -> float:
    """Return the number of points of a space; infinite where a range is not of integers."""
    return math.prod(len(found) if (found := _members(each)) else math.inf for each in space.values())


def _members(domain: Domain) -> Sequence[Value]:
    """Return all values of a domain; none where they cannot be counted."""
    if isinstance(domain, Range) and domain.whole:
        return range(int(domain.low), int(domain.high) + 1)
    return domain if isinstance(domain, tuple) else ()


def ends(domain: Domain) -> Sequence[Value]:
    """Return all values of a choice, or the two ends of a range."""
    if isinstance(domain, TaskWeights):
        return [_weights_text([end] * domain.auxiliaries) for end in ends(domain.each)]
    return domain if isinstance(domain, tuple) else (domain.low, domain.high)


def all_points(space: Space) -> list[Point]:
    """Return every point of a space of finite size, the last hyper-parameter varying first."""
    values = [_members(each) for each in space.values()]
    return [dict(zip(space, point, strict=True)) for point in itertools.product(*values)]


def to_json(space: Space) -> dict[str, object]:
    """Return a space as plain JSON values."""
    return {name: list(each) if isinstance(each, tuple) else asdict(each) for name, each in space.items()}


def digest(space: Space) -> str:
    """Return the first 8 hexadecimal digits of the SHA-256 of a space's JSON."""
    return hashlib.sha256(json.dumps(to_json(space), sort_keys=True).encode()).hexdigest()[:8]


def describe(domain: Domain) -> str:
    """Return a domain in words."""
    if isinstance(domain, tuple):
        return ", ".join(map(as_text, domain))
    if isinstance(domain, TaskWeights):
        return f"1 for the main task, for each of {domain.auxiliaries} auxiliary tasks {describe(domain.each)}"
    scale = "logarithmic" if domain.log else "uniform"
    return f"{domain.low:g} to {domain.high:g} ({scale}{', whole' if domain.whole else ''})"


def coordinates(space: Space) -> Coordinates:
    """Return a space with one entry a number or choice: `task_weights` becomes `task_weights/1`, `/2`, ..."""
    found: dict[str, Range | tuple[Value, ...]] = {}
    for name, each in space.items():
        if isinstance(each, TaskWeights):
            found |= {f"{name}/{task}": each.each for task in range(1, each.auxiliaries + 1)}
        else:
            found[name] = each
    return found


def join(space: Space, values: Mapping[str, Value]) -> Point:
    """Return the point with these coordinates, numbers as their ranges write them.

    Raises:
        KeyError: A coordinate is missing.
    """
    short: dict[str, Value] = {}
    for name, each in coordinates(space).items():
        value = values[name]
        short[name] = each.near(value) if isinstance(each, Range) and isinstance(value, int | float) else value
    return {
        name: _weights_text([short[f"{name}/{task}"] for task in range(1, each.auxiliaries + 1)])
        if isinstance(each, TaskWeights)
        else short[name]
        for name, each in space.items()
    }


def split(space: Space, point: Mapping[str, Value]) -> dict[str, Value]:
    """Return the coordinates of a point that `join` made."""
    found: dict[str, Value] = {}
    for name, each in space.items():
        if isinstance(each, TaskWeights):
            weights = str(point[name]).split("/")[1:]
            found |= {f"{name}/{task}": float(weight) for task, weight in enumerate(weights, start=1)}
        else:
            found[name] = point[name]
    return found


def _weights_text(weights: Sequence[Value]) -> str:
    return "/".join(["1", *map(as_text, weights)])


def draws(space: Space, suite: str, setting: str, method: str, *, seed: int = 0) -> Iterator[Point]:
    """Yield the points that the random sampler of that seed gives trials 0, 1, ...; they depend on the arguments alone.

    A space that can be listed is shuffled, so that each of its points comes once; others never end.
    """
    if size(space) <= MOST_LISTED:
        order = random.Random(derive(suite, setting, 0, purpose("trials", method, seed)))
        yield from sorted(all_points(space), key=lambda _: order.random())
        return
    for trial in itertools.count():
        generator = random.Random(derive(suite, setting, trial, purpose("trial", method, seed)))
        yield join(space, {name: _draw(each, generator) for name, each in coordinates(space).items()})


def purpose(what: str, method: str, seed: int) -> str:
    """Return the purpose of a stream of a method's search, see `benchmark.seeds.derive`; seed 0 is not named."""
    return f"{what} of {method}" + (f" by seed {seed}" if seed else "")


def _draw(domain: Range | tuple[Value, ...], generator: random.Random) -> Value:
    if isinstance(domain, Range):
        return domain.at(generator.random())
    return domain[int(generator.random() * len(domain))]
