"""What a suite's page says in numbers, counted by the suite's own code on data of the official size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import torch
from torch.utils.flop_counter import FlopCounterMode

from auxilearn import LabelSource
from benchmark import suites
from benchmark.places import Places
from benchmark.plan import Arm, Options, arms_of
from benchmark.stand_in import FINGERPRINT, full_size
from benchmark.suite import Suite

SEED = 1
"""Of the sets that are counted: a final run's first."""

FLOPS_PER_MULTIPLY_ADD = 2


@dataclass(frozen=True)
class Sizes:
    """Samples of the four sets, and those of the training set that have a main label."""

    train: int
    labelled: int
    auxiliary: int
    validation: int
    test: int


@dataclass(frozen=True)
class Network:
    """Length of a setting's network.

    Attributes:
        parameters: Number of trained parameters.
        multiply_adds: Of a pass forward of one sample.
        inputs: Shape of that sample.
    """

    parameters: int
    multiply_adds: int
    inputs: tuple[int, ...]


@cache
def facts_of(name: str) -> "Facts":
    """Return a suite's numbers, counted once."""
    return Facts(name)


class Facts:
    """A suite's numbers.

    Args:
        name: Name of the suite.

    Attributes:
        complete: Whether they are those of the complete official data; those of a suite for the user's own data are
            of its drawn sample.
    """

    def __init__(self, name: str) -> None:
        found = full_size(name)
        self.name = name
        self.complete = found is not None
        self.suite: Suite = _on_sample(name) if found is None else found

    @cached_property
    def arms(self) -> Sequence[Arm]:
        """The arms of the suite's default command."""
        with self._no_values():
            return arms_of(self.suite, Options(self.name))

    @cached_property
    def sizes(self) -> Mapping[str, Sizes]:
        """Length of the four sets by setting."""
        return {setting: self._sizes(setting) for setting in self.suite.settings}

    @cached_property
    def networks(self) -> Mapping[str, Network]:
        """The network of each setting."""
        return {setting: self._network(setting) for setting in self.suite.settings}

    @cached_property
    def generates_labels(self) -> bool:
        """Whether a setting has an auxiliary task whose labels are learnt."""
        with self._no_values():
            return any(isinstance(self.suite.problem(setting, SEED), LabelSource) for setting in self.suite.settings)

    def _no_values(self) -> torch.device:
        """Return the context in which large networks are made without values; samples, read as they are, have some."""
        return torch.device("meta" if self.complete else "cpu")

    def _sizes(self, setting: str) -> Sizes:
        data = self.suite.data(setting, SEED)
        (main, *_), (target, *_) = self.suite.groups_of(setting), data.samples.targets
        labelled = int(main.labelled(target[data.train])[:, 0].sum()) if target.dim() == 2 else len(data.train)
        return Sizes(len(data.train), labelled, len(data.auxiliary), len(data.validation), len(data.test))

    def _network(self, setting: str) -> Network:
        data = self.suite.data(setting, SEED)
        (batch,) = data.chunks(data.validation[:1])
        with self._no_values():
            model = self.suite.model(setting).to("meta").eval()
            inputs = torch.empty_like(batch.inputs, device="meta")
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(inputs)
        parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        operations = counter.get_total_flops() // FLOPS_PER_MULTIPLY_ADD
        return Network(parameters, operations, tuple(batch.inputs.shape[1:]))

    def steps_per_epoch(self, arm: Arm, *, holds_out: bool) -> int:
        """Return the steps of an epoch; bilevel methods that hold the auxiliary set out train on fewer samples."""
        sizes = self.sizes[arm.setting]
        samples = sizes.train + (0 if holds_out else sizes.auxiliary)
        return self.suite.steps_per_epoch or samples // self.batch(samples)

    def batch(self, samples: int) -> int:
        """Return the length of a batch out of that many samples."""
        return min(self.suite.batch_size or samples, samples)

    def training_flop(self) -> int:
        """Return the floating-point operations of the network alone in all runs of the default command.

        A pass back counts as two forward; what methods do beyond these passes is left out.
        """
        total = 0
        for arm in self.arms:
            sizes, network = self.sizes[arm.setting], self.networks[arm.setting]
            samples = sizes.train + sizes.auxiliary
            trained = self.steps_per_epoch(arm, holds_out=False) * self.batch(samples)
            passes = arm.epochs * (3 * trained + sizes.validation)
            total += FLOPS_PER_MULTIPLY_ADD * network.multiply_adds * arm.runs * passes
            total += FLOPS_PER_MULTIPLY_ADD * network.multiply_adds * (arm.runs and arm.seeds) * sizes.test
        return total


def _on_sample(name: str) -> Suite:
    """Return a suite for the user's own data on its drawn sample, which it takes for such data."""
    suite = suites.load(name, Places(sample=True, weights="none"))
    for dataset in suite.datasets:
        suite.provide(replace(suite.prepared(dataset), sample=False, fingerprint=FINGERPRINT))
    return suite
