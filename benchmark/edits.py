"""Records that were edited by hand: what tables and figures read has to be there and to be what a run writes."""

import sys
from collections.abc import Collection, Mapping
from typing import Any, get_args

from benchmark.spec import Phase, Pruner, Sampler, Search, Spec
from benchmark.text import is_plain


def check_results(values: Mapping[str, Any], spec: Spec) -> None:
    """Refuse the JSON values of a record that lack what is read from them.

    Raises:
        ValueError: A part is missing or is not what a run writes; its text says which.
    """
    for name in ("reason", "finished"):
        if not isinstance(values.get(name, ""), str):
            raise ValueError(f"{name} is no text")
    attempts = values.get("attempts", 1)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        raise ValueError("attempts is no whole number from 1")
    measured = values.get("selected", {}).get("validation", {})
    for name in (spec.suite, spec.setting, spec.method, *values.get("tasks", ()), *measured, *values.get("test", {})):
        if not (isinstance(name, str) and is_plain(name)):
            raise ValueError(f"{name!r} is no name: it is not one line of visible text")
    if spec.search is not None:
        _check_search(spec.search, phase=spec.phase)
    if values["status"] == "pruned" and not (values["epochs"] and values["selected"]["validation"]):
        raise ValueError("a pruned trial without an epoch")
    if values["status"] == "ok":
        _check_success(values, final=spec.phase == "final")


def _check_search(search: Search, *, phase: Phase) -> None:
    if search.sampler not in get_args(Sampler) or search.pruner not in (None, *get_args(Pruner)):
        raise ValueError("the search has no known sampler or pruner")
    if not (isinstance(search.space, str) and is_plain(search.space)):
        raise ValueError("the search has no digest of its space")
    numbers = {"trial": (search.trial, 0), "number of trials": (search.trials, 0), "seed": (search.seed, 0)}
    for name, (number, least) in numbers.items():
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < least):
            raise ValueError(f"the {name} of the search is no whole number from {least}")
    if (search.trial is None, search.trials is None) != (phase == "final", phase == "search"):
        raise ValueError("a search run has the number of its trial, and a final run that of all trials")


def _check_success(values: Mapping[str, Any], *, final: bool) -> None:
    validation, test, tasks = values["selected"]["validation"], values["test"], values["tasks"]
    times, memory = values["timing"], values.get("memory", {})
    _check_numbers("a result", [*validation.values(), *test.values()])
    _check_numbers("timing", [times["step_sec"], *times.values()])
    _check_numbers("memory", memory.values())
    if not validation or bool(test) != final:
        raise ValueError("results are missing")
    if not isinstance(tasks, list | tuple) or not tasks:
        raise ValueError("there are no tasks")
    if not values["epochs"]:
        raise ValueError("there are no epochs")
    for row in values["epochs"]:
        _check_numbers("validation of an epoch", row["validation"].values())
        if not validation.keys() <= row["validation"].keys():
            raise ValueError("an epoch lacks a validation metric")
        for name in ("loss", "weight"):
            if not isinstance(row[name], list | tuple) or len(row[name]) != len(tasks):
                raise ValueError(f"an epoch has not one {name} a task")
            _check_numbers(f"{name} of an epoch", [number for number in row[name] if number is not None])


def _check_numbers(what: str, numbers: Collection[Any]) -> None:
    kinds = set(map(type, numbers))  # few, where the numbers are many
    known = bool not in kinds and all(issubclass(kind, int | float) for kind in kinds)
    if not known or not max(map(abs, numbers), default=0) <= sys.float_info.max:
        raise ValueError(f"{what} is not a number that a run writes")
