"""Cityscapes: segmentation of street scenes, helped by coarser labels and disparity: an appendix of the paper."""

from benchmark.dense import Depth
from benchmark.suites._dense import Dense, dense_metrics
from benchmark.tasks import Classification


class Cityscapes(Dense):
    """19 classes of 128 x 256 pixels; disparity, which is inverse depth, by L1 where it is known.

    All of this setting is recalled: tasks, a tenth of the training scenes for validation and 2.5 % of the others
    auxiliary, SegNet, 150 epochs of Adam with the rate halved at epoch 100. The network's widths and the batch size
    are those of NYUv2, methods search the paper's general grids, AuxiLearn takes an outer step every 50 steps as there.
    The official `val` scenes are the test set.
    """

    citation = "Cordts et al., CVPR 2016; Navon et al., ICLR 2021, appendix"
    datasets = ("cityscapes",)
    settings = ("19-class",)
    default_methods = (
        "stl",
        "equal",
        "uncertainty",
        "dwa",
        "gradnorm",
        "mgda",
        "gcs",
        "auxilearn-linear",
        "auxilearn-nonlinear",
        "auxilearn-convnet",
    )
    main_task = "segmentation of street scenes of 128 x 256 pixels into 19 classes"
    auxiliary_tasks = "segmentation into 7 categories, into foreground and background, and disparity of the same pixels"
    groups = (
        Classification({"segmentation": 19}),
        Classification({"category": 7}),
        Classification({"foreground": 2}),
        Depth(("disparity",)),
    )
    arrays = ("label_19", "label_7", "label_2", "disparity")
    metrics = dense_metrics(groups)
    defaults = {"auxilearn*.outer_every": 50}
    epochs = 150
    origins = {
        "tasks": "recalled",
        "split": "recalled",
        "network": "recalled",
        "optimiser": "recalled",
        "epochs": "recalled",
        "learning rates and weight decays": "summary",
        "batch size": "ours",
        "widths of the network": "ours",
        "steps between outer steps": "ours",
    }
