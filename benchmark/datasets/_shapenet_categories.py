"""The 16 categories of ShapeNet part and its official lists of shapes."""

from typing import NamedTuple

from benchmark.cache import Split


class Category(NamedTuple):
    """Name of a category, number of its parts, and the first of its labels in the release with normals."""

    name: str
    parts: int
    first: int


CATEGORIES = {
    "02691156": Category("airplane", 4, 0),
    "02773838": Category("bag", 2, 4),
    "02954340": Category("cap", 2, 6),
    "02958343": Category("car", 4, 8),
    "03001627": Category("chair", 4, 12),
    "03261776": Category("earphone", 3, 16),
    "03467517": Category("guitar", 3, 19),
    "03624134": Category("knife", 2, 22),
    "03636649": Category("lamp", 4, 24),
    "03642806": Category("laptop", 2, 28),
    "03790512": Category("motorbike", 6, 30),
    "03797390": Category("mug", 2, 36),
    "03948459": Category("pistol", 3, 38),
    "04099429": Category("rocket", 3, 41),
    "04225987": Category("skateboard", 3, 44),
    "04379243": Category("table", 3, 47),
}
"""By the name of the folder of its shapes, a WordNet offset, which is the same in both releases."""

PARTS = {category.name: category.parts for category in CATEGORIES.values()}
"""Number of parts of each category."""

LISTS = {
    Split.TRAIN: "train_test_split/shuffled_train_file_list.json",
    Split.VALIDATION: "train_test_split/shuffled_val_file_list.json",
    Split.TEST: "train_test_split/shuffled_test_file_list.json",
}
"""The official lists, which name a shape as `shape_data/02691156/1a04e3eab45ca15dd86060f189eb133`."""

SIZES = {
    Split.TRAIN: (1958, 54, 39, 659, 2658, 49, 550, 277, 1118, 324, 125, 130, 209, 46, 106, 3835),
    Split.VALIDATION: (391, 8, 5, 81, 396, 6, 78, 35, 143, 44, 26, 16, 30, 8, 15, 588),
    Split.TEST: (341, 14, 11, 158, 704, 14, 159, 80, 286, 83, 51, 38, 44, 12, 31, 848),
}
"""Shapes of each category in the official lists. Test sizes are those that public code weighs its scores with; how the
others divide into training and validation is recalled. All three add up to the official totals, and nothing but pages
and estimates reads them."""
