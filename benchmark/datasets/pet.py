"""Oxford-IIIT Pet: 7,349 photographs of 37 breeds of cats and dogs."""

from pathlib import Path

import numpy as np

from benchmark.archives import Tree
from benchmark.cache import Arrays, Split
from benchmark.dataset import Content, Dataset, Found, Source, foreign, numbered
from benchmark.datasets._drawing import class_images
from benchmark.datasets._images import jpeg
from benchmark.datasets._photographs import SIDE, add_photographs, check_sizes, check_unique, located

CLASSES = 37
SIZES = {Split.TRAIN: 3680, Split.TEST: 3669}
LISTS = {Split.TRAIN: "trainval.txt", Split.TEST: "test.txt"}

SERVERS = ("https://www.robots.ox.ac.uk/~vgg/data/pets/data/", "https://thor.robots.ox.ac.uk/~vgg/data/pets/")

SAMPLE_BREEDS = {"Abyssinian": (1, 1), "beagle": (2, 1), "Bengal": (1, 2), "boxer": (2, 2), "pug": (2, 3)}
"""Species, 1 for cats and 2 for dogs, and number of the breed within it."""
SAMPLE_SIZES = {Split.TRAIN: 45, Split.TEST: 15}
"""Pictures of a breed."""
SAMPLE_PIXELS = (72, 96)


def _source(name: str, size: int, md5: str) -> Source:
    return Source(name, tuple(server + name for server in SERVERS), size, f"md5:{md5}")


class Pet(Dataset):
    """Arrays: `image` (N, 3, 256, 256), stretched, `label` (N,).

    The official `trainval` is the training set. Files that no list names are left alone, such as the `.mat` files
    among the pictures; some pictures are called `.jpg` and are PNG or GIF, which shows in their content.
    """

    title = "Oxford-IIIT Pet"
    licence = "CC BY-SA 4.0; the pictures belong to their photographers"
    homepage = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
    citation = "Parkhi, Vedaldi, Zisserman and Jawahar, Cats and dogs, CVPR 2012"
    sources = (
        _source("images.tar.gz", 791918971, "5c4f3ee8e5d25df40f4fd59a7f44e54c"),
        _source("annotations.tar.gz", 19173078, "95a8c909bbe2e81eed6a22bccdf3f68f"),
    )
    content = Content(
        splits=SIZES,
        arrays={"image": ("uint8", (3, SIDE, SIDE)), "label": ("int64", ())},
        names={"label": numbered(CLASSES)},
    )
    folders = ("oxford-iiit-pet",)

    def find(self, folder: Path) -> Found | None:
        """Return the folders, or the archives, of pictures and lists."""
        images, annotations = Tree.first(folder, "images"), Tree.first(folder, "annotations")
        if images is None or annotations is None:
            return None
        if annotations.is_dir() and not (annotations / LISTS[Split.TRAIN]).is_file():
            return None  # of some other data set: the names are common ones
        return {"images": images, "annotations": annotations}

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the pictures of `trainval.txt` and then of `test.txt`, each in the order of its list."""
        lists, pictures = Tree(found["annotations"]), Tree(found["images"])
        names: list[str] = []
        labels: list[int] = []
        splits: list[Split] = []
        breeds: dict[int, str] = {}
        for split, path in zip(LISTS, located(lists, list(LISTS.values())), strict=True):
            listed = _read_list(lists.read(path), lists.where(path), breeds)
            names += [f"{name}.jpg" for name, _ in listed]
            check_unique(names, lists.where(path))
            labels += [number - 1 for _, number in listed]
            splits += [split] * len(listed)
        if sorted(breeds) != list(range(1, len(breeds) + 1)) or len(set(breeds.values())) != len(breeds):
            raise foreign(lists.path, "its lists do not give each breed one number, from 1 on")
        if len(breeds) == CLASSES:
            check_sizes(splits, SIZES, str(lists.path))
        add_photographs(arrays, [(pictures, located(pictures, names))])
        arrays.add("label", labels, np.int64)
        arrays.add("split", splits, np.uint8)
        arrays.name("label", [breeds[number] for number in sorted(breeds)])

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write folders of pictures and lists, with five of the breeds."""
        rng = np.random.default_rng(seed)
        each = sum(SAMPLE_SIZES.values())
        pictures = iter(class_images(np.repeat(np.arange(len(SAMPLE_BREEDS)), each), SAMPLE_PIXELS, rng=rng))
        lines: dict[str, list[str]] = {"list.txt": ["#Image CLASS-ID SPECIES BREED ID"]}
        (folder / "images").mkdir()
        for number, (breed, (species, of_species)) in enumerate(SAMPLE_BREEDS.items(), start=1):
            for index in range(1, each + 1):
                line = f"{breed}_{index} {number} {species} {of_species}"
                split = Split.TRAIN if index <= SAMPLE_SIZES[Split.TRAIN] else Split.TEST
                for file in (LISTS[split], "list.txt"):
                    lines.setdefault(file, []).append(line)
                (folder / "images" / f"{breed}_{index}.jpg").write_bytes(jpeg(next(pictures)))
        (folder / "annotations").mkdir()
        for file, listed in lines.items():
            (folder / "annotations" / file).write_text("".join(f"{line}\n" for line in listed))


def _read_list(content: bytes, where: str, breeds: dict[int, str]) -> list[tuple[str, int]]:
    """Return name and number of breed of each picture of a list; add to `breeds`, the names by number.

    A line has the picture's name, which is the breed's with a number after it, and the numbers of breed, species and
    breed within the species.
    """
    listed = []
    for line in content.decode("utf-8", "replace").splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        breed, _, index = words[0].rpartition("_")
        if len(words) != 4 or not breed or not all(word.isdecimal() for word in (index, *words[1:])):
            raise foreign(where, f"its line {line!r} is not a picture, its class, species and breed")
        number = int(words[1])
        if breeds.setdefault(number, breed) != breed:
            raise foreign(where, f"its line {line!r} gives the number of {breeds[number]} to {breed}")
        listed.append((words[0], number))
    if not listed:
        raise foreign(where, "it lists no pictures")
    return listed
