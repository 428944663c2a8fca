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


def make_problem(auxiliaries: int, *, device: torch.device) -> SupervisedProblem:
    """Return 200 classes as main task and a number of binary attributes, on one linear head."""
    backbone = resnet18(weights=None)
    features = backbone.fc.in_features
    backbone.fc = nn.Identity()  # type: ignore[assignment]
    groups = (
        Classification({"class": CLASSES}),
        Binary(tuple(f"attribute {index}" for index in range(auxiliaries)), scale=0.1),
    )
    model = MultiTask(backbone, features, [group.outputs for group in groups]).to(device)
    return SupervisedProblem(model.train(), groups)


def make_batch(auxiliaries: int, *, seed: int, device: torch.device, size: int = BATCH) -> Batch:
    """Return a batch of random images and labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 3, PIXELS, PIXELS, generator=generator)
    classes = torch.randint(CLASSES, (size, 1), generator=generator)
    attributes: Tensor = torch.randint(2, (size, auxiliaries), generator=generator).float()
    return Batch(images.to(device), (classes.to(device), attributes.to(device)))
