"""What AuxiLearn with generated labels owes to each of what it learns: the labels, and the weights of the losses.

Command line: python -m benchmark.explanations.parts --suite SUITE --data-dir DATA.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast, get_args

import torch
import typer
from torch import nn

from auxilearn import AuxiLearn
from auxilearn.method import Batch
from benchmark.commands import DEFAULT_RESULTS, run_app, words
from benchmark.errors import UserError, unknown
from benchmark.places import DEFAULT_DATA, Places
from benchmark.plugins import load_suite
from benchmark.record import Store
from benchmark.spec import Spec
from benchmark.speed import rows
from benchmark.speed.measurement import CPU, rounded
from benchmark.speed.timing import origin, provenance
from benchmark.suite import Suite
from benchmark.terminal import console
from benchmark.train import Diverged, Training

FILE = Path("explanations") / "parts.csv"
"""Where in the folder of results the measurements are."""

FOLDER = "rates"
"""Where in the folder of results AuxiLearn's own runs are."""

SUITES = ("cifar10-convnet", "cifar100-convnet")
SETTING = "5%"
METHOD = "auxilearn"

Part = Literal["labels", "weights"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Run(rows.Row):
    """A run of AuxiLearn that learns one part and keeps the other as it starts.

    Attributes:
        suite: Name of the suite.
        learnt: The part that is learned.
        phase: `search` or `final`.
        seed: Of the run.
        lr: The network's learning rate.
        validation: Accuracy on the validation set at the epoch that it selects; None of a run that diverged.
        top1: Test accuracy there; None of a search and of a run that diverged.
        main_weight: Weight of the main loss at the end; None of a run that diverged.
        auxiliary_weight: Weight of the auxiliary loss at the end; likewise.
    """

    called: ClassVar[str] = "runs of parts"

    suite: str
    learnt: str
    phase: str
    seed: int
    lr: float
    validation: float | None
    top1: float | None
    main_weight: float | None
    auxiliary_weight: float | None

    @property
    def key(self) -> tuple[str, str, str, float, int]:
        """What is measured: a final run is one of its seed, whatever the rate that was chosen for it."""
        return self.suite, self.learnt, self.phase, self.lr if self.phase == "search" else 0.0, self.seed


Measure = Callable[[Sequence[Spec], Part], Iterator[Run]]


@app.command()
def command(
    suite: Annotated[str, typer.Option(help=f"Suite of the runs: {', '.join(SUITES)}.")],
    learn: Annotated[str, typer.Option(help="Parts to learn alone, by comma.")] = "weights,labels",
    data_dir: Annotated[Path, typer.Option(help="Folder of the data sets' official files.")] = DEFAULT_DATA,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    results_dir: Annotated[Path, typer.Option(help="Folder of the results, with the runs.")] = DEFAULT_RESULTS,
) -> None:
    """Search the network's rate for AuxiLearn that learns one part alone, and repeat the rate that validation chose.

    All else is as AuxiLearn's own search chose it for both parts.
    """
    path, places = results_dir / FILE, Places(data_dir)
    rows.read(path, Run)  # a file of something else is refused before the work
    if suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    parts = dict.fromkeys(words(learn, "--learn"))
    for part in parts:
        if part not in get_args(Part):
            raise unknown("part", part, get_args(Part))
    searches, finals = specs_of(results_dir, suite)
    loaded = load_suite(suite, places)
    if (data := loaded.fingerprint()) != finals[0].data:
        raise UserError(f"the data in {data_dir} are {data}, those of the runs {finals[0].data}")
    torch.set_num_threads(loaded.threads)
    out, about = console(), origin(CPU)
    with measuring(places, workers, about) as measure:

        def made(specs: Sequence[Spec], part: Part) -> list[Run]:
            """Return the runs of specs, those of them that are missing made now."""
            commit = about["commit"]
            same = [row for row in rows.read(path, Run) if (row.suite, row.commit) == (suite, commit)]
            known = {(row.learnt, row.phase, row.lr, row.seed): row for row in same if not commit.endswith("+")}
            asked = {(part, spec.phase, rate_of(spec), spec.seed): spec for spec in specs}
            found = [known[key] for key in asked if key in known]
            for run in measure([spec for key, spec in asked.items() if key not in known], part):
                rows.add(path, [run], Run)
                out.print(f"{part} alone, {run.phase}, lr {run.lr}, seed {run.seed}: {_score(run)}", soft_wrap=True)
                found.append(run)
            return found

        for part in cast(Iterable[Part], parts):
            lr = best(made(searches, part)).lr
            made([with_rate(spec, lr) for spec in finals], part)
    out.print(f"{provenance(CPU)}\nWritten to {path}.", soft_wrap=True)


def specs_of(results: Path, suite: str) -> tuple[list[Spec], list[Spec]]:
    """Return AuxiLearn's search at the other hyper-parameters that it chose, one run a rate, and its final runs.

    Raises:
        UserError: There are none, or final runs of several plans.
    """
    store = Store(results / FOLDER / suite)
    store.read()
    specs = [record.spec for record in store.records.values()]
    own = sorted((spec for spec in specs if (spec.method, spec.setting) == (METHOD, SETTING)), key=lambda s: s.seed)
    finals = [spec for spec in own if spec.phase == "final"]
    if not finals:
        raise UserError(f"{store.folder} has no final run of {METHOD} in {SETTING}")
    if len({replace(spec, seed=0) for spec in finals}) > 1:
        raise UserError(f"{store.folder} has final runs of {METHOD} in {SETTING} that differ in more than the seed")
    as_chosen = (spec for spec in own if spec.phase == "search" and _all_but_rate(spec) == _all_but_rate(finals[0]))
    return sorted(as_chosen, key=rate_of), finals


def _all_but_rate(spec: Spec) -> Spec:
    """Return what two runs of one plan have in common, whatever their seeds, phases and rates."""
    return with_rate(replace(spec, seed=0, phase="search"), 0.0)


def _score(run: Run) -> str:
    if run.validation is None:
        return "diverged"
    return f"validation {run.validation:.4f}" if run.top1 is None else f"top1 {run.top1:.4f}"


def rate_of(spec: Spec) -> float:
    """Return a run's learning rate."""
    return float(str(dict(spec.hyper)["lr"]))


def with_rate(spec: Spec, lr: float) -> Spec:
    """Return the run with another learning rate."""
    return replace(spec, hyper=tuple(sorted({**dict(spec.hyper), "lr": lr}.items())))


def best(found: Sequence[Run]) -> Run:
    """Return the run that validation prefers, the one with the least rate among equals.

    Raises:
        UserError: All diverged.
    """
    scores = [(run.validation, -run.lr, run) for run in found if run.validation is not None]
    if not scores:
        raise UserError("all runs of the search diverged")
    return max(scores, key=lambda score: score[:2])[2]


@contextmanager
def measuring(places: Places, workers: int, about: Mapping[str, str]) -> Iterator[Measure]:
    """Give what measures runs in processes, in the order in which they end; a run that fails ends all that wait."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))

    def measure(specs: Sequence[Spec], part: Part) -> Iterator[Run]:
        for done in as_completed([pool.submit(_measured, places, spec, part, about) for spec in specs]):
            yield done.result()

    try:
        yield measure
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _measured(places: Places, spec: Spec, part: Part, about: Mapping[str, str]) -> Run:
    suite = _suite(spec.suite, places)
    torch.set_num_threads(suite.threads)
    return measured(suite, spec, part, about)


@cache
def _suite(name: str, places: Places) -> Suite:
    return load_suite(name, places)


def measured(suite: Suite, spec: Spec, part: Part, about: Mapping[str, str]) -> Run:
    """Train a run that learns a part alone.

    Args:
        suite: The suite, with its data.
        spec: A run of AuxiLearn with a generator.
        part: What it learns.
        about: Where and when it is made.
    """
    training = Training(suite, spec, CPU)
    method = training.method
    assert isinstance(method, AuxiLearn)
    assert method.generator is not None
    keep(method, method.combiner if part == "labels" else method.generator)
    run = partial(Run, suite=spec.suite, learnt=part, phase=spec.phase, seed=spec.seed, lr=rate_of(spec), **about)
    try:
        row = training.finish()
    except Diverged:
        return run(validation=None, top1=None, main_weight=None, auxiliary_weight=None)
    main, auxiliary = row["epochs"][-1]["weight"]
    return run(
        validation=row["selected"]["validation"]["top1"],
        top1=row["test"].get("top1"),
        main_weight=rounded(main),
        auxiliary_weight=rounded(auxiliary),
    )


def keep(method: AuxiLearn, module: nn.Module) -> None:
    """Have every outer step of a method leave a module's parameters as they are.

    The other part takes the step that it takes anyway: the norm by which hypergradients are clipped is that of both.
    """
    step = method.outer_step
    before = [parameter.detach().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def put_back() -> None:
        for parameter, value in zip(module.parameters(), before, strict=True):
            parameter.copy_(value)

    def outer_step(train: Batch, held_out: Batch, lr: float) -> None:
        step(train, held_out, lr=lr)
        put_back()

    vars(method)["outer_step"] = outer_step


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.explanations.parts"))
