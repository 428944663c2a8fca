"""Figures: shares by hand, every number in its cell, nothing overlaps, one style for all."""

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from benchmark.figures import SAMPLE_TITLE, STYLE, draw_weights, final_weights, style, write_figures
from benchmark.figures.weights import mean_share, shares
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.spec import SAMPLE
from benchmark.tables.gather import MOST_TASKS_SHOWN
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, by_digest, png_size

TASKS = ("main", "value", "side")


def final(weight: Sequence[float], *, tasks: Sequence[str] = TASKS, **spec: Any) -> Record:
    """Return a final run that ended with these task weights."""
    record = a_record(a_spec(phase="final", **spec), tasks=tuple(tasks))
    last = {**record.epochs[0], "weight": list(weight)}
    return replace(record, epochs=[*record.epochs, last])


def numbers(*records: Record) -> dict[str, list[float]]:
    """Return share and weight, each with its error, by task."""
    rows = final_weights(records).set_index("task")
    return {
        str(task): list(row) for task, row in rows[["share_mean", "share_sem", "weight_mean", "weight_sem"]].iterrows()
    }


def test_shares_by_hand() -> None:
    found = numbers(final([1, 1, 2], seed=1), final([6, 0, 2], seed=2))
    assert list(found) == list(TASKS)
    assert found["main"] == pytest.approx([0.5, 0.25, 3.5, 2.5])
    assert found["value"] == pytest.approx([0.125, 0.125, 0.5, 0.5])
    assert found["side"] == pytest.approx([0.375, 0.125, 2, 0])


def test_one_run_has_no_error() -> None:
    found = numbers(final([1, 1, 2]))
    assert found["side"] == pytest.approx([0.5, math.nan, 2, math.nan], nan_ok=True)


def test_a_run_without_weights_has_no_shares() -> None:
    assert numbers(final([0, 0, 0]))["main"] == pytest.approx([math.nan, math.nan, 0, math.nan], nan_ok=True)
    both = numbers(final([0, 0, 0], seed=1), final([3, 1, 0], seed=2))
    assert both["main"] == pytest.approx([0.75, math.nan, 1.5, 1.5], nan_ok=True)


@pytest.mark.parametrize(
    ("weight", "shares"),
    [((4, -1, 1), (4 / 6, -1 / 6, 1 / 6)), ((-1, 1, 0), (-0.5, 0.5, 0)), ((-2, 0, 0), (-1, 0, 0))],
)
def test_a_negative_weight_has_a_negative_share_of_the_magnitudes(
    weight: Sequence[float], shares: Sequence[float]
) -> None:
    assert [values[0] for values in numbers(final(weight)).values()] == pytest.approx(shares)


def test_the_mean_share_is_of_magnitudes_over_the_runs_that_have_weights() -> None:
    runs = [final([4, -3, 1], seed=1), final([2, 1, 1], seed=2), final([0, 0, 0], seed=3)]
    assert mean_share(runs, lambda task: task != "main") == pytest.approx(0.5)
    assert mean_share(runs, lambda task: task == "value") == pytest.approx((3 / 8 + 1 / 4) / 2)
    assert mean_share(runs[2:], lambda task: task == "value") is None


def test_rows_keep_the_order_of_records_and_tasks() -> None:
    records = [final([1, 2, 3], method=name, setting=setting) for setting in ("few", "many") for name in ("b", "a")]
    rows = final_weights(records)
    assert list(rows[["setting", "method"]].drop_duplicates().itertuples(index=False, name=None)) == [
        ("few", "b"), ("few", "a"), ("many", "b"), ("many", "a")
    ]  # fmt: skip
    assert list(rows["task"]) == [*TASKS] * 4
    assert set(rows["seeds"]) == {1}


def test_many_tasks_are_not_shown() -> None:
    names = [f"task {number}" for number in range(MOST_TASKS_SHOWN + 1)]
    assert final_weights([final([1.0] * len(names), tasks=names)]).empty
    assert len(final_weights([final([1.0] * MOST_TASKS_SHOWN, tasks=names[:-1])])) == MOST_TASKS_SHOWN
    assert final_weights([]).empty


def cells(axes: Axes) -> list[list[str]]:
    """Return the texts of a panel, row by row."""
    found = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axes.texts}
    rows, columns = (max(place[axis] for place in found) + 1 for axis in (0, 1))
    return [[found[row, column] for column in range(columns)] for row in range(rows)]


def labels(axes: Axes, axis: str) -> list[str]:
    return [text.get_text() for text in getattr(axes, f"get_{axis}ticklabels")()]


def test_every_share_stands_in_its_cell() -> None:
    records = [
        *(final([1, 0, 0], method="stl", seed=seed) for seed in (1, 2)),
        final([0.001, 1, 1.5], method="gcs"),
        final([0, 0, 0], method="dwa"),
        final([2, 0, -1], method="equal"),
        final([1, -1e-6, 1], method="mgda"),
        final([1, 1, 2], method="gcs", setting="many"),
    ]
    figure = draw_weights(final_weights(records))
    few, many = figure.axes[:2]
    assert (few.get_title(), many.get_title()) == ("few", "many")
    assert labels(few, "x") == labels(many, "x") == list(TASKS)
    assert labels(few, "y") == ["stl", "gcs", "dwa", "equal", "mgda"]
    assert not [text for text in many.get_yticklabels() if text.get_visible()]
    assert cells(few)[:2] == [["1", "0", "0"], ["0.00", "0.40", "0.60"]]
    assert cells(few)[2:] == [["–"] * 3, ["0.67", "0", "-0.33"], ["0.50", "0.00", "0.50"]]
    assert cells(many) == [["–"] * 3, ["0.25", "0.25", "0.50"], *[["–"] * 3] * 3]
    drawn = few.images[0].get_array()
    assert drawn is not None
    colours = np.asarray(few.images[0].norm(np.array([-1, 0, 0.04, 0.25, 1])))
    assert colours.tolist() == pytest.approx([0, 0, 0.2, 0.5, 1])
    assert drawn[1].tolist() == pytest.approx([0.001 / 2.501, 1 / 2.501, 1.5 / 2.501])


@pytest.mark.parametrize(
    ("weight", "label"), [((2, 0, -1), "share of weight\n(hatched: negative)"), ((2, 0, 1), "share of weight")]
)
def test_the_scale_says_what_a_negative_share_is(weight: Sequence[float], label: str) -> None:
    bar = draw_weights(final_weights([final(weight)])).axes[-1]
    assert bar.get_ylabel() == label


def test_negative_shares_are_hatched_and_coloured_by_their_magnitude() -> None:
    axes = draw_weights(final_weights([final((2, -1, 1)), final((1, 1, 2), method="equal")])).axes[0]
    (mark,) = (patch for patch in axes.patches if patch.get_hatch())
    assert isinstance(mark, Rectangle)
    assert mark.get_xy() == (0.5, -0.5), "of the second task of the first method"
    drawn = axes.images[0].get_array()
    assert drawn is not None
    assert drawn[0].tolist() == [0.5, 0.25, 0.25]


def test_shares_over_epochs_are_of_magnitudes() -> None:
    found = shares(np.array([[1.0, -1.0, 2.0], [0.0, 0.0, 0.0]]))
    assert found[0].tolist() == [0.25, -0.25, 0.5]
    assert np.isnan(found[1]).all()


def test_text_is_readable_on_its_cell() -> None:
    shares = [number / 20 for number in range(21)]
    axes = draw_weights(
        final_weights([final([share, 1 - share], tasks=("main", "side"), method=str(share)) for share in shares])
    ).axes[0]
    for text in axes.texts:
        column, row = map(round, text.get_position())
        share = (shares[row], 1 - shares[row])[column]
        background = luminance(np.asarray(axes.images[0].to_rgba(np.array([share])))[0, :3].tolist())
        foreground = {"black": 0.0, "white": 1.0}[str(text.get_color())]
        bright, dark = max(background, foreground), min(background, foreground)
        assert (bright + 0.05) / (dark + 0.05) > 4.3, f"{text.get_text()} in {text.get_color()}"


def luminance(rgb: Sequence[float]) -> float:
    """Return the relative luminance of a colour, as the Web Content Accessibility Guidelines define it."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


SHAPES = {
    "one method, two tasks": (1, 2, 1),
    "the paper's table": (9, 7, 2),
    "a panel too many for a row": (4, 6, 3),
    "all there can be": (14, MOST_TASKS_SHOWN, 2),
}


@pytest.mark.parametrize(("methods", "tasks", "settings"), SHAPES.values(), ids=SHAPES.keys())
def test_nothing_overlaps_or_is_cut_off(methods: int, tasks: int, settings: int) -> None:
    names = ["main", *(f"control: {number}" for number in range(1, tasks))]
    records = [
        final([-1.0, *[2.0] * (tasks - 1)], tasks=names, method=f"a-long-name-{method}", setting=f"setting {setting}")
        for setting in range(settings)
        for method in range(methods)
    ]
    with style():
        figure = draw_weights(final_weights(records))
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        assert figure.get_size_inches()[0] < 8.5
        whole = figure.get_tightbbox(renderer)
        assert min(whole.x0, whole.y0) >= 0
        assert whole.x1 <= figure.get_size_inches()[0]
        assert whole.y1 <= figure.get_size_inches()[1]
        *panels, bar = figure.axes
        assert len(panels) == settings
        ticks = [text.get_window_extent(renderer) for text in bar.get_yticklabels()]
        assert not any(overlap(one, other) for one, other in pairwise(ticks))
        assert bar.yaxis.label.get_window_extent(renderer).height < 1.2 * bar.get_window_extent(renderer).height
        for one, other in pairwise(panels):
            assert not overlap(box(one, renderer), box(other, renderer))
        for axes in panels:
            width = axes.get_window_extent(renderer).width / tasks
            assert max(text.get_window_extent(renderer).width for text in axes.texts) < width
            height = axes.get_window_extent(renderer).height / methods
            assert max(text.get_window_extent(renderer).height for text in axes.texts) < 0.8 * height
            rows = [text.get_window_extent(renderer) for text in axes.get_yticklabels() if text.get_visible()]
            assert not any(overlap(one, other) for one, other in pairwise(rows))


def box(axes: Axes, renderer: Any) -> Bbox:
    found = axes.get_tightbbox(renderer)
    assert found is not None
    return Bbox(found)


def overlap(one: Bbox, other: Bbox) -> bool:
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > 0.5 and shared.height > 0.5


def test_files_are_written_and_the_style_is_that_of_all_figures(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def figures(records: Sequence[Record]) -> dict[str, Figure]:
        seen.extend([len(records), mpl.rcParams["font.size"], mpl.rcParams["pdf.fonttype"]])
        return {"own": Figure(figsize=(1, 1))}

    monkeypatch.setattr(toy, "figures", figures)
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=2))
    records = [a_record(spec) for arm in arms for spec in arm.finals({})]
    before = mpl.rcParams["font.size"]
    found = write_figures(arms, by_digest([*records[1:], a_failure(records[0].spec)]), tmp_path)
    assert found[:5] == ["weights.csv", "own.pdf", "own.png", "weights.pdf", "weights.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(found)
    assert seen == [7, STYLE["font.size"], STYLE["pdf.fonttype"]]
    assert mpl.rcParams["font.size"] == before != STYLE["font.size"]
    with (tmp_path / "weights.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["setting"], row["method"], row["task"], row["seeds"]) for row in rows[:4]] == [
        ("few", "stl", "main", "1"), ("few", "stl", "side", "1"), ("few", "stl", "value", "1"),
        ("few", "equal", "main", "2"),
    ]  # fmt: skip
    assert float(rows[0]["share_mean"]) == pytest.approx(1 / 1.75)


def test_a_suite_draws_its_own_figure_of_that_name(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}))
    assert write_figures(arms, {}, tmp_path) == []
    monkeypatch.setattr(toy, "figures", lambda records: {"weights": Figure(figsize=(1, 2))})
    records = by_digest(a_record(spec) for spec in arms[0].finals({}))
    assert write_figures(arms, records, tmp_path)[:3] == ["weights.csv", "weights.pdf", "weights.png"]
    width, height = png_size(tmp_path / "weights.png")
    assert 2 * width == height


def test_figures_of_drawn_samples_say_so(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = [Figure(figsize=(1, 1)), Figure(figsize=(1, 1))]
    arms = make_plan(Options("toy", settings=("few",), methods=("stl",), fixed={"lr": "1", "weight_decay": "0"}))
    for figure, data in zip(own, ("toy-1", f"{SAMPLE}toy-1"), strict=True):
        monkeypatch.setattr(toy, "figures", lambda records, figure=figure: {"own": figure})
        write_figures([replace(arm, data=data) for arm in arms], {}, tmp_path)
    assert [" ".join(figure.get_suptitle().split()) for figure in own] == ["", SAMPLE_TITLE]
