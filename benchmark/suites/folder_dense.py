"""Your own images with label maps: segmentation, helped by depth and surface normals."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import torch
from torch import Tensor, nn

from benchmark import seeds
from benchmark.cache import Split
from benchmark.data import Batch, Data
from benchmark.dense import Depth, Normals, depth_known
from benchmark.errors import UserError
from benchmark.images import Images
from benchmark.metrics import SegmentationScore, evaluate
from benchmark.suites._dense import Dense, dense_metrics
from benchmark.suites._folder_sets import AUXILIARY_SHARE, HELD_BACK_SHARE
from benchmark.tasks import UNLABELLED, Classification, TaskGroup

LEAST_SCENES = 10
"""Labelled training images from which all sets can be cut."""


class FolderDense(Dense):
    """Segmentation main, depth and normals auxiliary as far as there are any; SegNet with 512 filters at its end.

    Images without labels serve the auxiliary tasks. Depths are divided by their mean over the training images. All
    else is as in the paper's suites of dense tasks, but that budget and grid are ours.
    """

    citation = "your own data; Navon et al., ICLR 2021"
    datasets = ("folder-dense",)
    settings = ("dense",)
    default_methods = (
        *("stl", "equal", "uncertainty", "dwa", "gradnorm", "gcs"),
        *("auxilearn-linear", "auxilearn-deep-linear", "auxilearn-nonlinear", "auxilearn-convnet"),
    )
    main_task = "segmentation of your images"
    auxiliary_tasks = "depth and surface normals of the same pixels"
    widths = (64, 128, 256, 512, 512)
    metrics = dense_metrics((Classification({"segmentation": 2}),))
    grid = {"lr": (1e-3, 1e-4), "weight_decay": (5e-4, 5e-5)}
    defaults = {"auxilearn*.outer_every": 20, "auxinash.outer_every": 20, "auxiliary_weight_decay": 1e-5}
    epochs = 100
    origins = {
        "network": "ours",
        "grid": "ours",
        "epochs": "ours",
        "batch size": "code",
        "augmentation": "code",
        "splits": "ours",
    }

    def lacks(self, setting: str) -> str | None:
        """Return that there is no auxiliary task."""
        if not {"depth", "normal"} & set(self.prepared("folder-dense").tensors):
            return "needs a folder depth or normals beside images and labels; there is neither"
        return None

    def groups_of(self, setting: str) -> Sequence[TaskGroup]:
        """Return segmentation, and depth and normals if there are any."""
        prepared = self.prepared("folder-dense")
        others = {"depth": Depth(), "normal": Normals()}
        segmentation = Classification({"segmentation": len(prepared.names["label"])})
        return (segmentation, *(group for name, group in others.items() if name in prepared.tensors))

    @cached_property
    def _sets(self) -> dict[str, Tensor]:
        """Indices of the labelled training scenes, the others, validation and test; a fifth each where not given."""
        prepared = self.prepared("folder-dense")
        labelled = (prepared.tensors["label"] != UNLABELLED).flatten(1).any(1)
        splits = prepared.tensors["split"]
        training = splits == Split.TRAIN
        found = {part: (splits == part).nonzero().squeeze(1) for part in (Split.TEST, Split.VALIDATION)}
        for part, index in found.items():
            if not labelled[index].all():
                raise UserError(f"an image of the {part.name.lower()} set has no labelled pixel to be judged by")
        pool = (training & labelled).nonzero().squeeze(1)
        if len(pool) < LEAST_SCENES:
            raise UserError(f"there are {len(pool)} training images with labels; {LEAST_SCENES} are needed")
        pool = pool[torch.randperm(len(pool), generator=seeds.generator(self.name, "", 0, "split"))]
        size = max(1, round(HELD_BACK_SHARE * len(pool)))
        for part in found:
            if not len(found[part]):
                found[part], pool = pool[:size].sort().values, pool[size:]
        return {
            "pool": pool,
            "unlabelled": (training & ~labelled).nonzero().squeeze(1),
            "validation": found[Split.VALIDATION],
            "test": found[Split.TEST],
        }

    def data(self, setting: str, seed: int) -> Data:
        """Return the sets that are given, or random ones; a tenth of the labelled training scenes is auxiliary."""
        tensors, sets = self.prepared("folder-dense").tensors, self._sets
        pool = sets["pool"]
        order = pool[torch.randperm(len(pool), generator=seeds.generator(self.name, setting, seed, "auxiliary"))]
        count = max(1, round(AUXILIARY_SHARE * len(pool)))
        train = torch.cat([order[count:], sets["unlabelled"]])
        targets = [tensors["label"]]
        if "depth" in tensors:
            targets.append(_relative(tensors["depth"], torch.cat([pool, sets["unlabelled"]])))
        if "normal" in tensors:
            targets.append(tensors["normal"])
        draws = seeds.generator(self.name, setting, seed, "augmentation")
        return Data(
            Batch(tensors["image"], tuple(targets)),
            train=train.sort().values,
            auxiliary=order[:count].sort().values,
            validation=sets["validation"],
            test=sets["test"],
            reader=Images((0.0,) * 3, (1.0,) * 3, draws),
        )

    def measure(self, setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics of segmentation."""
        return evaluate(model, batches, [SegmentationScore(len(self.prepared("folder-dense").names["label"]))])


def _relative(depth: Tensor, seen: Tensor) -> Tensor:
    """Return depths divided by the mean of those known at `seen`; 0 stays where they are unknown."""
    values = depth[seen]
    return depth / values[depth_known(values)].mean(dtype=torch.float64).float()
