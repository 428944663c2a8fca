"""The part of a page about network, optimiser, budget and grid."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from benchmark.markdown import escaped
from benchmark.pages.facts import Facts, Network
from benchmark.suite import Suite

PRETRAINED = {"imagenet": "ImageNet weights; `--weights none` or a file for others", "none": "random weights"}


def training(facts: Facts) -> Mapping[str, str]:
    """Return the rows about network, optimiser, budget and grid."""
    suite = facts.suite
    arms = [arm for arm in facts.arms if not arm.declined]
    runs = dict.fromkeys(f"`{arm.method}` {arm.trials} + {arm.seeds}" for arm in arms)
    sizes = _network_sizes(facts.networks)
    schedule = suite.schedule(_optimizer(suite), epochs=suite.epochs)
    batch = "the whole training set" if suite.batch_size is None else f"{suite.batch_size} samples"
    per_epoch = "one pass over the training set" if suite.steps_per_epoch is None else f"{suite.steps_per_epoch} steps"
    return {
        "network": escaped(_network_text(suite)),
        "size": escaped("; ".join(sizes)) + ("" if facts.complete else ", on the drawn SAMPLE"),
        **({"starts from": PRETRAINED[suite.pretrained]} if suite.pretrained else {}),
        "optimiser": _optimizer_text(suite),
        "schedule": "constant" if schedule is None else _returned(suite.schedule),
        "length": f"{suite.epochs} epochs of {per_epoch}; the {suite.selected_epoch} one counts",
        "batch": batch,
        "grid": "; ".join(f"{name} in {_values(values)}" for name, values in suite.grid.items()),
        "further hyper-parameters": "; ".join(
            f"`{name}` {_values(value if isinstance(value, tuple) else (value,))}"
            for name, value in suite.defaults.items()
        )
        or "each method's own",
        "trials + final runs a setting": ", ".join(runs),
        "runs of the default command": f"{sum(arm.runs for arm in arms):,}",
    }


def _network_text(suite: Suite) -> str:
    """Return what the docstrings of the suite's network say."""
    makers: list[Callable[..., object]] = [suite.model]
    if trunk := getattr(suite, "trunk", None):
        makers.insert(0, trunk)
    return "; ".join(_returned(maker) for maker in makers)


def _network_sizes(networks: Mapping[str, Network]) -> list[str]:
    """Return parameters and work of each network, settings that have the same together."""
    settings: dict[str, list[str]] = {}
    for setting, network in networks.items():
        work = f", {_count(network.multiply_adds)} multiply-adds a sample" if network.multiply_adds else ""
        shape = " x ".join(map(str, network.inputs))
        settings.setdefault(f"{_count(network.parameters)} parameters{work} of {shape}", []).append(setting)
    if len(settings) == 1:
        return list(settings)
    return [f"{text} ({', '.join(names)})" for text, names in settings.items()]


def _count(number: int) -> str:
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:,}"


def _optimizer(suite: Suite) -> torch.optim.Optimizer:
    """Return the suite's optimiser at the first point of its grid, of a model that does not matter."""
    first: dict[str, Any] = {name: values[0] for name, values in suite.grid.items()}
    return suite.optimizer(torch.nn.Linear(1, 1), **first)


def _optimizer_text(suite: Suite) -> str:
    optimizer = _optimizer(suite)
    momentum = optimizer.defaults.get("momentum", 0)
    return type(optimizer).__name__ + (f", momentum {momentum:g}" if momentum else "")


def _values(values: Sequence[object]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _returned(function: Callable[..., object]) -> str:
    """Return what a function returns, by the first line of its docstring."""
    first = inspect.cleandoc(function.__doc__ or "").partition("\n")[0].rstrip(".")
    return re.sub(r"^Return (an? |the )?", "", first)
