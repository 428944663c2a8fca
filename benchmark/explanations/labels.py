"""What training makes of generated labels: how far they move from their random start, and whether they say more.

Command line: python -m benchmark.explanations.labels --suite SUITE --data-dir DATA.
"""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
import typer
from torch import Tensor

from auxilearn.method import Batch
from benchmark.commands import DEFAULT_RESULTS, run_app
from benchmark.errors import UserError, unknown
from benchmark.explanations.look_ahead import AsLong, LookAhead
from benchmark.places import DEFAULT_DATA, Places
from benchmark.plugins import load_suite
from benchmark.record import Record, Store
from benchmark.spec import Spec
from benchmark.speed import rows
from benchmark.speed.measurement import CPU, rounded
from benchmark.speed.timing import origin, provenance
from benchmark.suite import Suite
from benchmark.terminal import console
from benchmark.train import Training

FILE = Path("explanations") / "labels.csv"
"""Where in the folder of results the measurements are."""

SETTING = "5%"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Labels(rows.Row):
    """The labels of one run's training samples, at its start and after its last epoch.

    Attributes:
        suite: Name of the suite.
        method: What was trained.
        seed: Of the run.
        moved: Share of a label's mass that lies elsewhere at the end, mean over the samples: their total variation.
        changed: Share of samples whose most likely sub-class is another one at the end.
        largest_before: Mass of a label on its most likely sub-class at the start, mean over the samples.
        largest_after: The same at the end.
        bits_before: What labels say of a sample beyond its class at the start, in bits, see `bits`.
        bits_after: The same at the end.
        top1: Test accuracy of the run, at the epoch that validation selects.
    """

    called: ClassVar[str] = "labels"

    suite: str
    method: str
    seed: int
    moved: float
    changed: float
    largest_before: float
    largest_after: float
    bits_before: float
    bits_after: float
    top1: float

    @property
    def key(self) -> tuple[str, str, int]:
        """What is measured."""
        return self.suite, self.method, self.seed


@dataclass(frozen=True)
class Trained:
    """What is trained again: the final runs of a method, with the hyper-parameters that its search found.

    Attributes:
        suite: Name of the suite.
        method: Name of the method.
        form: What of it, where it is not what the suite's own table has.
        folder: Where in the folder of results its records are.
        hyper: What tells its runs from others of the folder.
        look_ahead: How far MAXL's generator looks ahead.
    """

    suite: str
    method: str
    form: str = ""
    folder: str = "reference"
    hyper: Mapping[str, object] = field(default_factory=dict)
    look_ahead: LookAhead = "own"

    @property
    def name(self) -> str:
        """What it is called."""
        return ", ".join(filter(None, (self.method, self.form)))

    def runs(self, results: Path) -> list[Record]:
        """Return the final runs, by seed.

        Raises:
            UserError: There are none.
        """

        def chosen(record: Record) -> bool:
            spec, hyper = record.spec, dict(record.spec.hyper)
            own = (spec.method, spec.setting, spec.phase) == (self.method, SETTING, "final")
            return own and all(hyper.get(name) == value for name, value in self.hyper.items())

        folder = results / self.folder / self.suite
        store = Store(folder)
        store.read()
        if found := sorted(filter(chosen, store.records.values()), key=lambda record: record.spec.seed):
            return found
        raise UserError(f"{folder} has no final run of {self.name} in {SETTING}")


TRAINED = (
    Trained("mnist", "maxl", folder="rates"),
    Trained("mnist", "maxl", "entropy alone", "rates", look_ahead="none"),
    Trained("mnist", "maxl", "longer look ahead", "rates", look_ahead="as long as the last step"),
    Trained("mnist", "auxilearn"),
    Trained("mnist", "auxilearn", "corrected, identity", "curvature", {"mode": "corrected", "solver": "identity"}),
    Trained("cifar10-convnet", "auxilearn"),
    Trained("cifar100-convnet", "auxilearn"),
)


@app.command()
def command(
    suite: Annotated[str, typer.Option(help="Suite of the runs.")],
    data_dir: Annotated[Path, typer.Option(help="Folder of the data sets' official files.")] = DEFAULT_DATA,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results, with the runs.")] = DEFAULT_RESULTS,
) -> None:
    """Train the final runs with generated labels again and put what became of the labels into a file."""
    path = results_dir / FILE
    before = rows.read(path, Labels)  # a file of something else is refused before the work
    if suite not in (suites := sorted({each.suite for each in TRAINED})):
        raise unknown("suite", suite, suites)
    plan = [(each, each.runs(results_dir)) for each in TRAINED if each.suite == suite]
    loaded = load_suite(suite, Places(data_dir))
    data = loaded.fingerprint()
    for each, runs in plan:
        for run in runs:
            if run.spec.data != data:
                raise UserError(f"the data in {data_dir} are {data}, those of the runs of {each.name} {run.spec.data}")
    torch.set_num_threads(loaded.threads)
    out, commit = console(), origin(CPU)["commit"]
    done = {row.key for row in before if row.commit == commit and not commit.endswith("+")}
    for each, runs in plan:
        for run in runs:
            if (suite, each.name, run.spec.seed) in done:
                continue
            found = measured(loaded, run.spec, each)
            rows.add(path, [found], Labels)
            texts = f"moved {found.moved:.3f}, bits {found.bits_before:.3f} to {found.bits_after:.3f}"
            out.print(f"{each.name}, seed {found.seed}: {texts}, top1 {found.top1:.4f}", soft_wrap=True)
    out.print(f"{provenance(CPU)}\nWritten to {path}.", soft_wrap=True)


def measured(suite: Suite, spec: Spec, trained: Trained) -> Labels:
    """Train a run again and return what became of its labels.

    Args:
        suite: The suite, with its data.
        spec: The run.
        trained: What it is one of.
    """
    training = Training(suite, spec, CPU)
    if trained.look_ahead != "own":
        rate: Callable[[Batch], float] = (lambda _: 0.0) if trained.look_ahead == "none" else AsLong(training.method)
        step = training.method.outer_step
        vars(training.method)["outer_step"] = lambda train, held_out, lr: step(train, held_out, lr=rate(train))
    before, classes = labels_of(training)
    top1 = training.finish()["test"]["top1"]
    after, _ = labels_of(training)
    return Labels(
        suite=suite.name,
        method=trained.name,
        seed=spec.seed,
        moved=rounded(0.5 * (after - before).abs().sum(1).mean().item()),
        changed=rounded((after.argmax(1) != before.argmax(1)).float().mean().item()),
        largest_before=rounded(before.max(1).values.mean().item()),
        largest_after=rounded(after.max(1).values.mean().item()),
        bits_before=rounded(bits(before, classes)),
        bits_after=rounded(bits(after, classes)),
        top1=top1,
        **origin(CPU),
    )


@torch.no_grad()
def labels_of(training: Training) -> tuple[Tensor, Tensor]:
    """Return the present labels of all training samples, (N, C), and their classes, (N,).

    Batches have the size of those of training, whose statistics the generator's BatchNorm takes; samples are in order
    and not augmented.
    """
    method: Any = training.method
    data = training.data
    index = torch.cat([data.train, data.auxiliary]).sort().values
    parts = list(data.chunks(index, training.suite.batch_size or len(index)))
    labels = torch.cat([method.targets(part) for part in parts])
    return labels, torch.cat([part.targets[0][:, 0] for part in parts])


def bits(labels: Tensor, classes: Tensor) -> float:
    """Return what soft labels (N, C) say of a sample beyond its class (N,), in bits.

    It is the mutual information of sample and sub-class within a class: the entropy of a class's mean label less
    the mean entropy of its labels, averaged over the samples. It is zero where all samples of a class have the same
    label, and the logarithm of the number of sub-classes where labels are hard and use all of them alike.
    """
    labels = labels.double()
    shares = torch.nn.functional.one_hot(classes).to(labels.dtype)
    means = (shares.T @ labels) / shares.sum(0).clamp(min=1)[:, None]
    return float((_entropy(means)[classes] - _entropy(labels)).mean())


def _entropy(labels: Tensor) -> Tensor:
    return -torch.special.xlogy(labels, labels).sum(1) / math.log(2)


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.explanations.labels"))
