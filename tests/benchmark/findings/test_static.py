"""Constant weights beside methods: every number worked out by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from benchmark.comparison import p_text
from benchmark.findings.pictures import static_figure
from benchmark.findings.static import at, table
from benchmark.record import Record
from tests.benchmark.made_up import a_run, commit, rows


def made(
    method: str, ratio: float, scores: tuple[float, ...], setting: str = "5-shot", **hyper: object
) -> list[Record]:
    static = {"auxiliary_weight": float(ratio), "task_weights": "equal"} if method == "scalarization" else {}
    common: dict[str, Any] = {
        "suite": "cifar100-coarse",
        "setting": setting,
        "hyper": {"lr": 0.1, **static, **hyper},
        "weight": (2.0, 2 * ratio),
    }
    runs = [a_run(method, seed, {"top1": score}, **common) for seed, score in enumerate(scores, start=1)]
    return [replace(run, tasks=("fine", "coarse")) for run in runs]


ALL = [
    *made("stl", 0, (0.10, 0.12, 0.11)),
    *made("equal", 1, (0.20, 0.23, 0.20)),
    *made("scalarization", 100, (0.40, 0.41, 0.42)),
    *made("famo", 7, (0.32,)),
    *[replace(run, spec=replace(run.spec, seed=2)) for run in made("famo", 13, (0.32,))],
    *made("rlw", 10, (0.31 - 1e-9, 0.31 - 1e-9, 0.31 - 1e-9)),
    *made("ol-aux", 100, (0.50, 0.50, 0.50)),
    *made("gcs", 1000, (0.41, 0.42, 0.43)),
    *made("dwa", 0.001, (0.01, 0.01, 0.01)),
    *made("equal", 1, (0.60, 0.62), "10-shot"),
]
ASKED = [*made("scalarization", 100, (0.40, 0.41, 0.42)), *made("scalarization", 1, (0.20, 0.23, 0.20))]


def test_each_weight_is_compared_with_equal_weights(tmp_path: Path) -> None:
    text = table(commit(tmp_path / "a/cifar100-coarse", ASKED), commit(tmp_path / "b/cifar100-coarse", ALL))
    single, equal, static = rows(text)
    assert [row["weight"] for row in (single, equal, static)] == ["0 (`stl`)", "1 (`equal`)", "100"]
    assert (equal["5-shot top1"], equal["5-shot less `equal`"], equal["5-shot p (Holm)"]) == ("21.00 ± 1.00", "–", "–")
    assert (single["5-shot less `equal`"], static["5-shot less `equal`"]) == ("-10.00", "+20.00")
    p = [
        float(getattr(stats.ttest_rel(scores, (0.20, 0.23, 0.20)), "pvalue"))  # noqa: B009
        for scores in ((0.10, 0.12, 0.11), (0.40, 0.41, 0.42))
    ]
    assert [single["5-shot p (Holm)"], static["5-shot p (Holm)"]] == [
        p_text(2 * each if each == min(p) else max(p[0], p[1], 2 * min(p))) for each in p
    ]
    assert "mean ± standard error of 3 final runs" in text
    assert "10-shot" not in text, "no weight was asked for there"


def test_which_methods_lie_above_the_line_of_constants(tmp_path: Path) -> None:
    text = table(commit(tmp_path / "a/cifar100-coarse", ASKED), commit(tmp_path / "b/cifar100-coarse", ALL))
    assert "5-shot: of 3 methods within the weights tried" in text
    assert "by the logarithm: `ol-aux` (+9.0), `famo` (+1.0). Outside them: `dwa` and `gcs`." in text
    assert text.endswith("A higher mean than the best constant: `ol-aux` and `gcs`.")


def test_one_weight_a_task_is_compared_with_the_constant_of_its_ratio(tmp_path: Path) -> None:
    """Whatever float32 makes of the weights that a record has."""
    kinds = [("0.01/1/1", 1.0, (0.41, 0.43, 0.42)), ("1/50/1", 2.0, (0.42, 0.44, 0.43))]
    runs = [made("scalarization", 99.99993, s, auxiliary_weight=a, task_weights=text) for text, a, s in kinds]
    asked = commit(tmp_path / "a/cifar100-coarse", [*ASKED, *runs[0], *runs[1]])
    text = table(asked, commit(tmp_path / "b/cifar100-coarse", ALL))
    first, second = (
        float(getattr(stats.ttest_rel(scores, (0.40, 0.41, 0.42)), "pvalue"))  # noqa: B009
        for _, _, scores in kinds
    )
    assert text.endswith(
        "5-shot, one weight a task, the fine classes' first: 0.01/1/1 gives 42.00 ± 0.58, less the constant 100 +1.00 "
        f"(paired t-test, p-value {p_text(first)}); 1/50/1 gives 43.00 ± 0.58, less the constant 100 +2.00 "
        f"(paired t-test, p-value {p_text(second)})."
    )
    assert [row["weight"] for row in rows(text)] == ["0 (`stl`)", "1 (`equal`)", "100"]


def test_between_two_weights_the_line_is_straight_in_the_logarithm() -> None:
    line = {0.1: 1.0, 10.0: 3.0, 1000.0: 2.0}
    assert at(line, 1.0) == pytest.approx(2.0)
    assert at(line, 10 ** (1 + 2 / 4)) == pytest.approx(2.75)
    assert at(line, 1000.0) == 2.0


def bars(panel) -> dict[str, Any]:
    """Return what was drawn with errors, by label: line, caps and segments of matplotlib."""
    return {bar.get_label(): bar.lines for bar in panel.containers}


def level(panel, label: str) -> list[float]:
    """Return the heights of a line by its label."""
    (found,) = [line for line in panel.lines if line.get_label() == label]
    return list(found.get_ydata())


def test_the_picture_has_a_line_of_constants_and_a_point_a_method() -> None:
    panel, other = static_figure([*ALL, *made("stl", 0, (0.5, 0.5), "10-shot")]).axes
    drawn = bars(panel)
    assert set(drawn) == {"famo", "rlw", "ol-aux", "gcs", "dwa", "constant weights"}
    line, _, (errors,) = drawn["constant weights"]
    assert list(line.get_xdata()) == [1, 100]
    assert list(line.get_ydata()) == pytest.approx([21, 41])
    half = 100 * stats.sem((0.20, 0.23, 0.20))
    assert list(errors.get_segments()[0][:, 1]) == pytest.approx([21 - half, 21 + half])
    point, *_ = drawn["famo"]
    assert (list(point.get_xdata()), list(point.get_ydata())) == ([10], pytest.approx([32]))
    assert level(panel, "stl") == pytest.approx([11, 11])
    assert [each.get_title() for each in (panel, other)] == ["5-shot, 3 runs", "10-shot, 2 runs"]
    assert panel.get_xscale() == other.get_xscale() == "log"
