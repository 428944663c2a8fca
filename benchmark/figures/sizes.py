"""Accuracy against the size of the auxiliary set: recorded runs trained again with other sizes, nothing tuned anew."""

import copy
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from auxilearn.precision import without_tf32
from benchmark import seeds, suites
from benchmark.data import Data
from benchmark.errors import UserError
from benchmark.figures.ablations import PAPER, Series, draw, published_ablation
from benchmark.figures.runs import over_runs, scale
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import called
from benchmark.suite import Suite
from benchmark.train import Diverged, Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def resized(data: Data, size: int, labelled: Tensor, generator: torch.Generator) -> Data:
    """Return the same data with an auxiliary set of another size; smaller sets lie in larger ones.

    Samples that leave it are trained on, and samples that join it, all with a main label, no more. At its own size
    all stays as it is, so that the run is the recorded one.

    Args:
        data: The four sets.
        size: Samples of the auxiliary set.
        labelled: Which samples have a main label, (N,).
        generator: Of the order in which samples leave and join.

    Raises:
        UserError: Fewer than one auxiliary or one labelled training sample would be left.
    """
    if size == len(data.auxiliary):
        return data
    spare = data.train[labelled[data.train]]
    if not 1 <= size < len(data.auxiliary) + len(spare):
        most = len(data.auxiliary) + len(spare) - 1
        raise UserError(f"an auxiliary set of {size} cannot be made of {most + 1} labelled samples; from 1 to {most}")
    order = torch.cat([part[torch.randperm(len(part), generator=generator)] for part in (data.auxiliary, spare)])
    auxiliary = order[:size].sort().values
    everything = torch.cat([data.train, data.auxiliary])
    return dataclasses.replace(data, train=everything[~torch.isin(everything, auxiliary)], auxiliary=auxiliary)


def with_size(suite: Suite, size: int) -> Suite:
    """Return the suite with an auxiliary set of that size in every setting."""

    def data(setting: str, seed: int) -> Data:
        given = suite.data(setting, seed)
        known = suite.groups_of(setting)[0].labelled(given.samples.targets[0])[:, :1].flatten(1).any(1).cpu()
        return resized(given, size, known, seeds.generator(suite.name, setting, seed, "auxiliary size"))

    other = copy.copy(suite)
    other.data = data  # type: ignore[method-assign]
    return other


def auxiliary_sizes(
    records: Sequence[Record], sizes: Sequence[int], places: Places | None = None, *, device: str = "cpu"
) -> "tuple[Figure, pd.DataFrame]":
    """Train recorded final runs again at each size of the auxiliary set; return the figure and its numbers.

    Args:
        records: Final runs of one method in one setting with the same hyper-parameters, one a seed.
        sizes: Of the auxiliary set.
        places: Where the suite's data are.
        device: A torch device.

    Raises:
        UserError: The data are others, a size cannot be made, or a run diverges.
    """
    spec = records[0].spec
    suite = suites.load(spec.suite, places)
    if (found := suite.fingerprint()) != spec.data:
        raise UserError(f"the data here are {found}, those of the records {spec.data}; get the data they were run on")
    torch.set_num_threads(suite.threads)
    for size in sizes:
        for record in records:  # a size that cannot be made is told before any training
            with_size(suite, size).data(spec.setting, record.spec.seed)
    rows = []
    for size in sizes:
        for record in records:
            rows.append({"size": size, "seed": record.spec.seed, **_test(with_size(suite, size), record, device)})
            print(f"auxiliary set of {size}, seed {record.spec.seed}: {suite.selection.name} "
                  f"{rows[-1][suite.selection.name]:.4f}", flush=True)  # fmt: skip
    frame = pd.DataFrame(rows)
    return _figure(suite, records, frame), frame.assign(
        suite=called(spec.suite, spec.data), setting=spec.setting, method=spec.method
    )


def _test(suite: Suite, record: Record, device: str) -> dict[str, float]:
    try:
        with without_tf32():
            return Training(suite, record.spec, torch.device(device)).finish()["test"]
    except Diverged as error:
        raise UserError(f"run {record.spec.digest} does not come through at another size: {error}") from None


def _figure(suite: Suite, records: Sequence[Record], frame: pd.DataFrame) -> "Figure":
    spec, metric = records[0].spec, suite.selection
    groups = {int(size): rows[metric.name] * scale(metric) for size, rows in frame.groupby("size")}  # type: ignore[arg-type]
    means = [over_runs(list(values)) for values in groups.values()]
    lines = {
        spec.method: Series(
            list(groups), [float(m.mean) for m in means], [float(m.sem) for m in means], [*map(len, groups.values())]
        )
    }
    if (printed := published_ablation(spec.suite, spec.setting, "auxiliary_set_size", metric)) is not None:
        lines[f"{PAPER}: auxilearn-nonlinear"] = printed
    return draw(
        lines,
        metric,
        title=f"{called(spec.suite, spec.data)}, {spec.setting}: result against auxiliary-set size",
        xlabel="samples of the auxiliary set",
        protocols=[spec.protocol],
        note="Hyper-parameters are those chosen at the suite's own size.",
    )
