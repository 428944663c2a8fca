"""Static weights on CIFAR-100 with coarse classes: how far a constant gets, and which methods get further."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np

from benchmark import suites
from benchmark.comparison import p_text
from benchmark.findings.coarse import FOLDER, METRIC, STATIC, ratio_of
from benchmark.findings.runs import RESULTS, by_seed, final_runs, listed, origin, paired, percent, records_of, succeeded
from benchmark.markdown import ABSENT, pipe_table
from benchmark.record import Record
from benchmark.statistics import holm

WEIGHTS = RESULTS / "static-weights/cifar100-coarse"
FULL_WEIGHTS = RESULTS / "static-full-length/cifar100-coarse"
FULL, FULL_ALONE = (RESULTS / f"{name}/cifar100-coarse" for name in ("full-length", "full-length-alone"))
SINGLE, EQUAL = "stl", "equal"
CONSTANT = {SINGLE: 0.0, EQUAL: 1.0}
"""Methods that give all auxiliary tasks one constant weight, beside the one that searches it."""


def table(folder: Path = WEIGHTS, reference: Path = FOLDER) -> str:
    """Return the accuracy that each weight of the auxiliary tasks gives, against equal weights, in each setting.

    Args:
        folder: Runs with a weight that was asked for.
        reference: Runs of all methods, those with the weight that a search found among them.
    """
    runs = [*succeeded(final_runs(folder)), *succeeded(final_runs(reference))]
    known = {record.spec.setting for record in final_runs(folder)}
    settings = [setting for setting in suites.load(folder.name).settings if setting in known]
    names = {weight: f" (`{name}`)" for name, weight in CONSTANT.items()}
    lines: dict[float, dict[str, str]] = {}
    for setting in settings:
        for weight, cells in _cells(runs, setting).items():
            lines.setdefault(weight, {"weight": f"{weight:g}{names.get(weight, '')}"}).update(cells)
    columns = dict.fromkeys(column for line in lines.values() for column in line)
    rows = [{column: lines[weight].get(column, ABSENT) for column in columns} for weight in sorted(lines)]
    shown = [record for setting in settings for found in by_weight(runs, setting).values() for record in found]
    caption = (
        f"Test {METRIC} in percent, mean ± standard error of {len({record.spec.seed for record in shown})} final runs; "
        f"differences paired by seed, t-test, Holm's correction for the column. {origin(shown)}."
    )
    told = [said for setting in settings for said in (_above(runs, setting), _others(runs, setting)) if said]
    return "\n\n".join([pipe_table(rows), caption, *told])


def full_length(folder: Path = FULL_WEIGHTS, others: Path = FULL, alone: Path = FULL_ALONE) -> str:
    """Return what constants give with all epochs, each against the first one and against a method that learns weights.

    Args:
        folder: Runs with constants that were asked for.
        others: Has the runs of the first constant.
        alone: Runs of that method.
    """
    (first,) = constants_of(others)
    known = {**constants_of(others), **constants_of(folder)}
    constants = {name: known[name] for name in sorted(known, key=lambda name: ("/" in name, len(name), name))}
    (method,) = {record.spec.method for record in final_runs(alone)}
    scores = {name: by_seed(_finals(found), METRIC) for name, found in constants.items()}
    references = {first: scores[first], f"`{method}`": by_seed(succeeded(final_runs(alone)), METRIC)}
    rows: dict[str, dict[str, str]] = {}
    for name, found in constants.items():
        (rate,) = {dict(record.spec.hyper)["lr"] for record in _finals(found)}
        trials = str(len(found) - len(_finals(found)))
        rows[name] = {"constant": name, "full run": percent(scores[name].values()), "lr": f"{rate}", "trials": trials}
    for reference, theirs in references.items():
        pairs = {name: paired(own, theirs) for name, own in scores.items() if name != reference}
        p_values = dict(zip(pairs, holm([pair.p for pair in pairs.values()]).tolist(), strict=True))
        for name, row in rows.items():
            row[f"less {reference}"] = f"{100 * pairs[name].difference:+.2f}" if name in pairs else ABSENT
            row[f"p (Holm) of {reference}"] = p_text(p_values[name]) if name in pairs else ABSENT
    runs = [record for found in constants.values() for record in _finals(found)]
    (setting,), (seeds,) = {record.spec.setting for record in runs}, {len(found) for found in scores.values()}
    caption = (
        f"{setting}, test {METRIC} in percent, mean ± standard error over {seeds} seeds of final runs; differences "
        f"paired by seed, t-test, Holm's correction for the column. All but {first}: "
        f"{origin(_finals(records_of(folder)))}."
    )
    return f"{pipe_table(list(rows.values()))}\n\n{caption}"


def constants_of(folder: Path) -> dict[str, list[Record]]:
    """Return the runs of the method with static weights, by its weights as a command gives them."""
    found: dict[str, list[Record]] = {}
    for record in records_of(folder):
        if record.spec.method == STATIC:
            hyper = dict(record.spec.hyper)
            weight = float(str(hyper["auxiliary_weight"]))
            name = f"{weight:g}" if hyper["task_weights"] == EQUAL else str(hyper["task_weights"])
            found.setdefault(name, []).append(record)
    return found


def _finals(runs: Iterable[Record]) -> list[Record]:
    return succeeded(record for record in runs if record.spec.phase == "final")


def _cells(runs: Iterable[Record], setting: str) -> dict[float, dict[str, str]]:
    """Return the cells of a setting by weight: the score, and its difference from that of equal weights."""
    scores = {weight: by_seed(found, METRIC) for weight, found in by_weight(runs, setting).items()}
    pairs = {weight: paired(found, scores[1.0]) for weight, found in scores.items() if weight != 1}
    p_values = dict(zip(pairs, holm([pair.p for pair in pairs.values()]).tolist(), strict=True))
    return {
        weight: {
            f"{setting} {METRIC}": percent(found.values()),
            f"{setting} less `{EQUAL}`": f"{100 * pairs[weight].difference:+.2f}" if weight in pairs else ABSENT,
            f"{setting} p (Holm)": p_text(p_values[weight]) if weight in pairs else ABSENT,
        }
        for weight, found in scores.items()
    }


def by_weight(runs: Iterable[Record], setting: str) -> dict[float, list[Record]]:
    """Return the final runs with one constant weight of all auxiliary tasks by this weight, from the smallest."""
    found: dict[float, dict[str, Record]] = {}
    for record in runs:
        if record.spec.setting == setting and (weight := _constant(record)) is not None:
            found.setdefault(weight, {})[record.spec.digest] = record
    return {weight: list(found[weight].values()) for weight in sorted(found)}


def _constant(record: Record) -> float | None:
    """Return the auxiliary tasks' weight; None where it is no constant, or is another method's name for one."""
    if record.spec.method != STATIC:
        return CONSTANT.get(record.spec.method)
    hyper = dict(record.spec.hyper)
    weight = float(str(hyper["auxiliary_weight"]))
    return None if weight in CONSTANT.values() or hyper["task_weights"] != EQUAL else weight


def _others(runs: Sequence[Record], setting: str) -> str:
    """Return what one weight a task gives, against the constant with its ratio of coarse to fine; empty without any."""
    found: dict[tuple[str, float], list[Record]] = {}
    for record in runs:
        hyper = dict(record.spec.hyper)
        if record.spec.setting == setting and hyper.get("task_weights", EQUAL) != EQUAL:
            text = str(hyper["task_weights"])
            fine, coarse, *_ = map(float, text.split("/"))
            ratio = round(float(str(hyper["auxiliary_weight"])) * coarse / fine, 6)
            found.setdefault((text, ratio), []).append(record)
    parts = []
    for (text, ratio), own in found.items():
        scores = by_seed(own, METRIC)
        pair = paired(scores, by_seed(by_weight(runs, setting)[ratio], METRIC))
        less = f"less the constant {ratio:g} {100 * pair.difference:+.2f}"
        parts.append(f"{text} gives {percent(scores.values())}, {less} (paired t-test, p-value {p_text(pair.p)})")
    return f"{setting}, one weight a task, the fine classes' first: {'; '.join(parts)}." if parts else ""


def _above(runs: Sequence[Record], setting: str) -> str:
    """Return which methods have a higher mean than constants with the same ratio of coarse to fine."""
    line = {weight: mean(scores) for weight, scores in constants(runs, setting).items()}
    places = {name: (ratio, mean(scores)) for name, (ratio, scores) in methods(runs, setting).items()}
    low, high = min(line), max(line)
    gains = {name: score - at(line, ratio) for name, (ratio, score) in places.items() if low <= ratio <= high}
    above = sorted((name for name, gain in gains.items() if gain > 0), key=lambda name: -gains[name])
    told = ", ".join(f"`{name}` ({100 * gains[name]:+.1f})" for name in above) or "none"
    beyond = sorted(places.keys() - gains.keys())
    best = max(line.values())
    higher = sorted((name for name, (_, score) in places.items() if score > best), key=lambda name: -places[name][1])
    return (
        f"{setting}: of {len(gains)} methods within the weights tried, a higher mean than constants with their "
        f"ratio of coarse to fine, between two weights by the logarithm: {told}. Outside them: {listed(beyond)}. A "
        f"higher mean than the best constant: {listed(higher)}."
    )


def constants(runs: Iterable[Record], setting: str) -> Mapping[float, list[float]]:
    """Return the scores that each constant weight of the auxiliary tasks above 0 gives."""
    return {weight: _scores(found) for weight, found in by_weight(runs, setting).items() if weight > 0}


def methods(runs: Iterable[Record], setting: str) -> Mapping[str, tuple[float, list[float]]]:
    """Return ratio and scores of each method that uses auxiliary tasks, constant weights apart."""
    found: dict[str, list[Record]] = {}
    for record in runs:
        if record.spec.setting == setting and record.spec.method not in (*CONSTANT, STATIC):
            found.setdefault(record.spec.method, []).append(record)
    ratios = {name: mean(map(ratio_of, own)) for name, own in found.items()}
    return {name: (ratio, _scores(found[name])) for name, ratio in ratios.items()}


def at(line: Mapping[float, float], ratio: float) -> float:
    """Return the value of a line at a ratio, between two of its points by the logarithm."""
    return float(np.interp(np.log(ratio), np.log(list(line)), list(line.values())))


def _scores(runs: Iterable[Record]) -> list[float]:
    return list(by_seed(runs, METRIC).values())
