from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmark.cache import Split
from benchmark.datasets._cub_sample import COLOURS, GROUPS
from benchmark.datasets.cub import CUB, group_numbers
from tests.benchmark.datasets.helpers import Decoded, decoded, sample_of


def test_the_release_has_28_groups_of_312_attributes() -> None:
    numbers = group_numbers([f"{group}::{value}" for group, values in GROUPS.items() for value in values])
    assert len(numbers) == 312
    sizes = Counter(numbers)
    assert len(sizes) == 28
    assert Counter(sizes.values()) == {15: 15, 4: 5, 14: 2, 5: 2, 9: 1, 6: 1, 11: 1, 3: 1}
    assert all(len(set(values)) == len(values) for values in GROUPS.values())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Decoded]:
    folder = sample_of(CUB("cub"), tmp_path_factory.mktemp("cub") / "data")
    return folder, decoded(CUB("cub"), folder, folder.parent / "cache")


def test_the_sample_has_the_quirks_of_the_release(sample: tuple[Path, Decoded]) -> None:
    folder, (arrays, _) = sample
    text = (folder / "CUB_200_2011" / "attributes" / "image_attribute_labels.txt").read_text()
    assert Counter(len(line.split()) for line in text.splitlines()) == {5: 286 * 312, 6: 2 * 312}
    assert (folder / "attributes.txt").is_file()
    assert (np.ptp(arrays["image"], axis=1).max(axis=(1, 2)) == 0).sum() == 288 // 50, "grey pictures"
    assert set(np.unique(arrays["certainty"]).tolist()) == {0, 1, 2, 3}
    assert not arrays["attribute"][arrays["certainty"] == 0].any(), "what is not visible is not there"


def test_the_sample_has_as_many_pictures_of_each_class(sample: tuple[Path, Decoded]) -> None:
    _, (arrays, names) = sample
    counts = Counter(zip(arrays["label"].tolist(), arrays["split"].tolist(), strict=True))
    assert counts == {(label, split): 11 if split == Split.TRAIN else 7 for label in range(16) for split in (0, 1)}
    assert len(names["label"]) == 16


def test_attributes_of_the_sample_can_be_seen(sample: tuple[Path, Decoded]) -> None:
    """The mean colour of a group's field is that of the attribute that the picture has."""
    _, (arrays, names) = sample
    numbers = np.array(group_numbers(names["attribute"]))
    group = list(GROUPS).index("has_wing_color")
    columns = np.flatnonzero(numbers == group)
    palette = np.array([COLOURS[names["attribute"][column].partition("::")[2]] for column in columns])
    coloured = np.ptp(arrays["image"], axis=1).max(axis=(1, 2)) > 0
    shown = coloured & arrays["attribute"][:, columns].any(1)
    width = 256 / 7
    field = arrays["image"][shown][:, :, 12:52, int(group * width) + 6 : int((group + 1) * width) - 6].mean((2, 3))
    nearest = ((field[:, None] - palette) ** 2).sum(-1).argmin(1)
    assert (nearest == arrays["attribute"][shown][:, columns].argmax(1)).mean() > 0.95


def test_attributes_of_the_sample_tell_its_classes(sample: tuple[Path, Decoded]) -> None:
    _, (arrays, _) = sample
    train = arrays["split"] == Split.TRAIN
    means = np.stack([arrays["attribute"][train & (arrays["label"] == label)].mean(0) for label in range(16)])
    told = (arrays["attribute"][~train] @ means.T).argmax(1)
    assert (told == arrays["label"][~train]).mean() > 0.95
    assert len(np.unique(arrays["attribute"], axis=0)) > 250, "pictures of a class differ"
