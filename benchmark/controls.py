"""Controls: auxiliary tasks that say nothing of the input, which a good method learns to ignore."""

import copy
import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmark import seeds
from benchmark.data import Data
from benchmark.errors import UserError
from benchmark.spec import ordered
from benchmark.suite import Suite
from benchmark.tasks import UNLABELLED, Binary, Classification, Regression, TaskGroup

PREFIX = "control: "
"""What the names of controls among the tasks begin with."""


def is_control(task: str) -> bool:
    """Return whether a task, by its name, is a control."""
    return task.startswith(PREFIX)


def extend(suite: Suite, controls: Iterable[str]) -> Suite:
    """Return the suite with one more task group for each control; the suite itself if it has these already.

    A control is a task of the main one's kind. `shuffled` gives main labels to random samples, `noise` draws its
    targets. Every training and auxiliary sample has one, the same in every epoch, that follows from suite, setting
    and seed; validation and test samples have none.

    Raises:
        UserError: The suite cannot have controls.
        ValueError: There is no control of that name, or the suite has others already.
    """
    names = ordered(controls)
    if names == suite.controls:
        return suite
    if suite.controls:
        raise ValueError(f"suite {suite.name!r} has controls already: {', '.join(suite.controls)}")
    for setting in suite.settings:
        main = None if suite.declines_controls else suite.groups_of(setting)[0]
        if not isinstance(main, Classification | Binary | Regression):
            reason = suite.declines_controls or f"there are none for a main task in a group of {type(main).__name__}"
            raise UserError(f"suite {suite.name!r} takes no controls: {reason}")

    def added(setting: str) -> dict[str, TaskGroup]:
        return {name: _like(suite.groups_of(setting)[0], f"{PREFIX}{name}") for name in names}

    def groups_of(setting: str) -> Sequence[TaskGroup]:
        return (*suite.groups_of(setting), *added(setting).values())

    def task_groups_of(setting: str) -> Sequence[int] | None:
        numbers = suite.task_groups_of(setting)
        return None if numbers is None else (*numbers, *range(max(numbers) + 1, max(numbers) + 1 + len(names)))

    def data(setting: str, seed: int) -> Data:
        given = suite.data(setting, seed)
        targets = list(given.samples.targets)
        for name, group in added(setting).items():
            stream = seeds.generator(suite.name, setting, seed, f"{PREFIX}{name}")
            targets.append(_targets(given, name, group, stream))
        return dataclasses.replace(given, samples=given.samples._replace(targets=tuple(targets)))

    extended = copy.copy(suite)
    extended.controls, extended.groups_of, extended.task_groups_of, extended.data = (
        names,
        groups_of,
        task_groups_of,
        data,
    )
    return extended


def phrase(controls: Sequence[str]) -> str:
    """Return `, with the controls shuffled and noise`, or nothing where there are none."""
    return f", with the control{'s' * (len(controls) > 1)} {' and '.join(controls)}" if controls else ""


def _like(group: Any, name: str) -> TaskGroup:
    """Return a group whose only task, of that name, is as the first of `group`."""
    if isinstance(group, Classification):
        return dataclasses.replace(group, classes={name: next(iter(group.classes.values()))})
    return dataclasses.replace(group, names=(name,))


def _targets(data: Data, control: str, group: TaskGroup, generator: torch.Generator) -> Tensor:
    """Return the targets of a control, (N, 1, ...) as the main task's; only labels that training sees are read."""
    main = data.samples.targets[0][:, :1]
    seen = torch.cat([data.train, data.auxiliary])
    targets = torch.full_like(main, math.nan if main.is_floating_point() else UNLABELLED)
    if control == "noise":
        targets[seen] = _noise(group, main[seen].shape, generator).to(main.dtype)
    else:
        labels = main[seen]
        labels = labels[group.labelled(labels).flatten(1).any(1)]
        targets[seen] = labels[_draws(len(labels), len(seen), generator)]
    return targets


def _noise(group: TaskGroup, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Return standard normal numbers for a regression, else classes, each as likely."""
    if group.kind == "regression":
        return torch.randn(shape, generator=generator)
    classes = group.outputs if isinstance(group, Classification) else 2
    return torch.randint(classes, shape, generator=generator)


def _draws(labels: int, samples: int, generator: torch.Generator) -> Tensor:
    """Return the index of a random label for each sample, (samples,); each label is drawn as often, or once more."""
    rounds = math.ceil(samples / labels)
    return torch.cat([torch.randperm(labels, generator=generator) for _ in range(rounds)])[:samples]
