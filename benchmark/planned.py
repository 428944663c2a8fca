"""What commands asked for, a line each beside the records, so that a report shows the plans that were run."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from benchmark.arm import Arm
from benchmark.conditions import Conditions
from benchmark.errors import UserError
from benchmark.plan import Options
from benchmark.record import cut_torn_line
from benchmark.spec import CONTROLS, PROTOCOL, AskedPrecision, Pruner, Sampler, Search
from benchmark.text import is_plain

PLANS = "plans.jsonl"
"""Lies beside the records."""


@dataclass(frozen=True)
class Planned:
    """What one command asked for, as far as its runs depend on it.

    Attributes:
        suite: Name of the suite.
        data: Fingerprint of its data, as specs have it.
        methods: Those of the command in each of its settings, in its order.
        declined: Why methods cannot serve a setting, by setting and method; those that can are left out.
        controls: Control tasks added to the suite's own.
        seeds: Number of final runs.
        epochs: Length of training.
        precision: Of training steps.
        values: Values given to hyper-parameters as text, by `name` or `method.name`.
        trials: Number of trials of every method; None for whole grids.
        sampler: What proposes the trials.
        sampler_seed: Its seed.
        pruner: Rule by which hopeless trials end early; None for none.
        protocol: Version of what runs do, see `benchmark.spec.PROTOCOL`.
    """

    suite: str
    data: str
    methods: Mapping[str, tuple[str, ...]]
    declined: Mapping[str, Mapping[str, str]]
    controls: tuple[str, ...]
    seeds: int
    epochs: int
    precision: AskedPrecision
    values: Mapping[str, tuple[str, ...]]
    trials: int | None
    sampler: Sampler
    sampler_seed: int
    pruner: Pruner | None
    protocol: int = PROTOCOL

    @property
    def conditions(self) -> Conditions:
        """What all its runs share."""
        search = None if self.trials is None else Search(self.sampler, "", pruner=self.pruner, seed=self.sampler_seed)
        return Conditions(self.data, self.epochs, self.controls, self.precision, search)

    @classmethod
    def of(cls, options: Options, arms: Iterable[Arm]) -> "Planned":
        """Return what a command with such options asks for; `arms` are those that it was resolved to."""
        arms = list(arms)
        first, methods, declined = arms[0], dict[str, tuple[str, ...]](), dict[str, dict[str, str]]()
        for arm in arms:
            methods[arm.setting] = (*methods.get(arm.setting, ()), arm.method)
            if arm.declined:
                declined.setdefault(arm.setting, {})[arm.method] = arm.declined
        return cls(
            suite=first.suite.name,
            data=first.data,
            methods=methods,
            declined=declined,
            controls=first.suite.controls,
            seeds=first.seeds,
            epochs=first.epochs,
            precision=options.precision,
            values=options.values,
            trials=options.trials,
            sampler=options.sampler,
            sampler_seed=options.sampler_seed,
            pruner=options.pruner,
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Planned":
        """Return the plan of a line.

        Raises:
            ValueError: A part is missing or is not what a command writes.
        """
        if not isinstance(values, Mapping) or set(values) != {each.name for each in fields(cls)}:
            raise ValueError("it has other parts than a plan has")
        plan = cls(
            **{
                **values,
                "methods": _words_by_name(values["methods"]),
                "controls": _words(values["controls"]),
                "values": _words_by_name(values["values"], names=False),
            }
        )
        _words([plan.suite, plan.data])
        if not isinstance(plan.declined, dict) or not all(isinstance(each, dict) for each in plan.declined.values()):
            raise ValueError("reasons of methods are not by name")
        _words([text for setting, reasons in plan.declined.items() for text in (setting, *reasons, *reasons.values())])
        numbers = {"seeds": (plan.seeds, 1), "epochs": (plan.epochs, 1), "sampler_seed": (plan.sampler_seed, 0)}
        numbers |= {} if plan.trials is None else {"trials": (plan.trials, 1)}
        for name, (number, least) in {**numbers, "protocol": (plan.protocol, 1)}.items():
            if type(number) is not int or number < least:
                raise ValueError(f"{name} is no whole number from {least}")
        allowed = {"precision": get_args(AskedPrecision), "sampler": get_args(Sampler), "pruner": get_args(Pruner)}
        for name, words in allowed.items():
            if values[name] not in words and not (name == "pruner" and values[name] is None):
                raise ValueError(f"{name} is none of: {', '.join(words)}")
        if not plan.methods or not set(plan.controls) <= set(CONTROLS):
            raise ValueError("it has no methods, or controls that are not known")
        return plan


def _words(values: object, *, names: bool = True) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError("a list of names or values is none")
    if names and not all(map(is_plain, values)):
        raise ValueError("a name is not one line of visible text")
    return tuple(values)


def _words_by_name(values: object, *, names: bool = True) -> dict[str, tuple[str, ...]]:
    if not isinstance(values, dict):
        raise ValueError("methods or values are not by name")
    _words(list(values))
    found = {name: _words(each, names=names) for name, each in values.items()}
    if not all(found.values()):
        raise ValueError("a setting without methods, or a hyper-parameter without values")
    return found


def read_plans(path: Path) -> list[Planned]:
    """Return what commands asked for under this code's protocol, each once; none where there is no such file.

    A torn last line, left by a command that was killed, is passed over.

    Raises:
        UserError: The file or another line cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(
            f"cannot read {path} ({error.strerror}); mend it, move it away or use another --results-dir"
        ) from None
    found: list[Planned] = []
    for number, line in enumerate(data.rpartition(b"\n")[0].splitlines(), start=1):
        try:
            values = json.loads(line)
            if isinstance(values, dict) and type(values.get("protocol")) is int and values["protocol"] != PROTOCOL:
                continue  # has the parts of that one
            plan = Planned.from_json(values)
        except (ValueError, TypeError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: not a plan ({error}); mend or remove that line") from None
        if plan not in found:
            found.append(plan)
    return found


def keep(plan: Planned, folder: Path) -> None:
    """Add a plan to those of a folder that is held for writing, unless it is there.

    Raises:
        UserError: The file cannot be read or written.
    """
    path = folder / PLANS
    if plan in read_plans(path):
        return
    try:
        cut_torn_line(path)
        with path.open("ab") as file:
            file.write(json.dumps(asdict(plan), separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(f"cannot write to {path} ({error.strerror}); use another --results-dir") from None
