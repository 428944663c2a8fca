"""Searches that are no grid: each trial stands where it was drawn, the chosen one has a ring, lost ones are crosses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.arm import Arm
from benchmark.figures.grids import grids
from benchmark.figures.points import search_points, trials
from benchmark.figures.runs import Runs, collect
from benchmark.figures.style import ACCENT
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest

POINTS = [(0.02, 0.001), (0.05, 0.004), (0.03, 0.008), (0.09, 0.002)]
SCORES = [0.2, 0.6, 0.4, 0.1]


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    toy.grid = {"lr": (0.1, 0.01), "weight_decay": (0.01, 0.001)}  # pyright: ignore[reportAttributeAccessIssue]
    plan = Options("toy", settings=("few",), methods=("stl", "equal"), trials=len(POINTS), sampler="random")
    return make_plan(plan)


def searched(arm: Arm, points: Sequence[tuple[float, float]], scores: Sequence[float]) -> list[Record]:
    return [
        a_record(arm.spec({"lr": lr, "weight_decay": decay}, trial=trial), score=score)
        for trial, ((lr, decay), score) in enumerate(zip(points, scores, strict=True))
    ]


def collected(arms: Sequence[Arm], records: Sequence[Record]) -> list[Runs]:
    return collect(arms, by_digest(records))["few"]


def made(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


def drawn(axes: Axes, gid: str) -> Any:
    (found,) = (each for each in axes.collections if each.get_gid() == gid)
    return found


def places(axes: Axes, gid: str) -> list[tuple[float, float]]:
    return [(x, y) for x, y in np.asarray(drawn(axes, gid).get_offsets()).tolist()]


def test_trials_stand_where_they_were_drawn_on_logarithmic_axes(arms: list[Arm]) -> None:
    records = [record for arm in arms for record in searched(arm, POINTS, SCORES)]
    figure = made(search_points(collected(arms, records)))
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "stl"
    assert places(axes, "trials") == POINTS
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (low, high), (least, most) = axes.get_xlim(), axes.get_ylim()
    assert all(low < lr < high and least < decay < most for lr, decay in POINTS)


def test_the_chosen_trial_alone_has_a_ring_and_the_best_the_darkest_colour(arms: list[Arm]) -> None:
    records = [record for arm in arms for record in searched(arm, POINTS, SCORES)]
    axes = made(search_points(collected(arms, records))).axes[0]
    assert places(axes, "chosen") == [POINTS[1]]
    assert drawn(axes, "chosen").get_edgecolors()[0][:3] == pytest.approx(
        [int(ACCENT[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    )
    light = drawn(axes, "trials").get_facecolors()[:, :3] @ (0.299, 0.587, 0.114)
    assert np.argsort(light).tolist() == np.argsort(SCORES)[::-1].tolist()


def test_failed_and_pruned_trials_are_crosses_and_counted(arms: list[Arm]) -> None:
    records = searched(arms[0], POINTS, SCORES)
    records[1] = a_failure(records[1].spec)
    records[2] = replace(records[2], status="pruned", reason="a rule")
    figure = made(search_points(collected(arms[:1], records)))
    assert places(figure.axes[0], "lost") == POINTS[1:3]
    assert places(figure.axes[0], "chosen") == [POINTS[0]]
    assert any("×: 2 failed or pruned." in text.get_text() for text in figure.texts)


def test_a_search_under_way_has_no_ring_and_says_so(arms: list[Arm]) -> None:
    figure = made(search_points(collected(arms[:1], searched(arms[0], POINTS, SCORES)[:3])))
    assert places(figure.axes[0], "chosen") == []
    assert any("Nothing chosen yet: stl." in text.get_text() for text in figure.texts)


def test_of_one_searched_rate_the_score_is_the_other_axis(toy: Toy) -> None:
    plan = Options("toy", settings=("few",), methods=("stl",), trials=4, sampler="random", fixed={"lr": "0.1"})
    arms = make_plan(plan)
    records = searched(arms[0], [(0.1, decay) for decay in (0.0, 0.004, 0.008, 0.002)], SCORES)
    axes = made(search_points(collected(arms, records))).axes[0]
    assert places(axes, "trials") == [pytest.approx(pair) for pair in ((0, 20), (0.004, 60), (0.008, 40), (0.002, 10))]
    assert axes.get_xscale() == "linear", "a decay of 0 has no logarithm"
    assert axes.get_xlabel() == "weight decay"


def test_equal_points_have_one_ring(arms: list[Arm]) -> None:
    (runs,) = collected(arms[:1], searched(arms[0], [POINTS[0], POINTS[1], POINTS[1], POINTS[0]], SCORES))
    assert [trial.chosen for trial in trials(runs)] == [False, True, False, False]


def test_there_is_nothing_of_grids_nor_of_fixed_optimisers(toy: Toy) -> None:
    grid = make_plan(Options("toy", settings=("few",), methods=("stl",)))
    runs = collected(grid, [a_record(grid[0].spec(point)) for point in grid[0].points()])
    assert search_points(runs) is None
    assert grids(runs) is not None
    fixed = {"lr": "0.1", "weight_decay": "0"}
    plan = Options("toy", settings=("few",), methods=("dwa",), trials=2, sampler="random", fixed=fixed)
    (arm,) = make_plan(plan)
    records = [a_record(arm.spec(dict.fromkeys(arm.space, 1.5 + trial), trial=trial)) for trial in range(2)]
    assert search_points(collected([arm], records)) is None
