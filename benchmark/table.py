"""Result tables from records: mean and standard error of the final runs that validation chose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark import budget, precision
from benchmark.campaign import choose, search_records
from benchmark.comparison import Comparison, compare
from benchmark.controls import phrase
from benchmark.failures import counts
from benchmark.markdown import literal
from benchmark.plan import Arm
from benchmark.published import published
from benchmark.record import Record
from benchmark.spec import called, is_sample
from benchmark.suite import Metric
from benchmark.text import spreadsheet

MOST_TASKS_SHOWN = 12

SAMPLE_CAPTION = "SAMPLE: drawn data and a short training, which show that everything runs and are no result. "


@dataclass(frozen=True)
class Table:
    """One suite's results.

    Attributes:
        suite: Name of the suite.
        caption: How its numbers came about.
        results: A row a method; columns (setting, metric), and (`""`, ...) for what belongs to no setting.
        weights: A row a method, columns (setting, task): mean weight after training; None for many tasks.
        notes: What the marks in cells stand for, and which commands fill missing cells.
        numbers: The numbers behind `results`, a row a setting, method and metric.
        comparison: Every method against the reference methods.
    """

    suite: str
    caption: str
    results: pd.DataFrame
    weights: pd.DataFrame | None
    notes: Sequence[str]
    numbers: pd.DataFrame
    comparison: Comparison

    def write(self, folder: Path) -> list[str]:
        """Write the table as Markdown, CSV and LaTeX and return the file names."""
        parts = [f"# Results of suite {literal(self.suite)}", literal(self.caption), text_table(self.results)]
        if self.weights is not None:
            for setting, frame in by_setting(self.weights):
                parts += [f"Weight of each task at the end of training, {literal(setting)}:", text_table(frame)]
        if not self.comparison.numbers.empty:
            parts += [self.comparison.caption]
            for setting, frame in self.comparison.by_setting():
                parts += [f"Differences from the reference methods, {literal(setting)}:", text_table(frame)]
        parts += ["\n".join(f"- {literal(note)}" for note in self.notes)] if self.notes else []
        (folder / "table.md").write_text("\n\n".join(parts) + "\n")
        self.numbers.map(spreadsheet).to_csv(folder / "table.csv", index=False)
        self.comparison.numbers.map(spreadsheet).to_csv(folder / "comparison.csv", index=False)
        (folder / "table.tex").write_text(latex(self))
        return ["table.md", "table.csv", "table.tex", "comparison.csv"]


def fill_command(arm: Arm) -> str:
    """Return the command that makes an arm's missing runs, under default options."""
    words = f"python -m benchmark.run --suite {arm.suite.name} --settings {arm.setting} --methods {arm.method}"
    words += f" --controls {','.join(arm.suite.controls)}" if arm.suite.controls else ""
    return words + budget.options(arm)


def make_table(
    arms: Sequence[Arm],
    records: Mapping[str, Record],
    command: Callable[[Arm], str] = fill_command,
    references: Sequence[str] = (),
) -> Table:
    """Return the table of a plan from the records there are; nothing else is read but published numbers.

    Args:
        arms: A row for each method, columns for each setting.
        records: Records by digest.
        command: Says how the missing runs of an arm are made.
        references: Methods that all others are compared with; none for the default ones.
    """
    suite = arms[0].suite
    finals = {_key(arm): final_records(arm, records) for arm in arms}
    marks = _Marks(command)
    machines = sorted(
        {r.environment.get("device", "unknown") for found in finals.values() for r in found if r.environment}
    )
    commits = sorted(
        {_short(r.environment.get("commit", "unknown")) for found in finals.values() for r in found if r.environment}
    )
    epoch = "the last epoch counts, " if suite.selected_epoch == "last" else "epoch and "
    caption = (
        f"{SAMPLE_CAPTION if is_sample(arms[0].data) else ''}"
        f"{_weights_caption(suite.other_weights)}"
        f"Mean ± standard error (ddof 1) over {arms[0].seeds} final runs with new seeds, {arms[0].epochs} epochs"
        f"{phrase(suite.controls)}; "
        f"{epoch}hyper-parameters selected by validation {suite.selection.name}; test set evaluated once a run. "
        f"Protocol {arms[0].spec({}).protocol}{budget.phrase(arms)}, "
        f"code of commit {', '.join(commits) or 'none yet'}. "
        f"{precision.phrase(r for found in finals.values() for r in found)}"
        f"Times measured on: {', '.join(machines) or 'nothing yet'}."
    )
    return Table(
        suite=called(suite.name, arms[0].data),
        caption=caption,
        results=_results(arms, finals, records, marks),
        weights=_weights(arms, finals),
        notes=marks.notes(),
        numbers=_numbers(arms, finals),
        comparison=compare(arms, finals, references),
    )


def _weights_caption(name: str | None) -> str:
    """Return what stands first in the caption where the network did not start from the suite's own weights."""
    start = {None: "", "none": "a random start", "imagenet": "ImageNet weights"}.get(name, f"the weights {name}")
    return f"OTHER WEIGHTS: trained from {start}, not the suite's own choice. " if start else ""


def _short(commit: str) -> str:
    """Return twelve digits of a commit, and the `+` of a changed checkout."""
    return commit[:12] + "+" * commit.endswith("+")


def by_setting(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each setting with its own columns and those that belong to no setting."""
    for setting in dict.fromkeys(name for name, _ in frame.columns if name):
        yield setting, frame.loc[:, [name in ("", setting) for name, _ in frame.columns]].droplevel(0, axis=1)


def _key(arm: Arm) -> tuple[str, str]:
    return arm.setting, arm.method


def final_records(arm: Arm, records: Mapping[str, Record]) -> list[Record]:
    """Return the records of the arm's final runs, failed ones included."""
    point = None if arm.declined else choose(arm, records)
    return [] if point is None else [records[s.digest] for s in arm.finals(point) if s.digest in records]


def _no_choice(arm: Arm, records: Mapping[str, Record]) -> str:
    """Return why there is nothing to choose from, a search of which every run failed; empty where there is."""
    found = search_records(arm, records)
    failed = [record for record in found if record is not None and record.status != "ok"]
    if not failed or len(failed) < len(found):
        return ""
    return f"all {len(failed)} search runs {failed[0].status}, {failed[0].reason}"


def _lost_trials(arm: Arm, records: Mapping[str, Record], marks: "_Marks") -> str:
    """Return the mark of what is said of search runs without a result; empty where all have one, or none."""
    if arm.declined or _no_choice(arm, records):
        return ""
    found = counts(search_records(arm, records), arm.trials, "search runs")
    return marks.mark(f"{arm.method} in {arm.setting}: {found}") if found else ""


class _Marks:
    """Footnotes in order of their first use."""

    def __init__(self, command: Callable[[Arm], str]) -> None:
        self.command = command
        self._texts: list[str] = []

    def mark(self, text: str) -> str:
        if text not in self._texts:
            self._texts.append(text)
        return f"[{self._texts.index(text) + 1}]"

    def notes(self) -> list[str]:
        return [f"[{number}] {text}" for number, text in enumerate(self._texts, start=1)]


def _results(
    arms: Sequence[Arm],
    finals: Mapping[tuple[str, str], list[Record]],
    records: Mapping[str, Record],
    marks: _Marks,
) -> pd.DataFrame:
    suite = arms[0].suite
    paper = published(suite.name).set_index(["setting", "method", "metric"])
    printed = {(setting, metric) for setting, _, metric in paper.index}
    everything = [record for found in finals.values() for record in found]
    rows: dict[str, dict[tuple[str, str], str]] = {}
    for arm in arms:
        row = rows.setdefault(arm.method, {("", "method"): arm.method})
        for metric in suite.metrics:
            row[arm.setting, metric.name] = _cell(arm, metric, finals[_key(arm)], _no_choice(arm, records), marks)
            if (arm.setting, metric.name) in printed:
                key = (arm.setting, arm.method, metric.name)
                cell = f"{paper.loc[key, 'mean']:.2f} ± {paper.loc[key, 'sem']:.2f}" if key in paper.index else "–"
                row[arm.setting, f"{metric.name} published"] = cell
        steps = [record.timing["step_sec"] for record in finals[_key(arm)] if record.status == "ok"]
        row[arm.setting, "s/step"] = f"{sum(steps) / len(steps):.5f}" if steps else "–"
        if steps and (note := precision.note(finals[_key(arm)], among=everything)):
            row[arm.setting, "s/step"] += f" {marks.mark(note)}"
    for method, row in rows.items():
        trials = dict.fromkeys("–" if arm.declined else budget.trials(arm) for arm in arms if arm.method == method)
        lost = [_lost_trials(arm, records, marks) for arm in arms if arm.method == method]
        row["", "trials"] = " ".join(["/".join(trials), *dict.fromkeys(filter(None, lost))])
    return _frame(rows)


def _frame(rows: Mapping[str, Mapping[tuple[str, str], str]]) -> pd.DataFrame:
    columns = pd.MultiIndex.from_tuples(dict.fromkeys(column for row in rows.values() for column in row))
    return pd.DataFrame([[row.get(column, "–") for column in columns] for row in rows.values()], columns=columns)


def _cell(arm: Arm, metric: Metric, found: Sequence[Record], no_choice: str, marks: _Marks) -> str:
    """Return `mean ± sem`, a dash with a footnote, or `missing` with the command that fills it."""
    if arm.declined:
        return "– " + marks.mark(f"{arm.method} declines: {arm.declined}")
    if no_choice:
        return "failed " + marks.mark(f"{arm.method} in {arm.setting}: {no_choice}")
    values = pd.Series([r.test[metric.name] for r in found if r.status == "ok"], dtype=float)
    failed = [r for r in found if r.status != "ok"]
    note = ""
    if failed:
        reason = f"{failed[0].status}, {failed[0].reason}"
        note = " " + marks.mark(f"{arm.method} in {arm.setting}: {len(failed)} of {arm.seeds} final runs {reason}")
    if len(found) < arm.seeds:
        missing = marks.mark(f"{arm.seeds - len(found)} of {arm.seeds} final runs missing; run: {marks.command(arm)}")
        note += f" {missing}"
    if values.empty:
        return ("failed" if failed else "missing") + note
    scale, digits = (100, 2) if metric.percent else (1, 3)
    mean = f"{scale * values.mean():.{digits}f}"
    return f"{mean} ± {scale * values.sem():.{digits}f}{note}" if len(values) > 1 else f"{mean}{note}"


def _weights(arms: Sequence[Arm], finals: Mapping[tuple[str, str], list[Record]]) -> pd.DataFrame | None:
    """Return the weight of each task in the last epoch, mean over the final runs."""
    rows: dict[str, dict[tuple[str, str], str]] = {}
    for arm in arms:
        found = [r for r in finals[_key(arm)] if r.status == "ok"]
        if found and len(found[0].tasks) <= MOST_TASKS_SHOWN:
            mean = pd.DataFrame([r.epochs[-1]["weight"] for r in found]).mean()
            row = rows.setdefault(arm.method, {("", "method"): arm.method})
            row |= {(arm.setting, task): f"{value:.3f}" for task, value in zip(found[0].tasks, mean, strict=True)}
    return _frame(rows) if rows else None


def _numbers(arms: Sequence[Arm], finals: Mapping[tuple[str, str], list[Record]]) -> pd.DataFrame:
    """Return mean, spread and count of each metric, a row a setting, method and metric."""
    rows = [
        {
            "suite": called(record.spec.suite, record.spec.data),
            "setting": arm.setting,
            "method": arm.method,
            "seed": record.spec.seed,
            "step_sec": record.timing["step_sec"],
            **record.test,
        }
        for arm in arms
        for record in finals[_key(arm)]
        if record.status == "ok"
    ]
    keys = ["suite", "setting", "method"]
    statistics = ["count", "mean", "sem", "std", "min", "median", "max"]
    names = [metric.name for metric in arms[0].suite.metrics]
    if not rows:
        return pd.DataFrame(columns=pd.Index([*keys, "metric", *statistics]))
    long = pd.DataFrame(rows).melt(keys, [*names, "step_sec"], var_name="metric")
    return long.groupby([*keys, "metric"], sort=False)["value"].agg(statistics).reset_index()


def markdown(frame: pd.DataFrame) -> str:
    """Return a pipe table; a column's setting stands before its metric."""
    flat = frame.set_axis(
        [column if isinstance(column, str) else " ".join(filter(None, column)) for column in frame], axis=1
    )
    return flat.to_markdown(index=False, disable_numparse=True)


def text_table(frame: pd.DataFrame) -> str:
    """Return a pipe table as `markdown` does, of names and numbers that are text to the last character."""
    columns = [literal(column) if isinstance(column, str) else tuple(map(literal, column)) for column in frame]
    return markdown(frame.map(_literal).set_axis(columns, axis=1))


def _literal(cell: object) -> object:
    return literal(cell) if isinstance(cell, str) else cell


def latex(table: Table) -> str:
    """Return a booktabs table with the settings above their metrics, text escaped and notes as comments."""
    body = table.results.map(_escape).rename(columns=_escape)
    text = body.to_latex(index=False, escape=False, column_format="l" + "r" * (len(body.columns) - 1))
    notes = "".join(f"% {note}\n" for note in table.notes)
    title = _escape(f"Results of suite {table.suite}. {table.caption}")
    return f"{notes}\\begin{{table}}\n\\caption{{{title}}}\n{text}\\end{{table}}\n"


def _escape(text: str) -> str:
    """Return `text` with LaTeX's special characters escaped."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {"±": r"$\pm$", "–": "--", **{char: f"\\{char}" for char in "%_&#${}"}}
    return "".join(special.get(char, char) for char in text)
