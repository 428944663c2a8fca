"""The columns of a user's own table as auxiliary tasks: categories are classified, numbers regressed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.cache import Prepared
from benchmark.datasets._attributes import categories_of
from benchmark.errors import UserError
from benchmark.tasks import UNLABELLED, Classification, Regression, TaskGroup


@dataclass(frozen=True)
class Columns:
    """Task groups, one of categories and one of numbers as far as there are any, and their targets, (N, columns)."""

    groups: tuple[TaskGroup, ...]
    targets: tuple[Tensor, ...]


def columns(prepared: Prepared, *, seen: Tensor) -> Columns:
    """Return the columns of a data set that `benchmark.datasets._attributes` wrote; none without a table.

    Args:
        prepared: The data set.
        seen: Indices of the samples whose attributes are trained on. Their mean and deviation standardise numbers.

    Raises:
        UserError: A column is known for none of these.
    """
    groups: list[TaskGroup] = []
    targets: list[Tensor] = []
    if "category" in prepared.tensors:
        sizes = {name: len(found) for name, found in categories_of(prepared.names["category"]).items()}
        starts = torch.tensor([0, *sizes.values()]).cumsum(0)[:-1]
        values = prepared.tensors["category"]
        known = values >= 0
        _check_known(known[seen], list(sizes))
        groups.append(Classification(sizes))
        targets.append(torch.where(known, values - starts, UNLABELLED))
    if "number" in prepared.tensors:
        names, values = prepared.names["number"], prepared.tensors["number"]
        _check_known(~values[seen].isnan(), names)
        groups.append(Regression(names))
        targets.append(standardised(values, seen))
    return Columns(tuple(groups), tuple(targets))


def standardised(values: Tensor, seen: Tensor) -> Tensor:
    """Return (values - mean) / deviation of each column, (N, columns) in float32; NaN stays.

    Mean and deviation (divided by their number) are those of the known values at `seen`; a deviation of 0 counts as 1.
    """
    mean = values[seen].nanmean(0)
    deviation = (values[seen] - mean).square().nanmean(0).sqrt()
    return ((values - mean) / torch.where(deviation > 0, deviation, 1.0)).float()


def _check_known(known: Tensor, names: "list[str] | tuple[str, ...]") -> None:
    for name, count in zip(names, known.sum(0).tolist(), strict=True):
        if not count:
            raise UserError(
                f"the column {name!r} of the table of attributes is known of no training picture; delete it"
            )
