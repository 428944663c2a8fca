"""Captions and provenance of tables: SAMPLE, other weights, selection rule, runs, protocol, precision, machines."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmark import budget, precision
from benchmark.arm import Arm
from benchmark.controls import phrase
from benchmark.dataset import INCOMPLETE
from benchmark.record import Record
from benchmark.spec import is_sample, other_weights
from benchmark.tables import grid_ends
from benchmark.tables.data import Provenance

_MEMORY = (
    "MiB: peak memory, allocated on a CUDA device; on the CPU that of the worker since its start, earlier runs too, "
    "which does not compare."
)

SAMPLE_CAPTION = "SAMPLE: drawn data and a short training, which show that everything runs and are no result. "


def caption(arms: Sequence[Arm], found: Sequence[Record], records: Mapping[str, Record]) -> str:
    """Return how the numbers of a table came about.

    Args:
        arms: The table's, of one suite and one plan.
        found: Records of their final runs.
        records: All records by digest, those of their searches among them.
    """
    suite, arm, come = arms[0].suite, arms[0], provenance(arms, found)
    code = f", code of commit {', '.join(come.commits)}" if come.commits else ""
    times = f"Times measured on: {', '.join(come.devices)}. {_MEMORY}" if come.devices else ""
    return (
        f"{SAMPLE_CAPTION if is_sample(arm.data) else ''}"
        f"{_weights_caption(other_weights(arm.data))}"
        f"{_incomplete(found)}"
        f"{_runs(arms, found)}, "
        f"{arm.epochs} epoch{'s' * (arm.epochs != 1)}"
        f"{phrase(suite.controls)}; "
        f"{_selection(arms)}; test set evaluated once a run. "
        f"Protocol {come.protocol}{budget.phrase(arms)}{code}. "
        f"{precision.phrase(found)}{times}"
        f"{grid_ends.phrase(arms, records)}"
    ).rstrip()


def provenance(arms: Sequence[Arm], found: Iterable[Record]) -> Provenance:
    """Return where the numbers of a table come from."""
    about = [record.environment for record in found if record.environment]
    return Provenance(
        protocol=arms[0].spec({}).protocol,
        commits=tuple(sorted({_short(each.get("commit", "unknown")) for each in about})),
        devices=tuple(sorted({each.get("device", "unknown") for each in about})),
        torch=tuple(sorted({str(each["torch"]) for each in about if "torch" in each})),
        finished=max((record.finished[:10] for record in found), default=""),
    )


def _selection(arms: Sequence[Arm]) -> str:
    """Return which epoch counts, and what validation selects; without any search there is no more than the epoch."""
    suite = arms[0].suite
    selected = ["epoch"] * (suite.selected_epoch != "last") + ["hyper-parameters"] * any(arm.trials for arm in arms)
    last = ["the last epoch counts"] * (suite.selected_epoch == "last")
    by = [f"{' and '.join(selected)} selected by validation {suite.selection.name}"] if selected else []
    return ", ".join([*last, *by])


def _runs(arms: Sequence[Arm], found: Iterable[Record]) -> str:
    """Return over how many runs a method's means are, where no method has all of them the most there are."""
    good = Counter((record.spec.setting, record.spec.method) for record in found if record.status == "ok")
    served = [arm for arm in arms if not arm.declined] or arms
    most, planned = max(good.values(), default=0), max(arm.seeds for arm in served)
    if any(arm.seeds != planned for arm in served):
        return f"Mean ± standard error (ddof 1) over final runs with new seeds ({_numbers_of_runs(served)})"
    if planned == 1:
        return "One final run with a new seed, without a standard error"
    present = f"{most} of " * (0 < most < planned)
    return f"Mean ± standard error (ddof 1) over {present}{planned} final runs with new seeds"


def _numbers_of_runs(arms: Sequence[Arm]) -> str:
    """Return how many final runs each method has where these differ, with the setting where those of one do."""
    numbers: dict[str, set[int]] = {}
    for arm in arms:
        numbers.setdefault(arm.method, set()).add(arm.seeds)
    names: dict[int, dict[str, None]] = {}
    for arm in arms:
        name = arm.method if len(numbers[arm.method]) == 1 else f"{arm.method} ({arm.setting})"
        names.setdefault(arm.seeds, {})[name] = None
    return "; ".join(f"{seeds} of {', '.join(those)}" for seeds, those in sorted(names.items()))


def _incomplete(found: Iterable[Record]) -> str:
    """Return which data sets were not the complete release, where records say so."""
    lacks = sorted({str(record.environment["incomplete"]) for record in found if "incomplete" in record.environment})
    return f"{INCOMPLETE.capitalize()}: {'; or '.join(lacks)}. " if lacks else ""


def _weights_caption(name: str | None) -> str:
    """Return what stands first in the caption where the network did not start from the suite's own weights."""
    start = {None: "", "none": "a random start", "imagenet": "ImageNet weights"}.get(name, f"the weights {name}")
    return f"OTHER WEIGHTS: trained from {start}, not the suite's own choice. " if start else ""


def _short(commit: str) -> str:
    """Return twelve digits of a commit, and the `+` of a changed checkout."""
    return commit[:12] + "+" * commit.endswith("+")
