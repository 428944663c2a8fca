"""A drawn sample of CUB-200-2011 in its official files: mosaics with a field for each group of attributes."""

from pathlib import Path

import numpy as np

from benchmark.datasets._images import jpeg

_EYE_COLOURS = {
    "blue": (50, 90, 210), "brown": (110, 70, 35), "purple": (130, 50, 160), "rufous": (170, 70, 30),
    "grey": (130, 130, 130), "yellow": (240, 220, 50), "olive": (110, 120, 40), "green": (50, 150, 60),
    "pink": (240, 150, 180), "orange": (240, 140, 30), "black": (15, 15, 15), "white": (245, 245, 245),
    "red": (200, 30, 30), "buff": (220, 190, 130),
}  # fmt: skip
COLOURS = {**_EYE_COLOURS, "iridescent": (60, 170, 170)}
PATTERNS = ("solid", "spotted", "striped", "multi-colored")
_SHAPES = (
    "upright-perching_water-like", "chicken-like-marsh", "long-legged-like", "duck-like", "owl-like", "gull-like",
    "hummingbird-like", "pigeon-like", "tree-clinging-like", "hawk-like", "sandpiper-like", "upland-ground-like",
    "swallow-like", "perching-like",
)  # fmt: skip
_BILLS = (
    *("curved_(up_or_down)", "dagger", "hooked", "needle", "hooked_seabird", "spatulate", "all-purpose", "cone"),
    "specialized",
)
_TAILS = ("forked_tail", "rounded_tail", "notched_tail", "fan-shaped_tail", "pointed_tail", "squared_tail")
_HEADS = (
    *("spotted", "malar", "crested", "masked", "unique_pattern", "eyebrow", "eyering", "plain", "eyeline", "striped"),
    "capped",
)
_LENGTHS = ("about_the_same_as_head", "longer_than_head", "shorter_than_head")
_WINGS = ("rounded-wings", "pointed-wings", "broad-wings", "tapered-wings", "long-wings")
_SIZES = (
    *("large_(16_-_32_in)", "small_(5_-_9_in)", "very_large_(32_-_72_in)", "medium_(9_-_16_in)"),
    "very_small_(3_-_5_in)",
)

GROUPS: dict[str, tuple[str, ...]] = {
    "has_bill_shape": _BILLS,
    **dict.fromkeys(("has_wing_color", "has_upperparts_color", "has_underparts_color"), tuple(COLOURS)),
    "has_breast_pattern": PATTERNS,
    "has_back_color": tuple(COLOURS),
    "has_tail_shape": _TAILS,
    "has_upper_tail_color": tuple(COLOURS),
    "has_head_pattern": _HEADS,
    **dict.fromkeys(("has_breast_color", "has_throat_color"), tuple(COLOURS)),
    "has_eye_color": tuple(_EYE_COLOURS),
    "has_bill_length": _LENGTHS,
    **dict.fromkeys(
        ("has_forehead_color", "has_under_tail_color", "has_nape_color", "has_belly_color"), tuple(COLOURS)
    ),
    "has_wing_shape": _WINGS,
    "has_size": _SIZES,
    "has_shape": _SHAPES,
    **dict.fromkeys(("has_back_pattern", "has_tail_pattern", "has_belly_pattern"), PATTERNS),
    **dict.fromkeys(("has_primary_color", "has_leg_color", "has_bill_color", "has_crown_color"), tuple(COLOURS)),
    "has_wing_pattern": PATTERNS,
}
"""The groups of the release and their attributes: 28 with 312."""

ATTRIBUTE_NAMES = tuple(f"{group}::{attribute}" for group, attributes in GROUPS.items() for attribute in attributes)
"""The attributes as the release's `attributes.txt` has them."""

CLASSES = (
    "001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross", "004.Groove_billed_Ani",
    "005.Crested_Auklet", "006.Least_Auklet", "007.Parakeet_Auklet", "008.Rhinoceros_Auklet", "009.Brewer_Blackbird",
    "010.Red_winged_Blackbird", "011.Rusty_Blackbird", "012.Yellow_headed_Blackbird", "013.Bobolink",
    "014.Indigo_Bunting", "015.Lazuli_Bunting", "016.Painted_Bunting",
)  # fmt: skip
TRAINING, TEST = 11, 7
"""Pictures of a class."""
DEVIATING, HIDDEN = 0.1, 0.1
"""How often a picture differs from its class in a group, and how often it does not show one."""
WITH_EXTRA_ZERO = (1, 200)
"""Pictures whose lines have six columns, as those of two pictures of the release have."""
GREY_EVERY = 50
"""The release has a few grey pictures among those in colour."""

_ROWS, _COLUMNS, _FIELD, _SCALE = 4, 7, 4, 3
"""Fields of a mosaic, pixels of a field before the picture is scaled up, and by how much it is."""
_NOISE = 0.06


def write_sample(release: Path, attribute_file: Path, seed: int) -> None:
    """Write the folder of the release, and the names of the attributes.

    A class is a choice of one attribute from every group; its pictures differ from it here and there.
    """
    rng = np.random.default_rng(seed)
    sizes = np.array([len(values) for values in GROUPS.values()])
    labels = np.repeat(np.arange(len(CLASSES)), TRAINING + TEST)
    chosen = rng.integers(sizes, size=(len(CLASSES), len(GROUPS)))[labels]
    chosen = np.where(rng.random(chosen.shape) < DEVIATING, rng.integers(sizes, size=chosen.shape), chosen)
    visible = rng.random(chosen.shape) >= HIDDEN
    training = np.concatenate([rng.permutation(TRAINING + TEST) < TRAINING for _ in CLASSES])
    columns = np.where(visible, chosen + np.cumsum(sizes) - sizes, sizes.sum())
    files = [f"{CLASSES[label]}/{CLASSES[label][4:]}_{row + 1:04d}.jpg" for row, label in enumerate(labels)]
    for row, (file, picture) in enumerate(zip(files, _mosaics(columns, rng), strict=True)):
        path = release / "images" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(picture[:1] if row % GREY_EVERY == GREY_EVERY - 1 else picture))
    (release / "attributes").mkdir()
    _write_lines(attribute_file, ATTRIBUTE_NAMES)
    _write_lines(release / "images.txt", files)
    _write_lines(release / "classes.txt", CLASSES)
    _write_lines(release / "image_class_labels.txt", labels + 1)
    _write_lines(release / "train_test_split.txt", training.astype(int))
    _write_lines(release / "attributes" / "certainties.txt", ("not visible", "guessing", "probably", "definitely"))
    certainty = np.where(visible, rng.integers(2, 5, size=visible.shape), 1).repeat(sizes, axis=1)
    present = np.zeros((len(labels), sizes.sum() + 1), int)
    np.put_along_axis(present, columns, 1, axis=1)
    lines = _answers(present[:, :-1].tolist(), certainty.tolist())
    (release / "attributes" / "image_attribute_labels.txt").write_text("".join(lines))


def _mosaics(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture, uint8 (N, 3, 48, 84), for the attributes in each row of (N, 28); the last stands for none."""
    looks = [_look(value, rng) for values in GROUPS.values() for value in values]
    fields = np.stack([*looks, np.full_like(looks[0], 0.5)])[columns]
    fields = fields.reshape(-1, _ROWS, _COLUMNS, 3, _FIELD, _FIELD).transpose(0, 3, 1, 4, 2, 5)
    pictures = fields.reshape(-1, 3, _ROWS * _FIELD, _COLUMNS * _FIELD).repeat(_SCALE, axis=2).repeat(_SCALE, axis=3)
    pictures = pictures * rng.uniform(0.85, 1.15, (len(pictures), 1, 1, 1))
    return ((pictures + rng.normal(0, _NOISE, pictures.shape)).clip(0, 1) * 255).astype(np.uint8)


def _look(value: str, rng: np.random.Generator) -> np.ndarray:
    """Return the field (3, 4, 4) of an attribute: its colour, or a pattern of its own in two tones."""
    if value in COLOURS:
        return np.broadcast_to(np.array(COLOURS[value])[:, None, None] / 255, (3, _FIELD, _FIELD))
    tones = rng.uniform(0.1, 0.9, (2, 3))
    return tones[rng.integers(2, size=(_FIELD, _FIELD))].transpose(2, 0, 1)


def _answers(present: list[list[int]], certainty: list[list[int]]) -> list[str]:
    """Return the lines of picture, attribute, presence, certainty and seconds."""
    return [
        f"{row} {column} {answer} {sure} {'0 ' if row in WITH_EXTRA_ZERO else ''}{1 + column % 9}.25\n"
        for row, answers in enumerate(zip(present, certainty, strict=True), start=1)
        for column, (answer, sure) in enumerate(zip(*answers, strict=True), start=1)
    ]


def _write_lines(path: Path, texts: "np.ndarray | list[str] | tuple[str, ...]") -> None:
    path.write_text("".join(f"{number} {text}\n" for number, text in enumerate(texts, start=1)))
