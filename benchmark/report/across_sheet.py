"""Aggregates over suites as a table, and the critical-difference diagram with its data."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path

import pandas as pd

from benchmark.figures import FORMATS, style
from benchmark.figures.style import write_image
from benchmark.files import write_whole
from benchmark.report.across import Across
from benchmark.report.diagram import cliques, draw
from benchmark.report.files import write_sheets
from benchmark.statistics import ALPHA
from benchmark.tables.captions import SAMPLE_CAPTION
from benchmark.tables.sheet import ABSENT, Content, Sheet, of_rows
from benchmark.text import spreadsheet

DIAGRAM = "critical_difference"


def across_sheet(across: Across) -> Sheet:
    """Return the table: a row a method, best mean rank first."""
    rows = []
    for found in across.methods.to_dict("records"):
        own = found["method"] == across.reference
        cells = {
            "method": str(found["method"]),
            "mean rank": _number(found["mean_rank"]),
            "runs": " to ".join(map(str, dict.fromkeys((found["fewest_runs"], found["most_runs"])))),
            "IQM of gain (%)": _interval(found, "iqm"),
            f"P(better than {across.reference})": ABSENT if own else _interval(found, "improvement"),
            "Δm, tasks first, up (%)": _number(found["delta_m_mean_over_tasks"], signed=True),
            "Δm, all metrics, down (%)": _number(found["delta_m_mean_over_metrics"], signed=True),
        }
        rows.append({("", label): Content(text) for label, text in cells.items()})
    return of_rows(f"Over the suites {', '.join(across.suites)}", caption(across), rows)


def caption(across: Across) -> str:
    """Return how the aggregates came about, and which methods they are without."""
    count, suites = len(across.methods), len(across.suites)
    left_out = ", ".join(f"{name} ({what})" for name, what in across.left_out.items())
    reference = across.reference
    return (
        f"{SAMPLE_CAPTION if across.sample else ''}"
        f"{count} methods with final runs in all settings of {suites} suite{'s' * (suites > 1)}{_parts(across)}, main "
        "metrics on the test set. Mean rank: over suites, 1 is best, ties share their rank; a suite's score is the "
        "mean over its settings. Runs: final runs in a setting that gave a result, without the others. "
        f"{_tests(across)} "
        f"Gain of a run: its score less the mean of {reference} in the same setting, in percent of that mean, errors "
        "turned round. IQM: interquartile mean of the gains of all runs (Agarwal et al. 2021), each setting with the "
        f"same weight. P: probability that a run is better than one of {reference}, ties half, mean over settings. In "
        "brackets 95 % percentile bootstrap intervals, runs resampled within each setting (stratified), none where one "
        "has a single run; for gains the "
        f"mean of {reference} is held fixed. "
        f"Δm against {reference}, a setting being a task with the metrics of its main task: tasks first, up: mean over "
        "tasks of the mean over their metrics, better is positive (Maninis et al. 2019; Lin and Zhang 2023); all "
        "metrics, down: mean over all metrics, better is negative (Liu et al. 2021, CAGrad; Navon et al. 2022, "
        "Nash-MTL)."
        f"{f' Left out: {left_out}.' if left_out else ''}"
    )


def _parts(across: Across) -> str:
    """Return of which suites only some settings were run."""
    parts = [f"{suite} only in {', '.join(settings)}" for suite, settings in across.parts.items()]
    return f" ({'; '.join(parts)})" if parts else ""


def _tests(across: Across) -> str:
    """Return what the tests of mean ranks say."""
    if across.sample:
        return "Ranks on drawn data are not tested."
    if isnan(across.friedman):
        return "Friedman's test needs two suites and three methods that differ: ranks are not tested."
    ends = "differ by that much are significant" if across.tells_apart else "are not told apart by rank"
    least = "those whose mean ranks" if across.tells_apart else "so methods"
    return (
        f"Friedman's test that all rank alike: p = {across.friedman:.3f}; Nemenyi's critical difference at {ALPHA}: "
        f"{across.critical_difference:.2f} (Demsar 2006), {least} {ends}."
    )


def footnote(across: Across) -> str:
    """Return where the numbers of the diagram come from, and what its bars stand for."""
    runs = " to ".join(map(str, dict.fromkeys(across.runs)))
    return (
        f"Suites {', '.join(across.suites)}; protocol {', '.join(map(str, across.protocols))}; n = "
        f"{len(across.suites)} suites with {runs} final runs of a method in a setting. Red: the critical difference. "
        f"Black: methods that are not told apart. {_tests(across)}"
    )


def _number(value: float, *, signed: bool = False) -> str:
    return ABSENT if isnan(value) else f"{value:+z.2f}" if signed else f"{value:.2f}"


def _interval(found: Mapping[str, float], name: str) -> str:
    if isnan(found[name]):
        return ABSENT
    if isnan(found[f"{name}_low"]):
        return f"{found[name]:z.2f}"
    return f"{found[name]:z.2f} [{found[f'{name}_low']:z.2f}, {found[f'{name}_high']:z.2f}]"


def write_across(across: Across, folder: Path, name: str) -> list[Path]:
    """Write table, numbers and diagram with its data; return the files."""
    paths = write_sheets(name, "Over suites", [across_sheet(across)], across.methods, folder)
    if isnan(across.friedman):
        return paths
    ranks = across.methods["mean_rank"].tolist()
    methods = across.methods["method"].tolist()
    alike = across.critical_difference if across.tells_apart else float("inf")
    groups = cliques(ranks, alike)
    data = pd.DataFrame({"method": methods, "mean_rank": ranks, "groups": _memberships(groups, len(methods))})
    data = data.assign(critical_difference=across.critical_difference, friedman_p=across.friedman)
    stem = name.replace("across", DIAGRAM)
    write_whole(folder / f"{stem}.csv", data.map(spreadsheet).to_csv(index=False))
    with style():
        figure = draw(methods, ranks, across.critical_difference, groups, footnote=footnote(across))
        for suffix in FORMATS:
            write_image(figure, folder / f"{stem}.{suffix}")
    return [*paths, folder / f"{stem}.csv", *(folder / f"{stem}.{suffix}" for suffix in FORMATS)]


def _memberships(groups: list[list[int]], count: int) -> list[str]:
    """Return for each method the numbers of the groups that it is in."""
    return [
        " ".join(str(number) for number, group in enumerate(groups, start=1) if each in group) for each in range(count)
    ]
