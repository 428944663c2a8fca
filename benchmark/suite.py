"""What a suite is: data, splits, network, losses, metrics, budget, grid and published table."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from benchmark import datasets, seeds
from benchmark.acquire import acquire, is_drawn
from benchmark.cache import Prepared
from benchmark.data import Batch, Data
from benchmark.errors import UserError
from benchmark.models import resnet
from benchmark.models.multitask import MultiTask
from benchmark.places import Places
from benchmark.problem import SupervisedProblem
from benchmark.record import Record
from benchmark.spec import SAMPLE, WEIGHTS, Precision, Value
from benchmark.tasks import TaskGroup

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Origin = Literal["table", "summary", "preprint", "code", "other code", "recalled", "ours"]
"""How a choice is known: from an image of the authors' table or figure, the paper's reproducibility summary, their
first preprint, their released code, somebody else's code, from memory of the paper (a named default, not checked), or
not at all, so that it is ours."""


@dataclass(frozen=True)
class Metric:
    """A number that a suite reports.

    Attributes:
        name: Key in records and tables.
        higher_is_better: Direction in which it is good.
        percent: Whether it is a fraction that tables show as a percentage.
        main: Whether it is one of the main task, and not of an auxiliary one.
    """

    name: str
    higher_is_better: bool = True
    percent: bool = True
    main: bool = True

    def improves(self, value: float, held: float | None) -> bool:
        """Return whether `value` is better than the one held, if there is one."""
        return held is None or (value > held if self.higher_is_better else value < held)


class Suite(ABC):
    """Base of all suites; a file in `benchmark/suites/` that defines one subclass is its registration.

    Attributes:
        citation: Where setting and data come from.
        datasets: Names of the data sets (`benchmark/datasets/`) it is made of.
        settings: Names of the settings, such as label fractions; each has its own column in the table.
        default_methods: Methods that run unless others are asked for: those of the paper's table.
        main_task: The main task in a few words.
        auxiliary_tasks: The auxiliary tasks in a few words.
        groups: Task groups; the first task of the first group is the main task. Where they depend on the setting,
            `groups_of` says them.
        controls: Names of the control tasks among them, see `benchmark.controls.extend`.
        declines_controls: Why the suite cannot have control tasks; None if it can.
        metrics: Those of the main task, the first of which selects epochs and hyper-parameters, on validation; then
            those of auxiliary tasks, if there are any, with `main` false.
        grid: Values of the optimiser's hyper-parameters `lr` and `weight_decay` that every method searches.
        defaults: Values of further hyper-parameters, given to every method that has one of that name, or as
            `pattern.name` to methods whose names match; a tuple is searched.
        pretrained: What its ResNet-18 starts from unless others are asked for or data are drawn, `imagenet` or `none`;
            None for networks that take no weights.
        epochs: Length of training.
        sample_epochs: The same on drawn samples, which is about the way and not about the result.
        batch_size: Samples a batch; None for the whole training set.
        evaluation_batch_size: Samples a batch of evaluation.
        held_out_batch_size: Samples of the auxiliary set a batch; None for all of it.
        steps_per_epoch: Optimiser steps an epoch; None for one pass over the training set.
        selected_epoch: Whether the epoch with the `best` validation score counts, or the `last` one.
        final_seeds: Number of final runs of each method.
        precision: Precision of training steps on CUDA devices that compute in it: `bfloat16` pays for networks of
            many convolutions. Elsewhere, and in evaluation, it is float32.
        threads: CPU threads of one run; part of the suite, so that the number of workers cannot move a bit.
        origins: How each choice of the paper's setting is known, by what it is about, such as `network`.
    """

    citation: ClassVar[str]
    main_task: ClassVar[str]
    auxiliary_tasks: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]]
    default_methods: ClassVar[tuple[str, ...]]
    groups: Sequence[TaskGroup]
    controls: tuple[str, ...] = ()
    declines_controls: ClassVar[str | None] = None
    metrics: ClassVar[tuple[Metric, ...]]
    grid: ClassVar[Mapping[str, tuple[Value, ...]]]
    defaults: ClassVar[Mapping[str, Value | tuple[Value, ...]]] = {}
    pretrained: ClassVar[str | None] = None
    epochs: ClassVar[int]
    sample_epochs: ClassVar[int] = 3
    batch_size: ClassVar[int | None]
    evaluation_batch_size: ClassVar[int] = 4096
    held_out_batch_size: ClassVar[int | None] = None
    steps_per_epoch: ClassVar[int | None] = None
    selected_epoch: ClassVar[Literal["best", "last"]] = "best"
    final_seeds: ClassVar[int] = 3
    precision: ClassVar[Precision] = "float32"
    threads: ClassVar[int] = 1
    origins: ClassVar[Mapping[str, Origin]] = {}

    def __init__(self, name: str, places: Places | None = None) -> None:
        self.name = name
        self.places = Places() if places is None else places
        self._prepared: dict[str, Prepared] = {}

    def prepared(self, dataset: str) -> Prepared:
        """Return one of the suite's data sets as memory-mapped tensors; get and decode it first if need be."""
        if dataset not in self._prepared:
            self._prepared[dataset] = acquire(datasets.load(dataset), self.places)
        return self._prepared[dataset]

    def provide(self, prepared: Prepared) -> None:
        """Let the suite use a data set that was made elsewhere."""
        self._prepared[prepared.dataset] = prepared

    def groups_of(self, setting: str) -> Sequence[TaskGroup]:
        """Return the task groups of a setting; may read the data."""
        return self.groups

    def lacks(self, setting: str) -> str | None:
        """Return in one line what the data lack for a setting; None if it can be served. May read the data."""
        return None

    def methods_of(self, setting: str) -> Sequence[str]:
        """Return those of the default methods that are for a setting."""
        return self.default_methods

    def task_groups_of(self, setting: str) -> Sequence[int] | None:
        """Return the number of each task's group for methods that need few; None keeps all apart; may read the data."""
        return None

    @property
    def weights(self) -> str:
        """What the network starts from: what the user asked for, or the suite's choice."""
        return self._own_weights if self.places.weights is None else self.places.weights

    @property
    def other_weights(self) -> str | None:
        """Name of what the network starts from, where that is not the suite's choice."""
        name = resnet.identity(self.weights)
        return None if name == self._own_weights else name

    @property
    def _own_weights(self) -> str:
        drawn = any(is_drawn(datasets.load(name), self.places) for name in self.datasets)
        return "none" if drawn else self.pretrained or "none"

    def check_weights(self) -> None:
        """Try the weights that the network starts from.

        Raises:
            UserError: They cannot be had or are another network's, or the suite's network takes none.
        """
        if self.pretrained is None and self.places.weights is not None:
            raise UserError(f"suite {self.name!r} takes no --weights: its network starts at random")
        if self.weights == "imagenet" and not (self.places.downloads or (place := resnet.imagenet_place()).exists()):
            raise UserError(f"{place} does not hold the ImageNet weights, and --dry-run downloads nothing; a run does")
        if self.weights != "none":
            resnet.resnet18(weights=self.weights)

    def fingerprint(self) -> str:
        """Return a short digest of the suite's data, which becomes part of every run's identity.

        First weights that are not the suite's own choice are part of it.
        """
        found = [self.prepared(name) for name in self.datasets]
        drawn = SAMPLE if any(prepared.sample for prepared in found) else ""
        weights = f"{WEIGHTS}{self.other_weights}" if self.other_weights else ""
        return drawn + "-".join(prepared.fingerprint for prepared in found) + weights

    def shortfall(self) -> str:
        """Return in one line which data sets are not the complete release; empty if all are. Reads the data."""
        lacks = {name: datasets.load(name).shortfall(self.prepared(name)) for name in self.datasets}
        return "; ".join(f"{name}, {lack}" for name, lack in lacks.items() if lack)

    @abstractmethod
    def data(self, setting: str, seed: int) -> Data:
        """Return the samples and their four sets.

        Validation and test sets depend on the suite alone, so that no seed trains on a sample by which another
        is judged; which training samples are labelled or auxiliary may depend on `seed`.
        """

    @abstractmethod
    def model(self, setting: str) -> MultiTask:
        """Return a freshly initialised network, drawn from torch's global generator.

        Images may reach it with their channels last in memory (`benchmark.layout`): let it `flatten` or `reshape` what
        its convolutions return, for `view` raises there.
        """

    @abstractmethod
    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return every metric of the main task over `batches`; the model is in evaluation mode."""

    def look(self, stored: Tensor) -> Tensor:
        """Return stored inputs as they are drawn: images (B, C, H, W), clouds of points (B, 3, P) or numbers (B, D)."""
        return stored

    def figures(self, records: Sequence[Record]) -> "dict[str, Figure]":
        """Return the suite's own figures by file name, drawn from its successful final runs."""
        return {}

    def optimizer(self, model: nn.Module, *, lr: float, weight_decay: float) -> torch.optim.Optimizer:
        """Return the optimiser of the model's parameters."""
        return torch.optim.Adam(model.parameters(), lr=lr, weight_decay=weight_decay)

    def schedule(self, optimizer: torch.optim.Optimizer, *, epochs: int) -> LRScheduler | None:
        """Return the schedule of the learning rate, stepped after every epoch, or None for a constant one."""
        return None

    def problem(self, setting: str, seed: int) -> SupervisedProblem:
        """Return the problem with a network initialised by `seed`."""
        with torch.random.fork_rng(devices=[]):
            seeds.seed_torch(seeds.derive(self.name, setting, seed, "init"))
            return SupervisedProblem(self.model(setting), self.groups_of(setting), self.task_groups_of(setting))

    @property
    def selection(self) -> Metric:
        """The metric that selects, read on the validation set."""
        return self.metrics[0]
