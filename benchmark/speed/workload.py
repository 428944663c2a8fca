"""The workload of the method and hypergradient measurements: ResNet-18 with many auxiliary tasks."""

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from benchmark.data import Batch
from benchmark.models.multitask import MultiTask
from benchmark.problem import SupervisedProblem
from benchmark.tasks import Binary, Classification

CLASSES = 200
PIXELS = 64
BATCH = 16


def make_problem(auxiliaries: int, device: torch.device, *, groups: int | None = None) -> SupervisedProblem:
    """Return 200 classes as main task and a number of binary attributes, on one linear head.

    Args:
        auxiliaries: Number of attributes.
        device: Where the network is.
        groups: Number of groups, of nearly equal size, that the attributes form; None keeps them apart.
    """
    backbone = resnet18(weights=None)
    features = backbone.fc.in_features
    backbone.fc = nn.Identity()  # type: ignore[assignment]
    tasks = (
        Classification({"class": CLASSES}),
        Binary(tuple(f"attribute {index}" for index in range(auxiliaries)), scale=0.1),
    )
    model = MultiTask(backbone, features, [group.outputs for group in tasks]).to(device)
    numbers = None if groups is None else (0, *(1 + index * groups // auxiliaries for index in range(auxiliaries)))
    return SupervisedProblem(model.train(), tasks, numbers)


def make_batch(auxiliaries: int, seed: int, device: torch.device) -> Batch:
    """Return a batch of random images and labels, drawn by `seed`."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(BATCH, 3, PIXELS, PIXELS, generator=generator)
    classes = torch.randint(CLASSES, (BATCH, 1), generator=generator)
    attributes: Tensor = torch.randint(2, (BATCH, auxiliaries), generator=generator).float()
    return Batch(images.to(device), (classes.to(device), attributes.to(device)))
