import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmark.archives import Tree
from benchmark.cache import Split
from benchmark.datasets._shapenet_categories import CATEGORIES, LISTS, PARTS
from benchmark.datasets.shapenet import POINTS, RELEASES, ShapeNet, choice
from benchmark.errors import UserError
from tests.benchmark.datasets.helpers import decoded, sample_of

RNG = np.random.default_rng(0)
Shape = tuple[str, str]
MUG, CAP = "03797390", "02954340"
COUNTS: dict[Shape, int] = {
    (MUG, "b1"): 4,
    (MUG, "a2"): POINTS + 300,
    (CAP, "c3"): 7,
    (CAP, "b1"): POINTS,
    (CAP, "d"): 3,
}
CLOUDS = {shape: (RNG.normal(size=(n, 3)).round(5), RNG.integers(0, 2, n)) for shape, n in COUNTS.items()}
SPLITS: dict[Split, list[Shape]] = {
    Split.TRAIN: [(MUG, "b1"), (CAP, "c3")],
    Split.VALIDATION: [(MUG, "a2")],
    Split.TEST: [(CAP, "d"), (CAP, "b1")],
}
EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES)


def lines(*columns: np.ndarray) -> str:
    return "".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in np.column_stack(columns))


@cache
def files(release: str) -> dict[str, str]:
    """Return the text of each file of the shapes in one of the official layouts."""
    texts = {"synsetoffset2category.txt": f"Cap\t{CAP}\nMug\t{MUG}\n"}
    for split, shapes in SPLITS.items():
        texts[LISTS[split]] = json.dumps([f"shape_data/{category}/{name}" for category, name in shapes])
    for (category, name), (points, parts) in CLOUDS.items():
        if release.endswith("normal"):
            labels = parts + CATEGORIES[category].first
            texts[f"{category}/{name}.txt"] = lines(points, RNG.normal(size=points.shape).round(4), labels)
        else:
            texts[f"{category}/points/{name}.pts"] = lines(points)
            texts[f"{category}/points_label/{name}.seg"] = lines(parts + 1)
    return texts


def write(top: Path, release: str) -> Path:
    """Write the shapes in one of the official layouts."""
    for path, text in files(release).items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    return top


def packed(folder: Path, archive: Path) -> None:
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*"), reverse=True):
            file.write(path, path.relative_to(folder.parent))


def placed(tmp_path: Path, release: str, where: str) -> Path:
    """Return a folder in which a release lies as a folder, as an archive, or that it is itself."""
    top = write(tmp_path / "written" / release, release)
    if where == "zip":
        packed(top, tmp_path / "packed" / f"{release}.zip")
        return tmp_path / "packed"
    return top if where == "itself" else top.parent


@EVERY_RELEASE
@pytest.mark.parametrize("where", ["folder", "itself", "zip"])
def test_both_releases_are_read_alike(tmp_path: Path, release: str, where: str) -> None:
    arrays, names = decoded(ShapeNet("shapenet"), placed(tmp_path, release, where), tmp_path / "cache")
    assert {name: (array.shape[1:], array.dtype) for name, array in arrays.items()} == {
        "points": ((3, POINTS), np.float32),
        "part": ((POINTS,), np.int8),
        "category": ((), np.uint8),
        "split": ((), np.uint8),
    }
    for row, shape in enumerate(sorted(CLOUDS)):
        points, parts = CLOUDS[shape]
        middle = points.sum(0) / len(points)
        radius = max(float(np.sqrt(((point - middle) ** 2).sum())) for point in points)
        kept = choice(len(points), "/".join(shape))
        np.testing.assert_allclose(arrays["points"][row], ((points - middle) / radius)[kept].T, atol=1e-6)
        assert arrays["part"][row].tolist() == parts[kept].tolist()
        assert names["category"][arrays["category"][row]] == CATEGORIES[shape[0]].name
        assert shape in SPLITS[Split(arrays["split"][row])]
    assert len(arrays["split"]) == len(CLOUDS)
    assert names == {"category": tuple(PARTS)}


@pytest.mark.parametrize("count", [1, 3, POINTS - 1, POINTS, POINTS + 1, 3000])
def test_points_are_kept_once_before_one_comes_again(count: int) -> None:
    kept = choice(count, "a/b")
    assert len(kept) == POINTS
    times = np.bincount(kept, minlength=count)
    assert times.max() - times.min() <= 1
    assert len(set(kept[:count].tolist())) == min(count, POINTS)
    assert np.array_equal(kept, choice(count, "a/b"))
    assert count == 1 or not np.array_equal(kept, choice(count, "a/c"))


def test_the_categories_have_the_official_numbering() -> None:
    assert len(CATEGORIES) == 16
    assert sum(PARTS.values()) == 50
    first = 0
    for category in CATEGORIES.values():
        assert category.first == first
        first += category.parts
    assert list(CATEGORIES) == sorted(CATEGORIES)


def test_a_shape_in_several_lists_is_not_trained_on(tmp_path: Path) -> None:
    top = write(tmp_path / RELEASES[1], RELEASES[1])
    twice = [*SPLITS[Split.TRAIN], *SPLITS[Split.TEST], *SPLITS[Split.VALIDATION], (CAP, "c3")]
    (top / LISTS[Split.TRAIN]).write_text(json.dumps(["/".join(("shape_data", *shape)) for shape in twice]))
    arrays, _ = decoded(ShapeNet("shapenet"), tmp_path, tmp_path / "cache")
    expected = [
        next(split for split in (Split.TEST, Split.VALIDATION, Split.TRAIN) if shape in SPLITS[split])
        for shape in sorted(CLOUDS)
    ]
    assert arrays["split"].tolist() == expected


def test_shapes_in_no_list_are_left_out(tmp_path: Path) -> None:
    top = write(tmp_path / RELEASES[0], RELEASES[0])
    (top / MUG / "stranger.txt").write_text("no numbers\n")
    arrays, _ = decoded(ShapeNet("shapenet"), tmp_path, tmp_path / "cache")
    assert len(arrays["split"]) == len(CLOUDS)


def test_the_release_with_normals_comes_first(tmp_path: Path) -> None:
    for release in RELEASES:
        write(tmp_path / release, release)
    assert ShapeNet("shapenet").find(tmp_path) == {"release": tmp_path / RELEASES[0]}


POINT_FILE, LABEL_FILE, JOINT_FILE = f"{CAP}/points/c3.pts", f"{CAP}/points_label/c3.seg", f"{CAP}/c3.txt"
Change = Callable[[str], str]
WRONG: list[tuple[str, str, Change, str]] = [
    (RELEASES[1], POINT_FILE, lambda text: text[: len(text) // 2], "numbers|points, and 7 labels"),
    (RELEASES[1], POINT_FILE, lambda text: "", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: "<html>\nnot found</html>", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text.replace("\n", " 1\n"), "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text + "1 2\n", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text + "1 2 3 4\n", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text + "1 2 inf\n", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text + "1 2 nan\n", "not lines of 3 numbers"),
    (RELEASES[1], POINT_FILE, lambda text: text + "1 2 3\n", "8 points, and 7 labels in the file of these"),
    (RELEASES[1], POINT_FILE, lambda text: "1 2 3\n" * 7, "all of its points are the same"),
    (
        RELEASES[1],
        LABEL_FILE,
        lambda text: "0" + text[1:],
        "not whole numbers from 1 to 2, those of the parts of a cap",
    ),
    (
        RELEASES[1],
        LABEL_FILE,
        lambda text: "3" + text[1:],
        "not whole numbers from 1 to 2, those of the parts of a cap",
    ),
    (RELEASES[1], LABEL_FILE, lambda text: "1.5" + text[1:], "not whole numbers from 1 to 2"),
    (RELEASES[0], JOINT_FILE, lambda text: text.splitlines()[0][:-3], "not lines of 7 numbers"),
    (RELEASES[0], JOINT_FILE, lambda text: text.replace(" 6\n", " 0\n"), "not whole numbers from 6 to 7"),
    (RELEASES[0], LISTS[Split.TEST], lambda text: text[:-10], "not a list of shapes that can be read"),
    (RELEASES[0], LISTS[Split.TEST], lambda text: "[]", "not a list of shapes"),
    (RELEASES[0], LISTS[Split.TEST], lambda text: '{"a": 1}', "not a list of shapes"),
    (
        RELEASES[0],
        LISTS[Split.TEST],
        lambda text: '["shape_data/99999999/a"]',
        "not a shape of one of the 16 categories",
    ),
    (RELEASES[0], LISTS[Split.TEST], lambda text: "[" * 100_000, "not a list of shapes that can be read"),
    (
        RELEASES[0],
        JOINT_FILE,
        lambda text: text.replace(text.split()[0], "1e200", 1),
        r"a coordinate of 1e\+200, where",
    ),
    (RELEASES[0], LISTS[Split.TEST], lambda text: '["a"]', "not a shape of one of the 16 categories"),
]


@pytest.mark.parametrize(("release", "file", "change", "why"), WRONG)
def test_a_wrong_file_is_named(tmp_path: Path, release: str, file: str, change: Change, why: str) -> None:
    path = write(tmp_path / release, release) / file
    path.write_text(change(path.read_text()))
    with pytest.raises(UserError, match=why) as error:
        decoded(ShapeNet("shapenet"), tmp_path, tmp_path / "cache")
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("release", "file"),
    [
        (RELEASES[0], JOINT_FILE),
        (RELEASES[1], POINT_FILE),
        (RELEASES[1], LABEL_FILE),
        (RELEASES[1], LISTS[Split.VALIDATION]),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, release: str, file: str) -> None:
    path = write(tmp_path / release, release) / file
    path.unlink()
    with pytest.raises(UserError, match="is missing") as error:
        decoded(ShapeNet("shapenet"), tmp_path, tmp_path / "cache")
    assert str(path) in str(error.value)


def test_an_archive_of_something_else_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / f"{RELEASES[0]}.zip", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(UserError, match=r"shuffled_train_file_list\.json is missing in it"):
        decoded(ShapeNet("shapenet"), tmp_path, tmp_path / "cache")


def test_the_sample_has_every_part_of_every_category_to_train_on(tmp_path: Path) -> None:
    folder = sample_of(ShapeNet("shapenet"), tmp_path / "data")
    arrays, names = decoded(ShapeNet("shapenet"), folder, tmp_path / "cache")
    for number, name in enumerate(names["category"]):
        own = (arrays["category"] == number) & (arrays["split"] == Split.TRAIN)
        assert set(np.unique(arrays["part"][own])) == set(range(PARTS[name]))
    with_normals = [name for name in Tree(folder / RELEASES[1]).names() if name.endswith(".txt")]
    assert with_normals == ["synsetoffset2category.txt"]
