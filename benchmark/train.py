"""One run from spec to record: the one training loop for every method."""

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

import baselines
from auxilearn.precision import without_tf32
from benchmark import environment, layout, memory, precision, seeds, stopping, suites
from benchmark.checkpoint import Saver
from benchmark.controls import extend
from benchmark.data import Batch, Shuffler
from benchmark.failures import Diverged, finite_list, outcome
from benchmark.places import Places
from benchmark.problem import build_method
from benchmark.pruning import Bars, verdict
from benchmark.record import Record
from benchmark.sources import SOURCES, hashes
from benchmark.spec import Precision, Spec
from benchmark.suite import Suite
from benchmark.tally import Clock, Losses, Means, Selected

OPTIMIZER_HYPER = ("lr", "weight_decay")
"""Hyper-parameters of the model's optimiser; all others are the method's."""

Row = dict[str, Any]
Visit = Callable[["Training"], None]
"""Called between two steps, when all state of a run is in its `state_dict`; may end the run by raising."""


def run(
    spec: Spec,
    device: str = "cpu",
    places: Places | None = None,
    bars: Bars | None = None,
    *,
    every: int | None = None,
) -> Record:
    """Train and evaluate what `spec` describes, from its checkpoint if there is one; failures become records too.

    Args:
        spec: The run.
        device: A torch device.
        places: Where the suite's data are, and the checkpoints.
        bars: What a trial has to reach to be trained in full.
        every: Steps between two checkpoints; None leaves it to their cost.

    Raises:
        Stopped: The run was asked to stop; its state is saved, where there is a place for it.
    """
    suite, where = suites.load(spec.suite, places), torch.device(device)
    if where.type == "cpu":  # bits may depend on it; on CUDA a worker has its share of the cores
        torch.set_num_threads(suite.threads)
    memory.reset_peak(where)
    clock = Clock()
    saver = Saver(spec, where, places and places.checkpoints, every=every)

    incomplete: dict[str, str] = {}
    sources: dict[str, dict[str, str]] = {}

    def work() -> Row:
        if (found := suite.fingerprint()) != spec.data:
            raise LookupError(f"the data here are {found}, those of the plan {spec.data}; run the command again")
        if lack := suite.shortfall():
            incomplete["incomplete"] = lack
        sources[SOURCES] = hashes(type(suite), baselines.load(spec.method))
        with without_tf32():
            training = saver.resumed(lambda: Training(suite, spec, where, clock, bars))
            with stopping.under_way(spec.digest, signals=saver.saves):
                return training.finish(saver.visit)

    result = outcome(work, where)
    result.setdefault("timing", {})["total_sec"] = clock.total_sec()
    return Record(
        spec=spec,
        environment={
            **environment.describe(where),
            "precision": precision.chosen(spec.precision, suite.precision, where),
            **incomplete,
            **sources,
        },
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **result,
    )


class Training:
    """The state of one run and the loop over it; the loop never asks what kind of method it holds."""

    def __init__(
        self, suite: Suite, spec: Spec, device: torch.device, clock: Clock | None = None, bars: Bars | None = None
    ) -> None:
        suite = extend(suite, spec.controls)
        self.suite, self.spec, self.device, self.bars = suite, spec, device, bars
        hyper: Row = dict(spec.hyper)
        rates = {name: hyper.pop(name) for name in OPTIMIZER_HYPER}
        self.data = suite.data(spec.setting, spec.seed).to(device)
        self.problem = suite.problem(spec.setting, spec.seed)
        self.problem.model.to(device)
        self.method = build_method(spec.method, self.problem, hyper, seed=self._seed("method")).to(device)
        self.precision: Precision = precision.chosen(spec.precision, suite.precision, device)
        self.passes = precision.passes(self.precision, device)
        self.channels_last = layout.channels_last(self.problem.model, self.precision, device)
        self.evaluated = layout.evaluated_at_once(suite.evaluation_batch_size, self.data.samples.inputs, device)
        for module in (self.problem.model, self.method):
            layout.arrange(module, last=self.channels_last)
        self.optimizer = suite.optimizer(self.problem.model, **rates)
        self.schedule = suite.schedule(self.optimizer, epochs=spec.epochs)
        self.batches, self.held_out = self._shufflers()
        self.selection = Selected(suite.selection, suite.selected_epoch == "last")
        self.clock, self.rows = clock or Clock(), list[Row]()
        self.kept, self.diagnostics, self.step, self.earlier_peak = Losses(device), Means(device), 0, 0
        self.visit: Visit = lambda training: None
        seeds.seed_torch(self._seed("noise"))

    def _seed(self, purpose: str) -> int:
        return seeds.derive(self.spec.suite, self.spec.setting, self.spec.seed, purpose)

    @property
    def steps_per_epoch(self) -> int:
        """Number of training steps of an epoch."""
        return self.suite.steps_per_epoch or len(self.batches)

    def _shufflers(self) -> tuple[Shuffler, Shuffler]:
        """Return the training batches, and the endless batches that outer steps learn from."""
        data, suite = self.data, self.suite
        draws = (torch.Generator().manual_seed(self._seed(purpose)) for purpose in ("batches", "held-out batches"))
        train = again = torch.cat([data.train, data.auxiliary])
        size = suite.batch_size
        if self.method.outer_every and self.method.held_out == "auxiliary":
            train, again, size = data.train, data.auxiliary, suite.held_out_batch_size
        return Shuffler(train, suite.batch_size, next(draws)), Shuffler(again, size, next(draws))

    def state_dict(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on; complete between two steps."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {**parts, "rows": self.rows, "step": self.step, "peak": self._peak(), "bars": self.bars}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.rows, self.step, self.earlier_peak = list(state["rows"]), int(state["step"]), int(state["peak"])
        self.bars = state["bars"] and Bars(*state["bars"])  # those it began with, whatever ended since
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        """Return the parts of the run that keep their state themselves."""
        parts = {
            "model": self.problem.model,
            "method": self.method,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "batches": self.batches,
            "held_out": self.held_out,
            "selection": self.selection,
            "kept": self.kept,
            "diagnostics": self.diagnostics,
            "random": seeds.Streams(self.data.reader.generator, self.device),
            "clock": self.clock,  # last: where a state does not fit, the run counts from its beginning
        }
        return {name: part for name, part in parts.items() if part is not None}

    def _peak(self) -> int:
        return max(self.earlier_peak, memory.peak_bytes(self.device))

    def finish(self, visit: Visit | None = None) -> Row:
        """Train all epochs that are left, select one, evaluate it on the test set if this is a final run."""
        self.visit = visit or self.visit
        selection = self.suite.selection
        while not (hopeless := verdict(self.bars, self.rows, selection)) and len(self.rows) < self.spec.epochs:
            self.rows.append(self.epoch(len(self.rows) + 1))
        self.visit(self)
        test = {}
        if self.spec.phase == "final":
            self.problem.model.load_state_dict(self.selection.state)
            test = self.measure(self.data.test)
        return {
            "status": "pruned" if hopeless else "ok",
            "reason": hopeless,
            "tasks": self.problem.task_names,
            "epochs": self.rows,
            "selected": self.selection.row,
            "test": test,
            "timing": self.clock.times(),
            "memory": {"peak_bytes": self._peak()},
        }

    def epoch(self, epoch: int) -> Row:
        """Train what is left of an epoch, measure it on the validation set and return its row."""
        self.clock.begin()
        row = {"epoch": epoch, "lr": self.optimizer.param_groups[0]["lr"], **self.train_epoch(epoch)}
        if self.schedule is not None:
            self.schedule.step()
        self.clock.end("train_sec")
        row["validation"] = self.measure(self.data.validation)
        self.selection.offer(epoch, row["validation"], self.problem.model)
        return row

    def train_epoch(self, epoch: int) -> Row:
        """Train one epoch and return the mean loss and the present weight of each task, and diagnostics."""
        if not self.kept.steps:
            self.batches.restart()
        self._steps(self.steps_per_epoch - self.kept.steps)
        losses, mean, diagnostics = self.kept.samples(), self.kept.means(), self.diagnostics
        self.kept, self.diagnostics = Losses(self.device), Means(self.device)
        weights = self.method.weights(losses)
        self.method.end_epoch(mean)
        return {
            "loss": finite_list(mean, f"training loss in epoch {epoch}"),
            "weight": finite_list(weights, f"task weight in epoch {epoch}"),
            "diagnostics": diagnostics.values(),
        }

    def advance(self, steps: int) -> None:
        """Train some steps and keep nothing of their losses."""
        self.batches.restart()
        self._steps(steps)
        self.kept, self.diagnostics = Losses(self.device), Means(self.device)

    def _steps(self, steps: int) -> None:
        """Train some steps and keep their losses and diagnostics.

        The host never waits for the device here, but in outer steps, for methods that say so (`Method.waits`) and
        where a visitor does.
        """
        method, optimizer, passes = self.method, self.optimizer, self.passes
        self.problem.model.train()
        for _ in range(steps):
            self.visit(self)
            batch = self._batch(next(self.batches))
            if method.outer_every and self.step % method.outer_every == 0:
                method.outer_step(batch, self._batch(next(self.held_out)), lr=optimizer.param_groups[0]["lr"])
                self.diagnostics.add(method.diagnostics)
            optimizer.zero_grad()
            with passes:
                losses = method.backward(batch)
            optimizer.step()
            with passes:
                method.step(batch)
            self.kept.add(losses)
            self.clock.steps += 1
            self.step += 1

    def _batch(self, index: Tensor) -> Batch:
        return layout.arranged(self.data.at(index), last=self.channels_last)

    @torch.no_grad()
    def measure(self, index: Tensor) -> dict[str, float]:
        """Return the suite's metrics over the samples at `index`."""
        self.clock.begin()
        self.problem.model.eval()
        parts = self.data.chunks(index, self.evaluated)
        batches = (layout.arranged(part, last=self.channels_last) for part in parts)
        metrics = self.suite.measure(self.spec.setting, self.problem.model, batches)
        self.clock.end("evaluation_sec")
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is {value}")
        return metrics
