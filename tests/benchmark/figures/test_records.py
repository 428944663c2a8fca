"""Figures from records: what stands in the axes is what the records say, worked out here by hand."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.arm import Arm
from benchmark.figures import style, write_figures
from benchmark.figures.ablations import depth, published_ablation
from benchmark.figures.costs import cost, pareto
from benchmark.figures.curves import learning_curves, losses
from benchmark.figures.grids import grids, table
from benchmark.figures.hypergradients import RESOLUTION, hypergradients
from benchmark.figures.runs import Runs, collect, over_runs
from benchmark.figures.style import look, number, save, slugs
from benchmark.figures.task_weights import task_weights
from benchmark.figures.trials import best_of_trials, expected_best
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.suite import Metric
from tests.benchmark.helpers import Toy, a_failure, a_record, by_digest

HOSTILE = ("main", r"$\frac{1}{", "_hidden\n<&>" + "x" * 60)
DIAGNOSTICS = ("hypergradient_norm", "cosine_to_identity", "clipped")


def rows(seed: int, *, epochs: int = 3) -> list[dict[str, Any]]:
    """Return epochs with numbers that no two seeds share."""
    return [
        {
            "epoch": epoch,
            "lr": 0.1,
            "loss": [seed / epoch, 2.0 * seed, 0.5],
            "weight": [float(epoch), float(seed), 1.0],
            "diagnostics": {"hypergradient_norm": 10.0**epoch, "cosine_to_identity": 1.0, "clipped": None},
            "validation": {"top1": 0.1 * epoch + 0.01 * seed, "top2": 0.9},
        }
        for epoch in range(1, epochs + 1)
    ]


def the_run(spec: Spec, *, tasks: tuple[str, ...] = HOSTILE) -> Record:
    """Return a record of a run whose numbers follow from its spec."""
    hyper = dict(spec.hyper)
    point = float(hyper["lr"] or 0) + float(hyper["weight_decay"] or 0)  # best at the largest of both
    record = a_record(spec, score=point, test=0.5 + 0.1 * spec.seed, tasks=tasks, epochs=rows(spec.seed + 1))
    return replace(record, timing={**record.timing, "step_sec": 0.001 * (spec.seed + 1)})


def records_of(arms: Iterable[Arm], **changes: Any) -> dict[str, Record]:
    """Return the record of every run of arms; the largest learning rate and weight decay are chosen."""
    found = []
    for arm in arms:
        found += [the_run(arm.spec(point), **changes) for point in arm.points()]
        found += [the_run(spec, **changes) for spec in arm.finals({"lr": 0.1, "weight_decay": 0.01})]
    return by_digest(found)


@pytest.fixture
def arms(toy: Toy) -> list[Arm]:
    return make_plan(Options("toy", settings=("few",), methods=("stl", "equal")))


@pytest.fixture
def runs(arms: list[Arm]) -> list[Runs]:
    return collect(arms, records_of(arms))["few"]


def the_line(axes: Axes, gid: str = "highlight") -> np.ndarray:
    (line,) = (line for line in axes.lines if line.get_gid() == gid)
    return np.asarray(line.get_xydata())


def footnote(figure: Figure) -> str:
    (found,) = (text.get_text() for text in figure.texts if text.get_gid() == "footnote")
    return " ".join(found.split())


def made(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


@pytest.mark.parametrize("scores", [[1.0], [3.0, 1.0, 2.0], [0.2, 0.2, 0.9, -1.0, 0.5]])
def test_expected_best_is_the_mean_over_all_draws(scores: list[float]) -> None:
    slow = [np.mean([max(draw) for draw in itertools.combinations(scores, n)]) for n in range(1, len(scores) + 1)]
    assert expected_best(scores) == pytest.approx(slow)
    assert expected_best(scores[::-1]) == pytest.approx(slow)


def test_bands_are_standard_errors_with_one_degree_of_freedom_less() -> None:
    mean, sem = over_runs([[1.0, 5.0, None, None], [2.0, None, None, 7.0], [6.0, 9.0, None, None]])
    assert mean == pytest.approx([3.0, 7.0, np.nan, 7.0], nan_ok=True)
    assert sem == pytest.approx([7**0.5 / 3**0.5, 8**0.5 / 2**0.5, np.nan, np.nan], nan_ok=True)


def test_learning_curves_show_mean_and_band(runs: list[Runs]) -> None:
    axes = made(learning_curves(runs)).axes[0]
    assert axes.get_title(loc="left") == "stl"
    assert the_line(axes)[:, 1] == pytest.approx([12.5, 22.5, 32.5])  # seeds 1 and 2: 12 and 13 %
    band = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert band[np.isclose(band[:, 0], 1), 1].min() == pytest.approx(12.5 - 0.5)
    assert band[np.isclose(band[:, 0], 1), 1].max() == pytest.approx(12.5 + 0.5)


def test_points_outside_are_counted(runs: list[Runs]) -> None:
    assert "outside" not in footnote(made(learning_curves(runs)))
    first = runs[0].finals[0]
    low = {**first.epochs[0], "validation": {"top1": -9.0, "top2": 0.9}}
    many = [{**first.epochs[-1], "epoch": epoch} for epoch in range(2, 40)]
    fallen = replace(runs[0], finals=(replace(first, epochs=[low, *many]),))
    figure = made(learning_curves([fallen]))
    assert "1 of 39 points lie outside, the worst ones." in footnote(figure)
    y = the_line(figure.axes[0])[:, 1]
    assert (y < figure.axes[0].get_ylim()[0]).sum() == 1


def test_losses_have_a_line_a_task_and_all_names_are_text(runs: list[Runs]) -> None:
    with style(math=False):
        figure = made(losses(runs))
        figure.savefig("/dev/null", format="png")
    lines = [np.asarray(line.get_ydata()) for line in figure.axes[0].lines]
    assert lines[0] == pytest.approx([2.5, 1.25, 2.5 / 3])
    assert lines[1] == pytest.approx([5.0] * 3)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[1] == HOSTILE[1]
    assert names[2].lstrip("\u200b").startswith("_hidden <&>xx")
    assert len(names[2]) < 40


def test_many_auxiliary_tasks_are_one_line(arms: list[Arm]) -> None:
    tasks = tuple(f"task {task}" for task in range(14))
    found = {
        key: replace(record, tasks=tasks, epochs=[{**row, "loss": [1.0, *range(2, 15)]} for row in record.epochs])
        for key, record in records_of(arms).items()
    }
    shown = collect(arms, found)["few"]
    first, second = made(losses(shown)).axes[0].lines
    assert [np.asarray(line.get_ydata())[0] for line in (first, second)] == [1, 8]
    assert task_weights(shown) is None


def test_weights_are_shares_and_constant_ones_are_named(runs: list[Runs]) -> None:
    still = [
        replace(record, epochs=[{**row, "weight": [1.0, 0, 0]} for row in record.epochs]) for record in runs[0].finals
    ]
    figure = made(task_weights([replace(runs[0], finals=tuple(still)), runs[1]]))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "equal"
    shares = np.mean([[epoch / (epoch + seed + 2) for epoch in (1, 2, 3)] for seed in (1, 2)], axis=0)
    assert np.asarray(axes.lines[0].get_ydata()) == pytest.approx(shares)
    assert axes.texts[0].get_text() == "Σ 4.5 → 6.5"
    assert "Constant weights, not drawn: stl." in footnote(figure)


def test_diagnostics_pass_over_what_is_not_recorded(runs: list[Runs]) -> None:
    figure = made(hypergradients(runs))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["norm before clipping", "1 − cosine to identity"]
    assert np.asarray(figure.axes[0].lines[0].get_ydata()) == pytest.approx([10, 100, 1000])
    assert figure.axes[0].get_yscale() == "log"
    assert np.asarray(figure.axes[1].lines[0].get_ydata()) == pytest.approx([RESOLUTION] * 3)
    bare = [replace(record, epochs=[{**row, "diagnostics": {}} for row in record.epochs]) for record in runs[0].finals]
    assert hypergradients([replace(runs[0], finals=tuple(bare))]) is None


def test_every_score_stands_in_its_cell_and_the_chosen_is_framed(runs: list[Runs]) -> None:
    grid = table(runs)
    assert grid.columns == [(0.01, 0.1), (0.01, 0.01), (0.0, 0.1), (0.0, 0.01)]
    assert grid.rows == [("stl", ""), ("equal", "")]
    assert grid.values.tolist() == [pytest.approx([11, 2, 10, 1])] * 2
    assert grid.chosen == [(0, 0), (1, 0)]
    axes = made(grids(runs)).axes[0]
    assert [text.get_text() for text in axes.texts[:4]] == ["11.0", "2.0", "10.0", "1.0"]
    assert np.asarray(axes.images[0].get_array()).tolist() == grid.values.tolist()
    assert len(axes.patches) == 2


def test_best_of_trials_counts_failures_as_the_worst(arms: list[Arm]) -> None:
    found = records_of(arms)
    worst = min((r for r in found.values() if r.spec.method == "stl" and r.spec.phase == "search"), key=the_score)
    diverged = replace(a_failure(worst.spec), status="diverged")
    figure = made(best_of_trials(collect(arms, {**found, worst.spec.digest: diverged})["few"]))
    assert the_line(figure.axes[0])[:, 1] == pytest.approx(100 * expected_best([0.11, 0.02, 0.1, 0.02]))
    assert the_line(figure.axes[1])[:, 1] == pytest.approx(100 * expected_best([0.11, 0.02, 0.1, 0.01]))
    assert "1 trials without a score (pruned or failed) count" in footnote(figure)
    assert "n = 8 search runs, one a trial, all of one seed." in footnote(figure)
    assert "final run" not in footnote(figure)


def the_score(record: Record) -> float:
    return record.selected["validation"]["top1"]


def test_a_budget_keeps_the_order_of_its_trials(toy: Toy) -> None:
    (arm,) = make_plan(Options("toy", settings=("few",), methods=("stl",), trials=3, sampler="random"))
    points = [{"lr": lr, "weight_decay": 0.0} for lr in (0.02, 0.05, 0.03)]
    found = [the_run(arm.spec({**points[trial]}, trial=trial)) for trial in range(3)]
    (runs,) = collect([arm], by_digest(found))["few"]
    line = the_line(made(best_of_trials([runs])).axes[0])
    assert line[:, 1] == pytest.approx([2, 5, 5])
    assert grids([runs]) is None


@pytest.mark.parametrize("better", [True, False])
def test_pareto_front_by_the_slow_way(better: bool) -> None:
    draw = np.random.default_rng(3)
    sign = 1 if better else -1
    for _ in range(30):
        costs, scores = draw.integers(0, 6, (2, 8)).astype(float).tolist()
        beaten = [
            any(
                (costs[j] <= costs[i] and sign * scores[j] >= sign * scores[i])
                and (costs[j] < costs[i] or sign * scores[j] > sign * scores[i])
                for j in range(8)
            )
            for i in range(8)
        ]
        found = pareto(costs, scores, higher_is_better=better)
        assert sorted(found) == [i for i in range(8) if not beaten[i]]
        assert [costs[i] for i in found] == sorted(costs[i] for i in found)


def test_cost_shows_each_method_once_with_its_errors(runs: list[Runs]) -> None:
    axes = made(cost(runs)).axes[0]
    names = sorted(text.get_text() for text in axes.texts)
    assert names == ["equal", "stl"]
    places = [np.asarray(bars[0].get_xydata())[0].tolist() for bars in axes.containers]
    assert places == [pytest.approx([2.5, 65.0])] * 2
    across, up = axes.containers[0][2]
    assert np.ptp(across.get_segments()[0][:, 0]) == pytest.approx(1.0)  # twice the SEM of 2 and 3 ms
    assert np.ptp(up.get_segments()[0][:, 1]) == pytest.approx(10.0)
    assert cost(runs[:1]) is None


def test_times_of_two_devices_have_no_front(runs: list[Runs]) -> None:
    def dashed(found: Sequence[Runs]) -> int:
        return sum(line.get_linestyle() == "--" for line in made(cost(found)).axes[0].lines)

    one, *others = runs
    finals = [replace(run, environment={**run.environment, "device": "another one"}) for run in one.finals]
    assert dashed(runs) == 1
    mixed = [replace(one, finals=finals), *others]
    assert dashed(mixed) == 0
    texts = " ".join(text.get_text() for text in made(cost(mixed)).texts)
    assert "Times of several devices do not compare" in " ".join(texts.split())
    assert "another one" in texts


def test_depths_come_from_runs_of_their_own_and_validation_chooses_among_them(toy: Toy) -> None:
    found: list[Record] = []
    for layers in ("1", "3"):
        (arm,) = make_plan(
            Options("toy", settings=("few",), methods=("auxilearn-nonlinear",), fixed={"depth": layers, "lr": "0.1"})
        )
        for decay, score, test in ((0.0, 0.2, 0.9), (0.01, 0.4, 0.1 * int(layers))):
            point = {**arm.points()[0], "weight_decay": decay}
            found += [a_record(spec, score=score, test=test + 0.01 * spec.seed) for spec in arm.finals(point)]
    figure = made(depth([arm], "few", found))
    line = figure.axes[0].lines[0]
    assert np.asarray(line.get_xydata()).tolist() == [pytest.approx([1, 11.5]), pytest.approx([3, 31.5])]
    assert depth([arm], "few", found[:4]) is None


def test_the_papers_ablation_is_read() -> None:
    found = published_ablation("cub", "5-shot", "hidden_layers", Metric("top1"))
    assert found is not None
    assert (found.x[4], found.mean[4]) == (5, 47.07)
    assert published_ablation("toy", "few", "hidden_layers", Metric("top1")) is None


@pytest.mark.usefixtures("real_fonts")
def test_all_that_records_can_serve_is_written_always_the_same(arms: list[Arm], tmp_path: Path) -> None:
    found = records_of(arms)
    written = write_figures(arms, found, tmp_path)
    families = ("learning_curves", "losses", "task_weights", "hypergradients", "grid", "best_of_trials", "cost")
    assert {arm.setting for arm in arms} == {"few"}
    stems = ["weights", *(f"{name}-few" for name in families)]  # the suite has another setting
    assert written == ["weights.csv", *(f"{stem}.{suffix}" for stem in stems for suffix in ("pdf", "png"))]
    first = {name: (tmp_path / name).read_bytes() for name in written}
    assert all(first[f"{stem}.png"].startswith(b"\x89PNG") for stem in stems)
    assert all(first[f"{stem}.pdf"].startswith(b"%PDF") and b"/Type3" not in first[f"{stem}.pdf"] for stem in stems)
    write_figures(arms, dict(reversed(found.items())), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in written} == first


def test_an_image_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = Figure(figsize=(1, 1))
    for name in save(figure, tmp_path, "cost", sample=False):
        assert (tmp_path / name).stat().st_size > 100
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["cost.pdf", "cost.png"], "nothing else is left"

    def killed(self: Figure, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", killed)
    with pytest.raises(KeyboardInterrupt):
        save(figure, tmp_path, "cost", sample=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_settings_have_files_of_their_own() -> None:
    found = slugs(["5-shot", "a/../b", "A b", "a.b", "日本", "語"])
    assert list(found.values()) == ["5-shot", "a-..-b", "a-b", "a.b", "setting", "setting-2"]


def test_lines_differ_without_colour() -> None:
    looks = [look(index) for index in range(12)]
    assert len({(str(each.dash), each.marker) for each in looks}) == 12
    assert len({each.marker for each in looks}) == 12
    assert len({each.colour for each in looks[:7]}) == 7
    assert all(str(one.dash) != str(other.dash) for one, other in itertools.pairwise(looks))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.003, "0.003"), (1e-5, "10⁻⁵"), (1.1 - 1.0999, "10⁻⁴"), (147000, "1.47·10⁵"), (-20, "-20")],
)
def test_numbers_need_no_formula(value: float, text: str) -> None:
    assert number(value) == text
