"""What the cost of methods is measured for: each at its defaults, on request at other settings, and torchjd itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

import baselines
from auxilearn import GradientWeighting, Method, Problem
from benchmark.hyper import as_text
from benchmark.plugins import load_method
from benchmark.spec import Value
from benchmark.speed import direct

GROUPS = 28
"""Groups of auxiliaries for methods that need every task's gradient: as many as CUB's 312 attributes form."""

OTHER_SETTINGS: Mapping[str, Sequence[Mapping[str, Value]]] = {
    "gcs": ({"variant": "weighted"}, {"gate": "sum"}),
}
"""Settings of a method that change what it costs; for gradient weightings see `GRADIENT_SETTINGS`."""

GRADIENT_SETTINGS: Sequence[Mapping[str, Value]] = ({"space": "representation"}, {"partition": "sum"})


@dataclass(frozen=True)
class Variant:
    """One way to use one method.

    Attributes:
        method: Name of the method.
        settings: Hyper-parameters other than the defaults, sorted by name.
        grouped: Whether the auxiliaries form `GROUPS` groups.
        interface: Interface of torchjd that is used instead of the method, see `direct.INTERFACES`.
    """

    method: str
    settings: tuple[tuple[str, Value], ...] = ()
    grouped: bool = False
    interface: str = ""

    @property
    def label(self) -> str:
        """What tells the variant from the method's others; empty for the defaults."""
        words = [f"{name}={as_text(value)}" for name, value in self.settings]
        words += [f"torchjd {self.interface}"] if self.interface else []
        return ", ".join(words + [f"{GROUPS} groups"] * self.grouped)

    def build(self, problem: Problem) -> Method:
        """Return the method for `problem`, its own parameters initialised by a fixed seed.

        Raises:
            ValueError: It cannot serve the problem; the text says why.
        """
        if self.interface:
            return direct.INTERFACES[self.interface](problem, *direct.AGGREGATORS[self.method])
        found = baselines.load(self.method)
        if reason := found.declines(problem):
            raise ValueError(reason)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            settings: dict[str, Any] = dict(self.settings)
            return found(problem, **settings)


def variants_of(name: str, auxiliaries: int, *, everything: bool) -> list[Variant]:
    """Return the variants of a method to measure; those that need every task's gradient with grouped tasks too.

    Args:
        name: Name of the method.
        auxiliaries: Number of auxiliary tasks; fewer than two a group are not grouped.
        everything: Whether to measure settings beside the defaults, and torchjd used directly.
    """
    weighs_gradients = issubclass(load_method(name), GradientWeighting)
    grouped = weighs_gradients and auxiliaries >= 2 * GROUPS
    found = [Variant(name), *([Variant(name, grouped=True)] if grouped else [])]
    if everything:
        settings = [*OTHER_SETTINGS.get(name, ()), *(GRADIENT_SETTINGS if weighs_gradients else ())]
        found += [Variant(name, tuple(sorted(chosen.items()))) for chosen in settings]
        interfaces = direct.INTERFACES if name in direct.AGGREGATORS else ()
        found += [Variant(name, grouped=grouped, interface=interface) for interface in interfaces]
    return found
