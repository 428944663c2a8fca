"""Labels of samples as captions."""

import textwrap
from collections.abc import Sequence

from torch import Tensor

from benchmark.suite import Suite
from benchmark.tasks import UNLABELLED, Binary, Classification, TaskGroup

CHARACTERS_PER_INCH = 17.0
"""Of a caption."""

MOST_ATTRIBUTES = 3
"""Attributes of a sample that are named: those present that the fewest other samples have."""

HARD_SPACE = "\u00a0"
"""Where a line must not break."""

NO_CLASS = ((), ("unlabelled",))
"""What may follow the names of all classes."""

MAIN_TASK = "main"
"""Name of a main task that has no other."""

MAIN_ARRAY = "label"


def captions(
    suite: Suite, groups: Sequence[TaskGroup], targets: Sequence[Tensor], everything: Sequence[Tensor], *, inches: float
) -> list[str]:
    """Return the labels of samples in words, the main task in the first line.

    Args:
        suite: The suite, whose data sets name their classes.
        groups: Its task groups.
        targets: Labels of the samples, (B, tasks) a group.
        everything: Labels of all samples, (N, tasks) a group.
        inches: Width of a caption.
    """
    found = []
    for row in range(len(targets[0])):
        words: list[str] = []
        for number, group in enumerate(groups):
            words += _words(suite, group, targets[number][row], everything[number], main=number == 0)
        first, *others = (word.replace(" ", HARD_SPACE) for word in words)
        width = int(inches * CHARACTERS_PER_INCH)
        lines = [first, *textwrap.wrap(", ".join(others), width, break_long_words=False)]
        found.append("\n".join(textwrap.fill(line.replace(HARD_SPACE, " "), width + 2) for line in lines))
    return found


def class_names(suite: Suite, task: str, count: int, *, main: bool) -> Sequence[str]:
    """Return the names of a task's classes as the suite's data sets have them, else their numbers."""
    known = [found for dataset in suite.datasets for found in suite.prepared(dataset).names.items()]
    for array, names in known:
        if (
            names[count:] in NO_CLASS
            and len(names) >= count
            and (array == task or (main and array.startswith(MAIN_ARRAY)))
        ):
            return [_spoken(name) for name in names[:count]]
    return [str(number) for number in range(count)]


def _words(suite: Suite, group: TaskGroup, target: Tensor, everything: Tensor, *, main: bool) -> list[str]:
    """Return the labels of one sample in a group, (tasks,); what is not labelled is left out."""
    if isinstance(group, Classification):
        words = []
        for number, (task, count) in enumerate(group.classes.items()):
            label, first = int(target[number]), main and number == 0
            names = class_names(suite, task, count, main=first)
            if label != UNLABELLED:
                bare = first and not names[label].isdecimal()
                spoken = "class" if task == MAIN_TASK else _spoken(task)
                words.append(names[label] if bare else f"{spoken} {names[label]}")
        return words
    if isinstance(group, Binary):
        rarity = everything.nan_to_num().mean(0)
        present = sorted((float(rarity[task]), task) for task in range(len(group.names)) if target[task] == 1)
        return [_spoken(group.names[task]) for _, task in present[:MOST_ATTRIBUTES]]
    return [f"{_spoken(name)} {value:.2g}" for name, value in zip(group.names, target.tolist(), strict=True)]


def _spoken(name: str) -> str:
    """Return a name of a file in words: `has_wing_color::grey` is `wing color: grey`."""
    number, _, rest = name.partition(".")
    kept = rest if rest and number.isdecimal() else name
    return kept.removeprefix("has_").replace("::", ": ").replace("_", " ").strip()
