"""The README's table of methods: what each does, needs and costs, and where it is from."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import baselines
from auxilearn import Method
from benchmark.commands import DEFAULT_RESULTS
from benchmark.markdown import ABSENT, escaped, pipe_table
from benchmark.plugins import load_method
from benchmark.speed.costs import FILE, Cost
from benchmark.speed.rows import read
from benchmark.speed.variants import GROUPS, Variant

COSTS = Path(__file__).resolve().parents[1] / DEFAULT_RESULTS / FILE

SHOWN = (12, 312)
"""Numbers of auxiliary tasks whose costs are shown."""

_SOURCE = re.compile(r"\s*\([^()]*\b(?:19|20)\d\d\b[^()]*\)")
_CITATION = re.compile(r"(?P<text>.+), (?P<kind>arXiv|doi|openreview):(?P<number>\S+)")
_ADDRESS = {
    "arXiv": "https://arxiv.org/abs/",
    "doi": "https://doi.org/",
    "openreview": "https://openreview.net/forum?id=",
}


def methods(path: Path = COSTS) -> str:
    """Return the table of all methods, its caption and its notes.

    Args:
        path: File of measured costs.
    """
    cells = _Cells(read(path, Cost))
    rows = []
    for name in baselines.names():
        method = load_method(name)
        row = {
            "method": f"`{name}`",
            "rule": escaped(rule(method)),
            "needs": ", ".join(method.needs) or ABSENT,
            "settings": str(math.prod(len(values) for values in method.search_space.values())),
        }
        row |= {f"cost with {count}": cells.cell(name, count) for count in SHOWN}
        rows.append(row | {"source": source(method)})
    caption = (
        "Needs: beyond the losses of the batch. Settings: size of the method's own grid. Cost with "
        f"{' and '.join(map(str, SHOWN))} auxiliary tasks: time of a training step with its share of an outer step, "
        "and in brackets peak memory beyond model, gradients and optimiser, both as ratio to equal weighting on "
        f"ResNet-18, by `python -m benchmark.speed methods`{cells.origin()}."
    )
    notes = [f"- [{number}] {escaped(note)}" for number, note in enumerate(cells.notes, start=1)]
    return "\n\n".join(filter(None, [pipe_table(rows), caption, "\n".join(notes)]))


def rule(method: type[Method]) -> str:
    """Return the first line of a method's docstring without its source."""
    first = (method.__doc__ or "").strip().partition("\n")[0]
    return _SOURCE.sub("", first).rstrip(".")


def source(method: type[Method]) -> str:
    """Return a method's citations, as links where they end with an identifier."""
    return "; ".join(map(_linked, filter(None, method.citation.split("; ")))) or ABSENT


def _linked(citation: str) -> str:
    found = _CITATION.fullmatch(citation)
    if not found:
        return escaped(citation)
    return f"[{escaped(found['text'])}]({_ADDRESS[found['kind']]}{found['number']})"


class _Cells:
    """Costs as cells of the table, and what their marks and numbers refer to.

    Args:
        costs: Measured costs.
    """

    def __init__(self, costs: Iterable[Cost]) -> None:
        self._costs: Mapping[tuple[int, str, str], Cost] = {cost.key: cost for cost in costs}
        self._shown: list[Cost] = []
        self.notes: list[str] = []

    def cell(self, name: str, auxiliaries: int) -> str:
        """Return time and memory of a method, of grouped tasks where it takes them in no other way."""
        cost = self._costs.get((auxiliaries, name, ""))
        if cost is None:
            return ABSENT
        if cost.mean_step is not None:
            return self._numbers(cost)
        grouped = self._costs.get((auxiliaries, name, Variant(name, grouped=True).label))
        if grouped is None or grouped.mean_step is None:
            return f"{ABSENT} {self._mark(cost.note)}"
        return f"{self._numbers(grouped)} {self._mark(f'auxiliaries in {GROUPS} groups; apart: {cost.note}')}"

    def origin(self) -> str:
        """Return where the shown numbers were measured; empty where there are none."""
        methods: dict[str, list[str]] = {}
        for cost in self._shown:
            methods.setdefault(cost.origin, []).append(cost.method)
        if not methods:
            return ""
        usual, *others = sorted(methods, key=lambda where: -len(methods[where]))
        apart = (f"{', '.join(f'`{name}`' for name in dict.fromkeys(methods[where]))}: {where}" for where in others)
        return "".join(f"; {text}" for text in (usual, *apart))

    def _numbers(self, cost: Cost) -> str:
        self._shown.append(cost)
        return f"{_short(cost.mean_step)} ({_short(cost.peak_memory)})"

    def _mark(self, note: str) -> str:
        if note not in self.notes:
            self.notes.append(note)
        return f"[{self.notes.index(note) + 1}]"


def _short(value: float | None) -> str:
    """Return a ratio with two decimals, fewer from 10 and from 100 on."""
    if value is None:
        return ABSENT
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
