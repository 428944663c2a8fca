"""The user's own pictures in folders by class, with or without a table of attributes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmark.cache import Arrays, Prepared
from benchmark.dataset import Found
from benchmark.datasets._attributes import add_attributes, categories_of, read_attributes
from benchmark.datasets._dense_folders import find_maps
from benchmark.datasets._folder_sample import write_folder
from benchmark.datasets._folders import UNLABELLED, Picture, add_pictures, find_parts, list_pictures
from benchmark.datasets._own import OwnData
from benchmark.errors import UserError

TABLE = "attributes.csv"


class Folder(OwnData):
    """Arrays: `image` (N, 3, side, side), stretched to a square, `label` (N,), `category` and `number` of a table.

    Pictures are upright, as their EXIF orientation says. The side is that of the longest side of any picture where it
    is at most 64, else 256. Every folder is a class; the last one is `unlabelled` where there is a folder of that name,
    whose pictures have none. See `add_attributes` for the table's arrays.
    """

    version = 2
    title = "Your pictures in folders by class"
    layout = (
        "it takes a folder of pictures for each class, <class>/<picture>, or images/<class>/<picture>, or "
        "train/<class>/<picture> and test/<class>/<picture>, plain or as .tar.gz or .zip; for pictures with label "
        "maps there is the suite folder-dense; or try --sample"
    )

    def find(self, folder: Path) -> Found | None:
        """Return the folders or archives of pictures, and the table beside them; none where there are label maps."""
        parts = {} if find_maps(folder) else find_parts(folder)
        table = {"attributes": folder / TABLE} if (folder / TABLE).is_file() else {}
        return {**parts, **table} if parts else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write the pictures, those of the training set first, by class and name."""
        pictures = list_pictures({role: path for role, path in found.items() if role != "attributes"})
        classes = _classes(pictures, next(iter(found.values())))
        if table := found.get("attributes"):
            columns = read_attributes(table.read_bytes(), str(table), [picture.name for picture in pictures])
            add_attributes(arrays, columns)
        arrays.add("label", [classes.index(picture.label) for picture in pictures], np.int64)
        arrays.add("split", [picture.split for picture in pictures], np.uint8)
        arrays.name("label", classes)
        add_pictures(arrays, pictures)

    def facts(self, prepared: Prepared) -> Mapping[str, str]:
        """Return how many pictures each class has, and what became of each column of the table."""
        counts = np.bincount(prepared.tensors["label"].numpy(), minlength=len(prepared.names["label"]))
        names = zip(prepared.names["label"], counts, strict=True)
        found = {"classes": ", ".join(f"{name} ({count:,})" for name, count in names)}
        for column, (name, categories) in enumerate(categories_of(prepared.names.get("category", ())).items()):
            known = int((prepared.tensors["category"][:, column] >= 0).sum())
            found[f"column {name}"] = f"category, known of {known:,} pictures: {', '.join(categories)}"
        for column, name in enumerate(prepared.names.get("number", ())):
            values = prepared.tensors["number"][:, column]
            values = values[~values.isnan()]
            found[f"column {name}"] = f"number, known of {len(values):,} pictures: {values.min():g} to {values.max():g}"
        return found

    def write_sample(self, folder: Path, seed: int) -> None:
        """Write folders of four classes, some pictures without one, and a table of both kinds of columns."""
        write_folder(folder, seed)


def _classes(pictures: list[Picture], where: Path) -> list[str]:
    """Return the names of the classes, `unlabelled` last."""
    names = {picture.label for picture in pictures}
    classes = sorted(names - {UNLABELLED[0]})
    if len(classes) < 2:
        raise UserError(f"{where} has pictures of {len(classes)} class; there must be folders of two or more")
    return [*classes, *(names & {UNLABELLED[0]})]
