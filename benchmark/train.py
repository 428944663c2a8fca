"""One run from spec to record: the one training loop for every method."""

import datetime
import math
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

import baselines
from auxilearn import Method
from auxilearn.precision import without_tf32
from benchmark import environment, memory, precision, seeds, suites
from benchmark.controls import extend
from benchmark.data import Batch, Shuffler
from benchmark.places import Places
from benchmark.problem import SupervisedProblem
from benchmark.record import Record
from benchmark.spec import Precision, Spec
from benchmark.suite import Suite
from benchmark.tally import Clock, Losses, Means, Selected

OPTIMIZER_HYPER = ("lr", "weight_decay")
"""Hyper-parameters of the model's optimiser; all others are the method's."""

Row = dict[str, Any]


class Diverged(Exception):
    """A loss or a metric is not finite; its text says which and when."""


def run(spec: Spec, device: str = "cpu", places: Places | None = None) -> Record:
    """Train and evaluate what `spec` describes; failures become records too.

    Args:
        spec: The run.
        device: A torch device.
        places: Where the suite's data are.
    """
    suite = suites.load(spec.suite, places)
    torch.set_num_threads(suite.threads)
    memory.reset_peak(torch.device(device))
    started = time.perf_counter()
    result: Row
    try:
        with without_tf32():
            result = Training(suite, spec, torch.device(device)).finish()
    except Diverged as error:
        result = {"status": "diverged", "reason": str(error)}
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:500]
        result = {"status": "failed", "reason": reason}
    result.setdefault("timing", {})["total_sec"] = time.perf_counter() - started
    return Record(
        spec=spec,
        environment={
            **environment.describe(torch.device(device)),
            "precision": precision.chosen(spec.precision, suite.precision, torch.device(device)),
        },
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **result,
    )


class Training:
    """The state of one run and the loop over it; the loop never asks what kind of method it holds."""

    def __init__(self, suite: Suite, spec: Spec, device: torch.device) -> None:
        if (found := suite.fingerprint()) != spec.data:
            raise LookupError(f"the data here are {found}, those of the plan {spec.data}; run the command again")
        suite = extend(suite, spec.controls)
        self.suite, self.spec, self.device = suite, spec, device
        hyper: Row = dict(spec.hyper)
        rates = {name: hyper.pop(name) for name in OPTIMIZER_HYPER}
        self.data = suite.data(spec.setting, spec.seed).to(device)
        self.problem = suite.problem(spec.setting, spec.seed)
        self.problem.model.to(device)
        self.method = build_method(spec.method, self.problem, hyper, seed=self._seed("method")).to(device)
        self.precision: Precision = precision.chosen(spec.precision, suite.precision, device)
        self.passes = precision.passes(self.precision, device)
        for module in (self.problem.model, self.method):
            precision.laid_out(module, self.precision)
        self.optimizer = suite.optimizer(self.problem.model, **rates)
        self.schedule = suite.schedule(self.optimizer, epochs=spec.epochs)
        self.batches, self.held_out = self._shufflers()
        self.clock, self.selection, self.step = Clock(), Selected(suite.selection, suite.selected_epoch == "last"), 0
        torch.manual_seed(self._seed("noise"))

    def _seed(self, purpose: str) -> int:
        return seeds.derive(self.spec.suite, self.spec.setting, self.spec.seed, purpose)

    def _shufflers(self) -> tuple[Shuffler, Iterator[Tensor]]:
        """Return the training batches, and the endless batches that outer steps learn from."""
        data, suite = self.data, self.suite
        order = torch.Generator().manual_seed(self._seed("batches"))
        held_out_order = torch.Generator().manual_seed(self._seed("held-out batches"))
        if self.method.outer_every and self.method.held_out == "auxiliary":
            held_out = Shuffler(data.auxiliary, suite.held_out_batch_size, held_out_order)
            return Shuffler(data.train, suite.batch_size, order), held_out.forever()
        everything = torch.cat([data.train, data.auxiliary])
        again = Shuffler(everything, suite.batch_size, held_out_order)
        return Shuffler(everything, suite.batch_size, order), again.forever()

    def finish(self) -> Row:
        """Train all epochs, select one, evaluate it on the test set if this is a final run."""
        rows = [self.epoch(epoch) for epoch in range(1, self.spec.epochs + 1)]
        test = {}
        if self.spec.phase == "final":
            self.problem.model.load_state_dict(self.selection.state)
            test = self.measure(self.data.test)
        return {
            "status": "ok",
            "tasks": self.problem.task_names,
            "epochs": rows,
            "selected": self.selection.row,
            "test": test,
            "timing": self.clock.times(),
            "memory": {"peak_bytes": memory.peak_bytes(self.device)},
        }

    def epoch(self, epoch: int) -> Row:
        """Train one epoch, measure it on the validation set and return its row."""
        started = time.perf_counter()
        row = {"epoch": epoch, "lr": self.optimizer.param_groups[0]["lr"], **self.train_epoch(epoch)}
        if self.schedule is not None:
            self.schedule.step()
        self.clock.train_sec += time.perf_counter() - started
        row["validation"] = self.measure(self.data.validation)
        self.selection.offer(epoch, row["validation"], self.problem.model)
        return row

    def train_epoch(self, epoch: int) -> Row:
        """Train one epoch and return the mean loss and the present weight of each task, and diagnostics."""
        steps = self.suite.steps_per_epoch
        indices = self.batches.epoch() if steps is None else islice(self.batches.forever(), steps)
        kept, diagnostics = self._steps(indices)
        losses, mean = kept.samples(), kept.means()
        weights = self.method.weights(losses)
        self.method.end_epoch(mean)
        return {
            "loss": _finite_list(mean, f"training loss in epoch {epoch}"),
            "weight": _finite_list(weights, f"task weight in epoch {epoch}"),
            "diagnostics": diagnostics.values(),
        }

    def advance(self, steps: int) -> None:
        """Train some steps."""
        self._steps(islice(self.batches.forever(), steps))

    def _steps(self, indices: Iterable[Tensor]) -> tuple[Losses, Means]:
        """Train a step an index; return the losses and the diagnostics.

        The host never waits for the device here, but in outer steps and for methods that say so (`Method.waits`).
        """
        method, optimizer, passes = self.method, self.optimizer, self.passes
        self.problem.model.train()
        diagnostics, kept = Means(), Losses()
        for index in indices:
            batch = self._batch(index)
            if method.outer_every and self.step % method.outer_every == 0:
                method.outer_step(batch, self._batch(next(self.held_out)), lr=optimizer.param_groups[0]["lr"])
                diagnostics.add(method.diagnostics)
            optimizer.zero_grad()
            with passes:
                losses = method.backward(batch)
            optimizer.step()
            with passes:
                method.step(batch)
            kept.add(losses)
            self.step += 1
        self.clock.steps += kept.steps
        return kept, diagnostics

    def _batch(self, index: Tensor) -> Batch:
        return precision.laid_out_batch(self.data.at(index), self.precision)

    @torch.no_grad()
    def measure(self, index: Tensor) -> dict[str, float]:
        """Return the suite's metrics over the samples at `index`."""
        started = time.perf_counter()
        self.problem.model.eval()
        batches = self.data.chunks(index, self.suite.evaluation_batch_size)
        metrics = self.suite.measure(self.spec.setting, self.problem.model, batches)
        self.clock.evaluation_sec += time.perf_counter() - started
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is {value}")
        return metrics


def build_method(name: str, problem: SupervisedProblem, hyper: dict[str, Any], seed: int) -> Method:
    """Return the method of that name, its own parameters initialised by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return baselines.load(name)(problem, **hyper)


def _finite_list(values: Tensor, what: str) -> list[float]:
    found = values.tolist()
    if not all(map(math.isfinite, found)):
        raise Diverged(f"{what} is not finite")
    return found
