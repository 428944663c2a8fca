"""Figures of a search that is not finished say so, and leave room for what they write."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmark.arm import Arm
from benchmark.figures.grids import grids, table
from benchmark.figures.highlight import Line, draw_highlights
from benchmark.figures.runs import Runs, collect
from benchmark.figures.style import style
from benchmark.figures.trials import best_of_trials
from benchmark.plan import Options, make_plan
from tests.benchmark.figures.test_records import footnote, made, records_of, the_run
from tests.benchmark.helpers import Toy, a_failure, by_digest


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    return make_plan(Options("toy", settings=("few",), methods=("stl", "equal")))


def unfinished(arms: list[Arm], runs: int, *, failed: bool = False) -> list[Runs]:
    """Return the runs of a setting in which the first method has so many search runs, the first failed if asked."""
    specs = [arms[0].spec(point) for point in arms[0].points()][:runs]
    found = [a_failure(spec) if failed and spec is specs[0] else the_run(spec) for spec in specs]
    return collect(arms, {**records_of(arms[1:]), **by_digest(found)})["few"]


def test_a_cell_that_was_not_run_is_not_one_outside_the_grid(arms: list[Arm]) -> None:
    runs = unfinished(arms, 2, failed=True)
    grid = table(runs)
    assert grid.waiting.sum() == 2
    assert grid.failed.sum() == 1
    assert not grid.waiting[grid.rows.index(("equal", ""))].any()
    figure = made(grids(runs))
    signs = [text.get_text() for text in figure.axes[0].texts]
    assert (signs.count("×"), signs.count("·")) == (1, 2)
    assert "·: not run yet." in footnote(figure)
    assert "×: the run failed." in footnote(figure)
    assert "not in the method's grid" not in footnote(figure)


def test_signs_that_are_not_there_are_not_explained(arms: list[Arm]) -> None:
    text = footnote(made(grids(unfinished(arms, 4))))
    assert "Framed: the chosen point." in text
    for sign in ("not run yet", "failed", "Empty"):
        assert sign not in text


def test_expected_best_is_claimed_of_whole_grids_alone(arms: list[Arm]) -> None:
    assert "Not finished" not in footnote(made(best_of_trials(unfinished(arms, 4))))
    text = footnote(made(best_of_trials(unfinished(arms, 3))))
    assert (
        "Not finished, and drawn from the runs so far alone, which are no random part of the grid: stl (3 of 4)."
        in text
    )


def test_a_budget_that_is_not_spent_is_not_finished(toy: Toy) -> None:
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",), trials=3, sampler="random"))
    found = [the_run(arm.spec({"lr": 0.02, "weight_decay": 0.0}, trial=trial)) for trial in range(2)]
    assert "Not finished: stl (2 of 3)." in footnote(made(best_of_trials(collect([arm], by_digest(found))["few"])))


def test_a_single_point_stands_off_the_axis(arms: list[Arm]) -> None:
    figure = made(best_of_trials(unfinished(arms, 1)))
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert low < 1 < 4 < high


@pytest.mark.parametrize("values", [(96.0, 97.0), (0.0, 1.0), (12000.0, 13000.0), (0.001, 0.002)])
def test_the_label_does_not_stand_on_the_numbers(values: tuple[float, float], tmp_path: Path) -> None:
    line = Line(np.arange(2), np.array(values), np.full(2, np.nan))
    with style(math=False):
        figure = draw_highlights({"a": line}, title="", footnote="", xlabel="x", ylabel="a long label (%)").figure
        assert isinstance(figure, Figure)
        figure.savefig(tmp_path / "figure.png")
    (label,) = (text for text in figure.texts if text.get_text() == "a long label (%)")
    numbers = [text.get_window_extent() for text in figure.axes[0].get_yticklabels() if text.get_text()]
    shown = [box for box in numbers if figure.axes[0].bbox.y0 <= (box.y0 + box.y1) / 2 <= figure.axes[0].bbox.y1]
    assert shown
    assert label.get_window_extent().x1 < min(box.x0 for box in shown)
