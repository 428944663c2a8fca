"""Live display of a campaign: cells done, best score so far, time left."""

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from benchmark.campaign import choose, search_records
from benchmark.plan import Arm
from benchmark.record import Record
from benchmark.text import on_terminal

PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
"""Of every console: names and reasons are text."""

WIDE, BAR = 60, 12
"""Characters of a terminal from which on it has bars and the time that has passed, and of a bar."""

PLAIN_EVERY_SEC = 15.0
"""Seconds between two lines where the output is no terminal."""


class _Words(ProgressColumn):
    """What the best score is of: words, which are cut on a narrow terminal, that numbers stay whole."""

    def render(self, task: Task) -> Text:
        """Return one line."""
        return Text(task.fields["of"], no_wrap=True, overflow="ellipsis")


class Display:
    """One bar a setting, on standard error; plain lines where it is no terminal."""

    def __init__(self, arms: Sequence[Arm], records: Mapping[str, Record]) -> None:
        self._arms = arms
        self._metric = arms[0].suite.selection
        self._console = Console(stderr=True, **PLAIN)
        self._best: dict[str, tuple[float, str]] = {}
        planned = {setting: sum(arm.runs for arm in arms if arm.setting == setting) for setting in self._settings()}
        self._done = dict.fromkeys(planned, 0)
        self._planned = planned
        whole = Column(no_wrap=True)
        wide = self._console.width >= WIDE
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=BAR, table_column=whole)] if wide else []),
            MofNCompleteColumn(table_column=whole),
            *([TimeElapsedColumn(table_column=whole)] if wide else []),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[best]}", markup=False),
            _Words(),
            console=self._console,
            disable=not on_terminal(sys.stderr),
        )
        self._bars: dict[str, TaskID] = {}
        self._paced = self._told = time.monotonic()
        self._paced_made = self._made = 0
        self.slots = 1
        """How many runs are made at once."""
        for arm in arms:
            self._count_recorded(arm, records)
        for setting, total in planned.items():
            best, of = self._best_texts(setting)
            self._bars[setting] = self._progress.add_task(
                setting, total=total, completed=self._done[setting], left="", best=best, of=of
            )

    def _settings(self) -> list[str]:
        return list(dict.fromkeys(arm.setting for arm in self._arms))

    def _count_recorded(self, arm: Arm, records: Mapping[str, Record]) -> None:
        point = choose(arm, records)
        finals = [] if point is None else [records.get(spec.digest) for spec in arm.finals(point)]
        for record in [*search_records(arm, records), *finals]:
            if record is not None:
                self._note(record)

    def _note(self, record: Record) -> None:
        setting = record.spec.setting
        self._done[setting] += 1
        if record.status == "ok":
            value = record.selected["validation"][self._metric.name]
            held, _ = self._best.get(setting, (None, ""))
            if self._metric.improves(value, held):
                self._best[setting] = (value, record.spec.method)

    def _best_texts(self, setting: str) -> tuple[str, str]:
        """Return the best score in a setting and what it is of; empty texts without any."""
        if setting not in self._best:
            return "", ""
        value, method = self._best[setting]
        number = f"{100 * value:.1f}" if self._metric.percent else f"{value:.3g}"
        return f"best {number}", f"({method}, validation {self._metric.name})"

    def done(self, record: Record) -> None:
        """Show one more finished run."""
        self._note(record)
        self._made += 1
        if self._made <= self.slots:  # the first run of each worker waited for it to start
            self._paced, self._paced_made = time.monotonic(), self._made
        setting = record.spec.setting
        left = self._left_text()
        for other, bar in self._bars.items():
            self._progress.update(bar, left=left if other == setting else "")
        best, of = self._best_texts(setting)
        self._progress.update(self._bars[setting], completed=self._done[setting], best=best, of=of)
        if record.status not in ("ok", "pruned"):
            self.say(f"{record.status}: {_where(record)}: {record.reason}")
        if self._progress.disable and time.monotonic() - self._told > PLAIN_EVERY_SEC:
            self._told = time.monotonic()
            made = f"{sum(self._done.values())}/{sum(self._planned.values())} runs"
            self.say(", ".join(filter(None, (made, left, f"{setting}: {best} {of}".rstrip()))))

    def again(self, record: Record, attempt: str) -> None:
        """Say that a run failed and is tried again."""
        self.say(f"{record.status}{attempt}, tried again: {_where(record)}: {record.reason}")

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, soft_wrap=True)

    def _left_text(self) -> str:
        """Return the time left, from the pace so far."""
        remaining = sum(self._planned.values()) - sum(self._done.values())
        if self._made == self._paced_made:
            return ""
        seconds = round((time.monotonic() - self._paced) / (self._made - self._paced_made) * remaining)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def _where(record: Record) -> str:
    """Return which run a record is of."""
    spec = record.spec
    return f"{spec.method} in {spec.setting}, {spec.phase} run {spec.digest}"
