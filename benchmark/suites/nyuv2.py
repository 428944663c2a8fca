"""NYUv2: segmentation of indoor scenes, helped by depth and surface normals: Table 2 of the paper."""

from importlib import resources

import torch
from torch import Tensor

from benchmark.dense import Depth, Normals
from benchmark.suites._dense import Dense, dense_metrics
from benchmark.tasks import Classification


class NYUv2(Dense):
    """13 classes of 288 x 384 pixels; L1 on known depths, 1 - cosine on known normals.

    Split, network, optimiser, budget and the methods' own settings are those of the authors' released trainers;
    the SegNet there ends with 1,024 filters, where MTAN's, from which it comes, has 512. The grid of learning rates
    and weight decays is the paper's general one; the trainers take 1e-4 and none. Deep-linear weights and MGDA are not
    among them: the former take the linear ones' settings, the latter searches its normalisations.

    The published mIoU and pixel accuracy are means over images, as the trainers' `compute_miou` and `compute_iou` are:
    `miou_per_image` and `pixel_accuracy_per_image`.
    """

    citation = "Silberman et al., ECCV 2012; Navon et al., ICLR 2021, Table 2"
    datasets = ("nyuv2",)
    settings = ("13-class",)
    default_methods = (
        "stl",
        "equal",
        "uncertainty",
        "dwa",
        "gradnorm",
        "mgda",
        "gcs",
        "auxilearn-linear",
        "auxilearn-deep-linear",
        "auxilearn-nonlinear",
        "auxilearn-convnet",
    )
    main_task = "segmentation of indoor scenes of 288 x 384 pixels into 13 classes"
    auxiliary_tasks = "depth and surface normals of the same pixels"
    groups = (Classification({"segmentation": 13}), Depth(), Normals())
    arrays = ("label", "depth", "normal")
    metrics = dense_metrics(groups)
    defaults = {
        "uncertainty.learning_rate": 1e-4,
        "dwa.temperature": 2.0,
        "gradnorm.alpha": 1.5,
        "gradnorm.learning_rate": 0.025,
        "auxilearn*.outer_every": 50,
        "auxilearn*.auxiliary_lr": 1e-3,
        "auxilearn*.auxiliary_weight_decay": 1e-4,
        "auxilearn*.clip_norm": 25.0,
        "auxilearn-linear.skip": False,
        "auxilearn-nonlinear.depth": 1,
        "auxilearn-nonlinear.width": 3,
        "auxilearn-convnet.auxiliary_lr": 1e-4,
        "auxilearn-convnet.auxiliary_weight_decay": 1e-5,
        "auxilearn-convnet.clip_norm": 100.0,
    }
    epochs = 200
    final_seeds = 4
    origins = {
        "split": "code",
        "network": "code",
        "optimiser": "code",
        "learning rates and weight decays": "summary",
        "epochs": "code",
        "batch size": "code",
        "augmentation": "code",
        "settings of the methods": "code",
        "settings of mgda and deep-linear weights": "ours",
    }

    def validation(self, training: Tensor, *, sample: bool) -> Tensor:
        """Return the 79 scenes that the released split file holds out; a random tenth of a drawn sample."""
        return super().validation(training, sample=sample) if sample else training[torch.tensor(held_out_scenes())]


def held_out_scenes() -> list[int]:
    """Return the numbers of the official training scenes that select."""
    file = resources.files("benchmark.suites") / "nyuv2_validation_indices.txt"
    return [int(line) for line in file.read_text().split()]
