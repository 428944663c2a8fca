"""The paper's tables in the paper's layout: measured beside published, with the difference in standard errors."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import baselines
from benchmark import suites
from benchmark.arm import Arm
from benchmark.fill import Fill, fill_in_report
from benchmark.places import Places
from benchmark.plan import Options, arm_of
from benchmark.plugins import load_suite
from benchmark.published import COLUMNS, FOLDER
from benchmark.report.experiment import Experiment, options_for, own_seeds
from benchmark.report.experiments import experiments
from benchmark.report.reading import Found
from benchmark.tables.data import Note, Results, Row
from benchmark.tables.gather import gather, places_of
from benchmark.tables.numbers import numbers
from benchmark.tables.sheet import DIFFERENCE, Content, Sheet, contents, memory, metric_of, of_rows, seconds, trials

TITLES = {
    "table1_cub": "Table 1 of the paper: CUB-200-2011 with few labels and auxiliary attributes",
    "table2_nyuv2": "Table 2 of the paper: NYUv2, segmentation with auxiliary depth and normals",
    "table3_learned_auxiliary": "Table 3 of the paper: learned auxiliary tasks",
    "table3_preprint_v1": "Table 3 of the paper's first preprint: learned auxiliary tasks, more label fractions",
}
"""By name of the file in `results/paper/`; another file of that form is a table of that name."""


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's tables, measured.

    Attributes:
        title: Its name.
        printed: What the paper has in it, in its order: columns suite, setting, method, metric, mean, sem, runs.
        results: Of each of its suites, with the paper's methods alone.
    """

    title: str
    printed: pd.DataFrame
    results: Sequence[Results]

    @property
    def sample(self) -> bool:
        """Whether data were drawn: then it is no result."""
        return any(each.sample for each in self.results)

    @property
    def notes(self) -> list[Note]:
        """Footnotes of all suites, each once."""
        return list(dict.fromkeys(note for each in self.results for note in each.notes))

    @property
    def numbers(self) -> pd.DataFrame:
        """The numbers behind it, and what is missing."""
        return numbers(self.results, absent=True).assign(table=self.title)

    @property
    def caption(self) -> str:
        """How the numbers of each suite came about."""
        texts = []
        for each in self.results:
            anything = any(row.steps for row in each.rows)
            texts.append(f"{each.suite}: {each.caption if anything else 'nothing measured yet.'}")
        return " ".join(texts if self.sample else [*texts, DIFFERENCE])


def paper_tables(
    found: Mapping[str, Found], *, seed: int, results_dir: Path, sample: bool, folder: Path = FOLDER
) -> list[PaperTable]:
    """Return all tables of the paper with what there is of them.

    Args:
        found: Records and what commands asked for, by suite.
        seed: Of the bootstrap.
        results_dir: Where commands that fill missing cells write.
        sample: Whether the records are of drawn data.
        folder: Of the files of published numbers.
    """
    tables = []
    for stem, printed in _published(folder):
        results = [
            _results(
                str(name),
                rows,
                found.get(str(name), Found({}, ())),
                seed=seed,
                results_dir=results_dir,
                sample=sample,
            )
            for name, rows in printed.groupby("suite", sort=False)
            if name in suites.names()
        ]
        title = TITLES.get(stem, stem)
        table = PaperTable(title, printed, results)
        tables.append(PaperTable(f"SAMPLE, no result: {title}", printed, results) if table.sample else table)
    return tables


def published_suites() -> set[str]:
    """Return the suites of which the paper's tables have numbers."""
    return {str(name) for _, printed in _published(FOLDER) for name in printed["suite"]}


def _published(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the published numbers of each table, by the name of its file."""
    for path in sorted(folder.glob("*.csv")):
        printed = pd.read_csv(path)
        if list(printed.columns) == COLUMNS:
            yield path.stem, printed


def _results(
    name: str,
    printed: pd.DataFrame,
    found: Found,
    *,
    seed: int,
    results_dir: Path,
    sample: bool,
) -> Results:
    """Return the results of one suite in the cells of a table of the paper, under the suite's own plan."""
    own = [each for each in experiments(name, found.records.values(), found.planned) if each.own]
    experiment = max(own, key=lambda each: len(each.arms), default=None)
    options = experiment.options if experiment else Options(name, places=Places(sample=sample))
    known = printed[printed["method"].isin(baselines.names())]
    cells = dict.fromkeys(zip(map(str, known["setting"]), map(str, known["method"]), strict=True))
    arms = [_arm(name, setting, method, options, experiment) for setting, method in cells]
    places = places_of(printed, arms[0].suite.metrics)

    def command(*missing: Arm) -> Fill:
        given = options_for(experiment, missing) if experiment else options
        return fill_in_report(given, missing, results=results_dir)

    return gather(arms, found.records, command=command, seed=seed, paper=places)


def _arm(name: str, setting: str, method: str, options: Options, experiment: Experiment | None) -> Arm:
    """Return the arm of a cell, with no fewer final runs than the suite has."""
    if experiment is None:
        return arm_of(load_suite(name), "", setting, method, options, n_tasks=2)
    suite = experiment.arms[0].suite
    fewest = own_seeds(suite, experiment.conditions)
    for arm in experiment.arms:
        if (arm.setting, arm.method) == (setting, method):
            return dataclasses.replace(arm, seeds=max(arm.seeds, fewest))
    given = dataclasses.replace(options, seeds=max(options.seeds or 0, fewest))
    return arm_of(suite, experiment.arms[0].data, setting, method, given, n_tasks=2)


def sheets(table: PaperTable) -> Iterator[Sheet]:
    """Yield a table in the paper's layout, then what its numbers cost."""
    marks = {note: number for number, note in enumerate(table.notes, start=1)}
    several = len(table.results) > 1
    shown = set(zip(*(table.printed[name] for name in ("suite", "setting", "metric")), strict=True))
    methods = dict.fromkeys(table.printed["method"])
    measured: dict[str, dict[tuple[str, str], Content]] = {}
    costs: dict[str, dict[tuple[str, str], Content]] = {}
    for row in _rows(table):
        group = f"{row.suite} {row.setting}" if several else row.setting
        cells = measured.setdefault(row.method, {("", "method"): Content(row.method)})
        names = [cell.metric.name for cell in row.cells if (row.suite, row.setting, cell.metric.name) in shown]
        for label, content in contents(row, marks).items():
            if metric_of(label) in names:
                cells[group, label] = content
        spent = costs.setdefault(row.method, {("", "method"): Content(row.method)})
        spent[group, "trials"] = trials([row], marks)
        spent[group, "s/step"] = seconds(row, marks)
        spent[group, "MiB"] = memory(row)
    ranked = any(content.standing for row in measured.values() for content in row.values())
    order = [method for method in methods if method in measured]
    rows = [measured[method] for method in order]
    yield of_rows(table.title, table.caption, rows, notes=table.notes, ranked=ranked)
    text = (
        "Search runs of each method that were made, of those planned where some are missing; seconds a training step "
        "and peak memory, means over final runs."
    )
    yield of_rows(f"Costs. {table.title}", text, [costs[method] for method in order])


def _rows(table: PaperTable) -> list[Row]:
    """Return the rows of all suites, column by column of the paper."""
    return [row for each in table.results for row in each.rows]
