"""The pictures of results/README.md show the differences that the records have."""

import pytest
from PIL import Image
from scipy import stats

from benchmark.findings.pictures import PICTURES, about, curvature_figure, gains_figure, runs_of
from benchmark.findings.runs import RESULTS
from tests.benchmark.made_up import a_run

SINGLE = (0.50, 0.52, 0.51)
SCORES = {"stl": SINGLE, "gcs": (0.55, 0.53, 0.57), "equal": (0.60, 0.61, 0.65), "rlw": (0.40, 0.41, 0.45)}


def runs(setting: str, scores: dict[str, tuple[float, ...]], **hyper: object) -> list:
    return [
        a_run(method, seed, {"top1": score}, setting=setting, hyper={"lr": 0.1, **hyper})
        for method, found in scores.items()
        for seed, score in enumerate(found, start=1)
    ]


def drawn(panel) -> list[tuple[float, float, float, float]]:
    """Return middle, height, low and high end of every interval of a panel, from the top."""
    found = []
    for bar in panel.containers:
        line, _, (segments,) = bar.lines
        (((low, height), (high, _)),) = segments.get_segments()
        (middle,) = line.get_xdata()
        found.append((middle, height, low, high))
    return sorted(found, key=lambda each: each[1])


def colours(panel) -> set[str]:
    return {bar.lines[0].get_color() for bar in panel.containers}


@pytest.mark.parametrize("name", PICTURES)
def test_committed_pictures_show_the_committed_runs(name: str) -> None:
    with Image.open(RESULTS / f"{name}.png") as picture:
        assert picture.info["Description"] == about(runs_of(name)), (
            "python -m benchmark.readme --pictures draws it anew"
        )


def test_methods_stand_by_what_they_gain_with_their_intervals() -> None:
    figure = gains_figure([*runs("5-shot", SCORES), *runs("10-shot", {"stl": SINGLE, "rlw": (0.9, 0.95, 0.9)})])
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["equal", "gcs", "rlw"], "of the whole panel"
    assert [each.get_title() for each in figure.axes] == ["digits,\n5-shot, 3 runs", "digits,\n10-shot, 3 runs"]
    for (middle, height, low, high), name in zip(drawn(first), ("equal", "gcs", "rlw"), strict=True):
        differences = [100 * (one - other) for one, other in zip(SCORES[name], SINGLE, strict=True)]
        mean, half = sum(differences) / 3, stats.t.ppf(0.975, 2) * stats.sem(differences)
        assert (middle, low, high) == pytest.approx((mean, mean - half, mean + half))
        assert height == ("equal", "gcs", "rlw").index(name)
    ((middle, height, *_),) = drawn(second)
    assert [(each.get_text(), each.get_position()[1]) for each in second.texts] == [("not run", 0), ("not run", 1)]
    assert (middle, height) == (pytest.approx(100 * (2.75 - 1.53) / 3), 2)


def test_a_method_with_one_common_seed_has_no_interval_and_no_row() -> None:
    figure = gains_figure(runs("5-shot", {**SCORES, "dwa": (0.6,)}))
    assert "dwa" not in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(drawn(figure.axes[0])) == 3


def test_solvers_are_drawn_against_the_identity() -> None:
    names = ("auxilearn-linear", "auxilearn-nonlinear")
    few: dict[str, tuple[float, ...]] = dict.fromkeys(names, SINGLE)
    plain = [
        *runs("5-shot", few, mode="corrected", solver="identity", terms=3, damping=0),
        *runs("10-shot", {names[1]: SINGLE}, mode="corrected", solver="identity", terms=3, damping=0),
    ]
    curved = [
        *runs(
            "5-shot",
            {names[0]: SCORES["gcs"], names[1]: SCORES["equal"]},
            mode="corrected",
            solver="cg",
            terms=10,
            damping=0,
        ),
        *runs("10-shot", {names[1]: SCORES["rlw"]}, mode="corrected", solver="cg", terms=10, damping=0),
    ]
    both, one = curvature_figure([*plain, *curved]).axes
    assert [(middle, height) for middle, height, *_ in drawn(both)] == [
        (pytest.approx(4.0), pytest.approx(-0.1)),
        (pytest.approx(11.0), pytest.approx(0.1)),
    ]
    assert [(middle, height) for middle, height, *_ in drawn(one)] == [(pytest.approx(-9.0), 0)]
    assert colours(one) < colours(both), "a method looks alike in all panels"
