"""Samples in memory, their four disjoint sets, and seeded batches."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from auxilearn.devices import on_device
from benchmark import memory

LARGEST_SHARE = 0.5
"""Share of a CUDA device's memory that samples may fill; more of them stay on the host."""


class Batch(NamedTuple):
    """Inputs (B, ...) and the targets of each task group, (B, tasks of the group, ...)."""

    inputs: Tensor
    targets: tuple[Tensor, ...]

    def on(self, device: torch.device) -> "Batch":
        """Return the batch on `device`, without waiting for it."""
        return Batch(on_device(self.inputs, device), tuple([on_device(target, device) for target in self.targets]))

    def stored_on(self, device: torch.device) -> "Batch":
        """Return the batch on `device` once it is there: what is large and stays is not pinned on the host as well."""
        return Batch(_stored_on(self.inputs, device), tuple([_stored_on(target, device) for target in self.targets]))


def _stored_on(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor (N, ...) on `device`; one that holds a single sample N times does so there too."""
    if tensor.dim() and tensor.stride(0) == 0 and len(tensor):
        return tensor[:1].to(device).expand(tensor.shape)
    return tensor.to(device)


class Reader(Protocol):
    """Makes inputs of what is stored, a batch at a time."""

    @property
    def generator(self) -> torch.Generator | None:
        """What training inputs are drawn from; None if they are not drawn. It is all state that a reader may have."""
        ...

    def training(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the inputs at `index` (B,), augmented at random."""
        ...

    def evaluation(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the inputs at `index` (B,), always the same."""
        ...


class AsStored:
    """Inputs are what is stored."""

    generator = None

    def training(self, stored: Tensor, index: Tensor) -> Tensor:
        """Return the inputs at `index` (B,)."""
        return stored[index]

    evaluation = training


@dataclass(frozen=True)
class Data:
    """All samples of a suite's setting and the indices of its four disjoint sets.

    Attributes:
        samples: Every sample; labels that training may not see are already masked in the training samples.
        train: Indices of the training set, without the auxiliary set.
        auxiliary: Indices of the held-out set that bilevel methods learn from; all others train on it too.
        validation: Indices of the set that selects epochs and hyper-parameters.
        test: Indices of the set that is evaluated once, at the end of a final run.
        reader: Makes inputs of the stored ones.
        device: Where batches go; the indices stay on the host, which draws from them.
    """

    samples: Batch
    train: Tensor
    auxiliary: Tensor
    validation: Tensor
    test: Tensor
    reader: Reader = field(default_factory=AsStored, kw_only=True)
    device: torch.device = field(default=torch.device("cpu"), kw_only=True)

    def __post_init__(self) -> None:
        everything = torch.cat([self.train, self.auxiliary, self.validation, self.test])
        if everything.unique().numel() != everything.numel():
            raise ValueError("train, auxiliary, validation and test sets overlap")

    def to(self, device: torch.device) -> "Data":
        """Return the same data with batches on `device`.

        All samples go there now if they take no more than `LARGEST_SHARE` of its memory; otherwise each batch is
        gathered, and augmented, on the host.
        """
        needed = sum(part.nbytes for part in (self.samples.inputs, *self.samples.targets))
        fits = needed <= LARGEST_SHARE * memory.capacity_bytes(device)
        samples = self.samples.stored_on(device) if fits else self.samples
        return dataclasses.replace(self, samples=samples, device=device)

    def at(self, index: Tensor) -> Batch:
        """Return the samples at `index` as one batch of training."""
        inputs, targets = self.samples
        index = on_device(index, inputs.device)
        found = Batch(self.reader.training(inputs, index), tuple([target[index] for target in targets]))
        return found if inputs.device == self.device else found.on(self.device)

    def chunks(self, index: Tensor, size: int = 4096) -> Iterator[Batch]:
        """Yield the samples at `index` in order, at most `size` at a time, for evaluation."""
        inputs, targets = self.samples
        for part in on_device(index, inputs.device).split(size):
            found = Batch(self.reader.evaluation(inputs, part), tuple([target[part] for target in targets]))
            yield found if inputs.device == self.device else found.on(self.device)


class Shuffler(Iterator[Tensor]):
    """Endless epochs of shuffled batches of indices, resumable from its state.

    The last batch of an epoch is dropped if it is not full, unless the set is smaller than one batch.

    Args:
        index: Indices to draw from, (N,).
        batch_size: Samples a batch; None for the whole set, in its own order.
        generator: CPU generator that shuffles.
    """

    def __init__(self, index: Tensor, batch_size: int | None, generator: torch.Generator) -> None:
        if not len(index):
            raise ValueError("there are no samples to draw from")
        self.index = index
        self.batch_size = min(batch_size or len(index), len(index))
        self.shuffled = batch_size is not None
        self.generator = generator
        self._before = generator.get_state()
        self._batches: Sequence[Tensor] = ()
        self._taken = 0

    def __len__(self) -> int:
        """Return the number of batches of one epoch."""
        return len(self.index) // self.batch_size

    def __next__(self) -> Tensor:
        """Return the next batch; the first one of an epoch shuffles."""
        if self._taken == len(self._batches):
            self._shuffle()
        self._taken += 1
        return self._batches[self._taken - 1]

    def restart(self) -> None:
        """Drop what is left of the epoch, so that the next batch is the first of a new one."""
        self._batches, self._taken = (), 0

    def epoch(self) -> Iterator[Tensor]:
        """Yield the batches of a new epoch."""
        self.restart()
        return islice(self, len(self))

    def state_dict(self) -> dict[str, Any]:
        """Return where in which epoch this is: what shuffled it, and how many of its batches are taken."""
        before = self._before if self._taken else self.generator.get_state()
        return {"generator": before, "taken": self._taken}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` was taken."""
        self.generator.set_state(state["generator"])
        self.restart()
        if state["taken"]:
            self._shuffle()
            self._taken = state["taken"]

    def _shuffle(self) -> None:
        self._before, index = self.generator.get_state(), self.index
        if self.shuffled:
            index = index[torch.randperm(len(index), generator=self.generator)]
        self._batches, self._taken = index[: len(self) * self.batch_size].split(self.batch_size), 0
