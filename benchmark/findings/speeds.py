"""What the harness costs, from the committed measurements."""

from collections.abc import Sequence
from pathlib import Path

from benchmark.findings.runs import RESULTS
from benchmark.markdown import markdown
from benchmark.speed import data as data_speed
from benchmark.speed import hypergradient, rows, suite_costs
from benchmark.speed import images as pictures
from benchmark.speed import layout as layouts
from benchmark.speed import overhead as harness
from benchmark.speed import scale as scaling
from benchmark.speed.hours import hours_of_tables, one_setting
from benchmark.speed.measurement import Measurement

TABLE = "cub"
"""Suite of the paper's Table 1."""


def newest(path: Path, kind: type[rows.AnyRow]) -> list[rows.AnyRow]:
    """Return the rows of a file that the machine made which measured last."""
    return rows.newest(rows.read(path, kind))


def data(folder: Path = RESULTS) -> str:
    """Return how fast inputs come from data decoded once, against a loader of the original files."""
    found = max(newest(folder / data_speed.FILE, data_speed.Speed), key=lambda row: row.images)
    return (
        f"> {found.ours:,.0f} against {found.loader:,.0f} images a second, median ratio {found.ratio:.0f} "
        f"({found.lowest:.0f} to {found.highest:.0f} in {found.turns} turns); one thread against {found.workers} "
        f"workers, {found.images} drawn files of CUB's size; {found.origin}. Decoding once, "
        f"{found.decoding:,.0f} images a second, is not in it and has paid off after {found.epochs_to_pay:.1f} epochs"
    )


def scale(folder: Path = RESULTS) -> str:
    """Return what two workers gain, what a campaign costs and how long a worker takes to start."""
    found = {row.what: row for row in newest(folder / scaling.FILE, Measurement)}
    ratio, cells = found["ratio of two workers to one"], found["empty cells a second"]
    memory, share = found["peak memory of the driver, MB"], found["share of checkpoints in a run's time, %"]
    start = found["seconds to start 1 worker"]
    return (
        f"> two workers make {ratio.value:.2f} times the runs of one ({ratio.lowest:.2f} to {ratio.highest:.2f} in "
        f"{ratio.turns} turns; {ratio.detail}); {cells.value:.0f} empty cells a second, with {memory.value:.0f} MB of "
        f"the driver ({cells.detail}); checkpoints ({share.detail}) take {share.value:.2f} % of a run's time; a worker "
        f"is ready after {start.value:.1f} s. {ratio.cores} cores, load average {ratio.load:.1f} to {share.load:.1f}, "
        f"{ratio.origin}"
    )


def overhead(folder: Path = RESULTS) -> str:
    """Return what an epoch through the harness takes against a bare loop."""
    found = {row.what: row for row in newest(folder / harness.FILE, Measurement)}
    ratio = found["ratio of harness to bare loop"]
    low, high = (found[f"ratio of harness to bare loop, {end} quartile"].value for end in ("lower", "upper"))
    return (
        f"> harness {found['harness, ms'].value:.2f} ms, bare loop {found['bare loop, ms'].value:.2f} ms, median ratio "
        f"{ratio.value:.3f} (quartiles {low:.3f} and {high:.3f}, {ratio.turns} pairs); {ratio.detail}; load average "
        f"{ratio.load:.1f}, {ratio.origin}"
    )


def layout(folder: Path = RESULTS) -> str:
    """Return what channels first in memory take to channels last."""
    found = newest(folder / layouts.FILE, Measurement)
    told = [f"{row.what.partition(', ')[2]} {row.value:.2f} ({row.detail})" for row in found]
    return (
        f"> channels first take to channels last, median of {found[0].turns} turns: {'; '.join(told)}; load average "
        f"{found[0].load:.1f}, {rows.origins(found)}"
    )


def images(folder: Path = RESULTS) -> str:
    """Return images a second of training steps of ResNet-18 at 224 px, against a bare loop and the device's limit."""
    measured = rows.read(folder / pictures.FILE, Measurement)
    told = []
    for precision in sorted({row.what.rpartition(", ")[2] for row in measured}):  # of CUDA before that of the CPU
        found = rows.newest([row for row in measured if row.what.endswith(f", {precision}")])
        kinds = dict.fromkeys(row.what.partition(", batch ")[2] for row in found)
        parts = "; ".join(_rates(found, kind) for kind in sorted(kinds, key=lambda kind: int(kind.split(",")[0])))
        loads = " to ".join(dict.fromkeys(f"{pick(row.load for row in found):.1f}" for pick in (min, max)))
        told.append(f"> {parts}; load average {loads}, {rows.origins(found)}")
    return "\n>\n".join(told)


def _count(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _rates(found: Sequence[Measurement], kind: str) -> str:
    ours, ratio, share = (
        next(row for row in found if row.what == f"{what}, batch {kind}")
        for what in ("images/s, harness", "ratio of harness to bare loop", "share of the limit, harness")
    )
    return (
        f"batch {kind}: {_count(ours.value)} images a second, {ratio.value:.2f} of the bare loop's ({ratio.lowest:.2f} "
        f"to {ratio.highest:.2f} in {ratio.turns} turns) and {share.value:.2f} of the limit ({share.lowest:.2f} to "
        f"{share.highest:.2f})"
    )


def hours(folder: Path = RESULTS) -> str:
    """Return how long each of the paper's tables takes."""
    return hours_of_tables(rows.read(folder / suite_costs.FILE, suite_costs.SuiteCost))


def one_table(folder: Path = RESULTS) -> str:
    """Return how long the final runs of one setting of the paper's Table 1 take on the GPU that measured last."""
    costs = rows.read(folder / suite_costs.FILE, suite_costs.SuiteCost)
    found = rows.newest([cost for cost in costs if (cost.suite, cost.kind) == (TABLE, "cuda")])
    return one_setting(TABLE, found)


def outer_steps(folder: Path = RESULTS) -> str:
    """Return what outer steps of AuxiLearn cost."""
    found = newest(folder / hypergradient.FILE, hypergradient.OuterStep)
    return f"{markdown(hypergradient.table(found))}\n\n{hypergradient.caption(found)}"
