"""CUB-200-2011: 11,788 photographs of 200 kinds of birds with 312 attributes, in the text files of its authors."""

import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.archives import Tree, read_file
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign, numbered
from benchmark.datasets._cub_sample import ATTRIBUTE_NAMES, write_sample
from benchmark.datasets._images import fill_images
from benchmark.datasets._photographs import SIDE, check_sizes, check_unique

CLASSES = 200
SIZES = {Split.TRAIN: 5994, Split.TEST: 5794}
CERTAINTIES = ("not visible", "guessing", "probably", "definitely")
"""What the numbers 1 to 4 of the official files stand for."""

RELEASE = "CUB_200_2011"
PICTURES, NAMES, LABELS, TRAINING = "images.txt", "classes.txt", "image_class_labels.txt", "train_test_split.txt"
ATTRIBUTE_LABELS = "attributes/image_attribute_labels.txt"
ATTRIBUTES = "attributes.txt"
"""It lies beside the release's folder in the official archive, and where people moved it: in it, or in a folder."""


class CUB(Dataset):
    """Arrays: `image` (N, 3, 256, 256), stretched, `label` (N,), `attribute` and `certainty` (N, 312).

    An attribute is 1 where a worker saw it; `certainty` says how sure of the answer, yes or no, they were, from 0,
    where the part was not visible, to 3. See `group_numbers` for the groups of attributes.
    """

    title = "CUB-200-2011"
    licence = "none stated; for non-commercial research, the pictures belong to their photographers"
    homepage = "https://www.vision.caltech.edu/datasets/cub_200_2011/"
    citation = "Wah, Branson, Welinder, Perona and Belongie, The Caltech-UCSD Birds-200-2011 dataset, 2011"
    sources = (
        Source(
            f"{RELEASE}.tgz",
            (
                f"https://data.caltech.edu/records/65de6-vp158/files/{RELEASE}.tgz?download=1",
                f"https://s3.amazonaws.com/fast-ai-imageclas/{RELEASE}.tgz",
            ),
            1150585339,
            "md5:97eceeb196236b17998738112f37df78",
        ),
    )
    version = 2
    content = Content(
        splits=SIZES,
        arrays={
            "image": ("uint8", (3, SIDE, SIDE)),
            "label": ("int64", ()),
            "attribute": ("uint8", (len(ATTRIBUTE_NAMES),)),
            "certainty": ("uint8", (len(ATTRIBUTE_NAMES),)),
        },
        names={"label": numbered(CLASSES), "attribute": ATTRIBUTE_NAMES, "certainty": CERTAINTIES},
    )

    def find(self, folder: Path) -> Found | None:
        """Return the official folder or archive, or `folder` if it is that itself, and attribute names beside it."""
        release = folder if (folder / LABELS).is_file() else Tree.first(folder, RELEASE)
        if release is None:
            return None
        beside = release.parent / ATTRIBUTES
        return {"release": release} | ({"attributes": beside} if release.is_dir() and beside.is_file() else {})

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the pictures in the order of `images.txt`."""
        tree = Tree(found["release"])
        top = _top(tree)
        contents = dict(tree.read_all([top + name for name in (PICTURES, NAMES, LABELS, TRAINING, ATTRIBUTE_LABELS)]))

        def lines(name: str) -> list[str]:
            return numbered_lines(contents[top + name], tree.where(top + name))

        pictures, classes, attributes = lines(PICTURES), lines(NAMES), _attribute_names(found, tree, top)
        check_unique(pictures, tree.where(top + PICTURES))
        labels = _numbers(lines(LABELS), tree.where(top + LABELS), len(pictures), range(1, len(classes) + 1))
        training = _numbers(lines(TRAINING), tree.where(top + TRAINING), len(pictures), range(2))
        splits = [Split.TRAIN if chosen else Split.TEST for chosen in training]
        if len(classes) == CLASSES:
            check_sizes(splits, SIZES, tree.where(top + TRAINING))
        answers, shape = top + ATTRIBUTE_LABELS, (len(pictures), len(attributes))
        present, certainty = read_attributes(contents[answers], tree.where(answers), shape)
        images = arrays.new("image", (len(pictures), 3, SIDE, SIDE), np.uint8)
        fill_images(images, tree, {f"{top}images/{name}": row for row, name in enumerate(pictures)}, resize="stretch")
        arrays.add("label", np.array(labels) - 1, np.int64)
        arrays.add("split", splits, np.uint8)
        arrays.add("attribute", present, np.uint8)
        arrays.add("certainty", certainty - 1, np.uint8)
        arrays.name("label", classes)
        arrays.name("attribute", attributes)
        arrays.name("certainty", CERTAINTIES)

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write the official folder, and the names of the attributes beside it, with sixteen of the classes."""
        write_sample(folder / RELEASE, folder / ATTRIBUTES, seed)


def group_numbers(attributes: Sequence[str]) -> list[int]:
    """Return the number of each attribute's group, which its name has before `::`; groups count as they come."""
    groups = [name.partition("::")[0] for name in attributes]
    known = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return [known[group] for group in groups]


def numbered_lines(content: bytes, where: str) -> list[str]:
    """Return what stands after the numbers of a file whose lines are numbered from 1.

    Raises:
        UserError: They are not; the line names `where`.
    """
    texts = []
    for line in content.decode("utf-8", "replace").splitlines():
        number, _, text = line.strip().partition(" ")
        if number != str(len(texts) + 1) or not text:
            raise foreign(where, f"its line {len(texts) + 1} is {line!r}, not that number and a text")
        texts.append(text.strip())
    if not texts:
        raise foreign(where, "it is empty")
    return texts


def read_attributes(content: bytes, where: str, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return presence, 0 or 1, and certainty, 1 to 4, of each attribute in each picture, both of `shape`.

    A line has the numbers of picture and attribute, presence, certainty, and the seconds that the answer took. Lines of
    two pictures of the release, 2275 and 9364, have a zero before the seconds.

    Raises:
        UserError: The file is broken, or does not answer each question once; the line names `where`.
    """
    if not content or content.isspace():
        raise foreign(where, "it is empty")
    try:
        table = np.loadtxt(io.BytesIO(content), np.int64, usecols=range(4), ndmin=2)
    except ValueError as error:
        raise foreign(where, f"not lines of picture, attribute, presence and certainty ({error})") from error
    low, high = np.array([1, 1, 0, 1]), np.array([*shape, 1, len(CERTAINTIES)])
    beyond = ((table < low) | (table > high)).any(1)
    if beyond.any():
        row = int(beyond.argmax())
        raise foreign(where, f"its line {row + 1} starts with {table[row].tolist()}, which goes up to {high.tolist()}")
    at = (table[:, 0] - 1) * shape[1] + table[:, 1] - 1
    if not np.array_equal(np.bincount(at, minlength=shape[0] * shape[1]), np.ones(shape[0] * shape[1])):
        raise foreign(where, f"not one line for each of {shape[0]:,} pictures and {shape[1]} attributes")
    answers = np.empty((2, shape[0] * shape[1]), np.uint8)
    answers[:, at] = table[:, 2:].T
    present, certainty = answers.reshape(2, *shape)
    return present, certainty


def _top(tree: Tree) -> str:
    """Return the path of the release's folder in a tree, with a slash at its end; nothing where it is the tree."""
    tops = [name.removesuffix(LABELS) for name in tree.names() if PurePosixPath(name).name == LABELS]
    if not tops:
        raise foreign(tree.path, f"{LABELS} is missing in it")
    return min(tops, key=len)


def _attribute_names(found: Found, tree: Tree, top: str) -> list[str]:
    """Return the names of the attributes from one of the places where they lie."""
    beside = "/".join([*PurePosixPath(top).parent.parts, ATTRIBUTES])
    there = [name for name in (f"{top}attributes/{ATTRIBUTES}", top + ATTRIBUTES, beside) if name in tree.names()]
    if there:
        return numbered_lines(tree.read(there[0]), tree.where(there[0]))
    if "attributes" in found:
        return numbered_lines(read_file(found["attributes"]), str(found["attributes"]))
    raise foreign(tree.where(top + ATTRIBUTES), f"it is missing; the official archive has it beside {RELEASE}")


def _numbers(texts: Sequence[str], where: str, length: int, admitted: range) -> list[int]:
    """Return the number of each picture from a file with one in each line."""
    if len(texts) != length:
        raise foreign(where, f"{len(texts):,} lines for {length:,} pictures")
    wrong = [row for row, text in enumerate(texts) if not text.isdecimal() or int(text) not in admitted]
    if wrong:
        known = f"{admitted[0]} to {admitted[-1]}"
        raise foreign(where, f"its line {wrong[0] + 1} says {texts[wrong[0]]!r}, not a number from {known}")
    return [int(text) for text in texts]
