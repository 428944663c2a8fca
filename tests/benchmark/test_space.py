"""From values to ranges: the rule, what is drawn from a range, points and their coordinates."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxilearn import Method
from baselines.scalarization import Scalarization
from benchmark.hyper import hyper_parameters
from benchmark.space import (
    Domain,
    Range,
    Space,
    TaskWeights,
    coordinates,
    describe,
    digest,
    domain,
    draws,
    ends,
    join,
    size,
    split,
)
from benchmark.spec import Value
from benchmark.values import FEW_TASKS, in_ranges

NAMES = ("toy", "few", "stl")
MIXED: Space = {
    "lr": Range(1e-5, 1e-3, log=True),
    "every": Range(5, 25, whole=True),
    "mode": ("a", "b", None, True),
    "task_weights": TaskWeights(Range(0.01, 20.0, log=True), 2),
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1e-3, 1e-4, 1e-5), Range(1e-5, 1e-3, log=True)),
        ((0.5, 2.0, 5.0), Range(0.5, 5.0, log=True)),
        ((5e-4, 1e-4, 5e-5), Range(5e-5, 5e-4, log=True)),
        ((0.3, 0.8, 1.5), Range(0.3, 1.5)),
        ((1.0, 9.99), Range(1.0, 9.99)),
        ((0.0, 0.1, 10.0), Range(0.0, 10.0)),
        ((-1.0, 100.0), Range(-1.0, 100.0)),
        ((5, 15, 25), Range(5, 25, whole=True)),
        ((1, 10), Range(1, 10, log=True, whole=True)),
        ((1, 2.5), Range(1.0, 2.5)),
        ((0.1,), (0.1,)),
        ((0.1, 0.1), (0.1, 0.1)),
        (("none", "l2"), ("none", "l2")),
        ((True, False), (True, False)),
        ((None, 0.1, 1.0), (None, 0.1, 1.0)),
        ((1.0, True), (1.0, True)),
    ],
)
def test_the_range_that_values_span(values: tuple[Value, ...], expected: Domain) -> None:
    found = domain(values)
    assert found == expected
    if isinstance(found, Range):
        assert type(found.low) is type(found.high) is (int if found.whole else float)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1e-5), (0.5, 1e-4), (0.25, 3.162e-5), (1.0, 1e-3)])
def test_a_logarithmic_range_is_even_in_the_logarithm(share: float, value: float) -> None:
    assert Range(1e-5, 1e-3, log=True).at(share) == value


@pytest.mark.parametrize(("share", "value"), [(0.0, -1.0), (0.5, 0.5), (0.123456, -0.6296)])
def test_a_uniform_range_is_even(share: float, value: float) -> None:
    assert Range(-1.0, 2.0).at(share) == value


def test_each_integer_has_an_equal_part_of_a_whole_range() -> None:
    found = [Range(5, 8, whole=True).at(share / 400) for share in range(400)]
    assert Counter(found) == {5: 100, 6: 100, 7: 100, 8: 100}
    assert {type(value) for value in found} == {int}
    logarithmic = [Range(1, 15, log=True, whole=True).at(share / 4000) for share in range(4000)]
    parts = [sum(low <= value < 2 * low for value in logarithmic) for low in (1, 2, 4, 8)]
    assert parts == [1000] * 4, "each doubling as often"


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=4),
    share=st.floats(0, 1, exclude_max=True),
)
def test_what_is_drawn_lies_in_the_range_and_is_short(values: list[float], share: float) -> None:
    found = domain(values)
    if isinstance(found, Range):
        value = found.at(share)
        assert min(values) <= value <= max(values)
        assert value in values or value == float(f"{value:.4g}")


def test_points_come_from_their_coordinates() -> None:
    assert list(coordinates(MIXED)) == ["lr", "every", "mode", "task_weights/1", "task_weights/2"]
    for point in itertools.islice(draws(MIXED, *NAMES), 50):
        assert join(MIXED, split(MIXED, point)) == point
        main, *weights = str(point["task_weights"]).split("/")
        assert main == "1"
        assert all(0.01 <= float(weight) <= 20 for weight in weights)
        assert len(weights) == 2
    with pytest.raises(KeyError):
        join(MIXED, {"lr": 1e-4})


def first(space: Space, number: int, names: Sequence[str] = NAMES, **options: int) -> list[dict[str, Value]]:
    return list(itertools.islice(draws(space, *names, **options), number))


@pytest.mark.parametrize("space", [MIXED, {"mode": tuple("abcdefgh"), "every": Range(1, 9, whole=True)}])
def test_draws_follow_from_suite_setting_method_seed_and_number_alone(space: Space) -> None:
    points = first(space, 20)
    assert first(space, 20) == points
    assert first(space, 5) == points[:5]
    assert len({str(point) for point in points}) == 20
    for names in (("yot", "few", "stl"), ("toy", "many", "stl"), ("toy", "few", "equal")):
        assert first(space, 20, names) != points
    assert first(space, 20, seed=0) == points
    others = [first(space, 20, seed=seed) for seed in (1, 2)]
    assert points != others[0] != others[1] != points
    assert others[0] == first(space, 20, seed=1)


def test_draws_fill_the_space() -> None:
    points = first(MIXED, 2000)
    rates = [float(str(point["lr"])) for point in points]
    assert sum(rate < 1e-4 for rate in rates) == pytest.approx(1000, abs=100)
    for mode in MIXED["mode"]:  # pyright: ignore[reportGeneralTypeIssues]
        assert sum(point["mode"] == mode for point in points) == pytest.approx(500, abs=80)
    assert {point["every"] for point in points} == set(range(5, 26))


def test_a_space_that_can_be_listed_gives_each_point_once() -> None:
    space: Space = {"mode": ("a", "b", "c"), "every": Range(1, 4, whole=True)}
    points = list(draws(space, *NAMES))
    assert len(points) == size(space) == 12
    assert {(point["mode"], point["every"]) for point in points} == set(itertools.product("abc", range(1, 5)))
    assert points != sorted(points, key=str), "in another order than the grid's"


def test_size_ends_words_and_digest() -> None:
    assert size(MIXED) == size({"lr": Range(0.0, 1.0)}) == float("inf")
    assert ends(MIXED["lr"]) == (1e-5, 1e-3)
    assert ends(MIXED["mode"]) == ("a", "b", None, True)
    assert ends(MIXED["task_weights"]) == ["1/0.01/0.01", "1/20.0/20.0"]
    assert describe(MIXED["lr"]) == "1e-05 to 0.001 (logarithmic)"
    assert describe(MIXED["every"]) == "5 to 25 (uniform, whole)"
    assert describe(MIXED["mode"]) == "a, b, none, true"
    others = [{"lr": Range(1e-5, 1e-3)}, {"lr": Range(1e-5, 1e-2)}, {"lr": (1e-5, 1e-3)}, {"wd": Range(1e-5, 1e-3)}]
    assert len({digest(space) for space in (*others, MIXED)}) == 5


class Plain(Method):
    """A method with a number, a word and a number that the user may give (nobody, 2026)."""

    search_space: ClassVar = {"rate": (0.1, 1.0), "mode": ("a", "b")}


def test_what_the_user_gives_stays_a_choice() -> None:
    values: dict[str, tuple[Value, ...]] = {"rate": (0.1, 1.0), "mode": ("a", "b"), "steps": (3,)}
    expected = {"rate": Range(0.1, 1.0, log=True), "mode": ("a", "b"), "steps": (3,)}
    assert in_ranges(values, {}, Plain, 3) == expected
    assert in_ranges(values, {"rate"}, Plain, 3) == values


@pytest.mark.parametrize(
    ("n_tasks", "given", "changes", "own"),
    [
        (3, (), {}, True),
        (FEW_TASKS, (), {}, True),
        (FEW_TASKS + 1, (), {}, False),
        (1, (), {}, False),
        (3, ("task_weights",), {}, False),
        (3, ("auxiliary_weight",), {}, False),
        (3, ("auxiliary_weight",), {"auxiliary_weight": (0.5,)}, False),
    ],
)
def test_static_weights_are_searched_one_a_task_where_tasks_are_few(
    n_tasks: int, given: tuple[str, ...], changes: dict[str, tuple[Value, ...]], own: bool
) -> None:
    values = {key: (value,) for key, value in hyper_parameters(Scalarization).items()}
    found = in_ranges({**values, **Scalarization.search_space, **changes}, given, Scalarization, n_tasks)
    if own:
        assert found == {
            "auxiliary_weight": (1.0,),
            "task_weights": TaskWeights(Range(0.01, 20.0, log=True), n_tasks - 1),
        }
    else:
        assert found["task_weights"] == ("equal",)
