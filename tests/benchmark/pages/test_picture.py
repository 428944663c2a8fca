"""Pictures show the right labels for every kind of task, and colours that differ."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from benchmark import suites
from benchmark.data import Batch, Data
from benchmark.dense import Depth, Normals
from benchmark.figures import SAMPLE_TITLE
from benchmark.pages import labels, maps, picture
from benchmark.places import Places
from benchmark.tasks import Binary, Classification, Regression
from tests.benchmark.helpers import Toy


def words(toy: Toy, group, target, everything=None, *, main: bool = False) -> str:
    everything = target if everything is None else everything
    (caption,) = labels.captions(toy, [group], [target], [everything], inches=20)
    return caption


def test_captions_of_every_kind_of_task(toy: Toy) -> None:
    classes = Classification({"main": 3, "in_colour": 2})
    assert words(toy, classes, torch.tensor([[2, 1]])) == "class 2\nin colour 1"
    assert words(toy, classes, torch.tensor([[2, -1]])) == "class 2", "what is not labelled is left out"
    assert words(toy, Regression(("age", "size")), torch.tensor([[1.25, -3.0]])) == "age 1.2\nsize -3"


def test_the_rarest_attributes_that_are_present_are_named(toy: Toy) -> None:
    group = Binary(("has_a::common", "b", "has_wing_color::grey", "d", "e"))
    others = torch.tensor([[1.0, 1, 0, 0, 1], [1, 0, 0, 1, 1], [1, 0, 0, 0, float("nan")]])
    target = torch.tensor([[1.0, 1, 1, 0, 1]])
    assert words(toy, group, target, torch.cat([others, target])) == "wing color: grey\nb, e"


def test_a_label_and_its_value_stay_on_one_line(toy: Toy) -> None:
    group = Classification({"a": 2, "at least five": 2, "b": 2})
    (caption,) = labels.captions(toy, [group], [torch.tensor([[0, 1, 1]])], [torch.zeros(1, 3)], inches=1.1)
    assert caption.splitlines() == ["a 0", "at least five 1,", "b 1"]


def test_classes_have_their_names_where_data_sets_know_them() -> None:
    cifar = suites.load("cifar10", Places(sample=True))
    assert labels.class_names(cifar, "main", 10, main=True)[:2] == ["airplane", "automobile"]
    assert labels.class_names(cifar, "main", 3, main=True) == ["0", "1", "2"]
    assert labels.class_names(cifar, "other", 10, main=False)[0] == "0"


def test_one_test_sample_of_each_class_is_shown() -> None:
    targets = torch.tensor([[0], [1], [2], [1], [1], [0]])
    data = Data(Batch(torch.zeros(6, 1), (targets,)), *torch.arange(6).split([1, 1, 1, 3]))
    main = Classification({"main": 3})
    assert picture.representatives(data, main, 12).tolist() == [5, 3]
    assert picture.representatives(data, main, 1).tolist() == [5]


@pytest.mark.parametrize("count", [2, 8, 13, 19])
def test_colours_of_classes_differ(count: int) -> None:
    shades = maps.colours(count)
    assert shades.shape == (count, 3)
    assert min(float(np.abs(a - b).max()) for a, b in combinations(shades, 2)) > 0.03
    drawn = maps.coloured(np.array([0, count - 1, -1]), count)
    assert drawn.tolist() == [shades[0].tolist(), shades[-1].tolist(), list(maps.UNKNOWN)]


def drawn_map(group, target: torch.Tensor, task: int = 0) -> np.ndarray:
    axes = Figure().subplots()
    maps.draw_map(axes, group, target, task)
    found = axes.images[0].get_array()
    assert found is not None
    return found


def test_maps_of_dense_tasks_leave_out_what_is_unknown() -> None:
    normals = torch.tensor([[[0.0, 0.0]], [[0.0, 0.0]], [[1.0, 0.0]]])
    assert drawn_map(Normals(), normals).tolist() == [[[0.5, 0.5, 1.0], [1.0, 1.0, 1.0]]]
    assert drawn_map(Depth(), torch.tensor([[[2.0, 0.0]]])).mask.tolist() == [[False, True]]  # type: ignore[attr-defined]
    assert drawn_map(Regression(("a",)), torch.tensor([[[2.0, float("nan")]]])).mask.tolist() == [[False, True]]  # type: ignore[attr-defined]
    classes = Classification({"a": 2, "b": 3})
    expected = [maps.colours(3)[2].tolist(), list(maps.UNKNOWN)]
    assert drawn_map(classes, torch.tensor([[[0, 0]], [[2, -1]]]), 1).tolist() == [expected]


def test_only_drawn_data_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: titles.append(figure.get_suptitle()))
    for name in ("digits", "mnist", "illustrative"):
        picture.write_picture(name, tmp_path / "any.png")
    assert titles == ["", SAMPLE_TITLE, ""]


def test_settings_with_other_tasks_are_shown_too(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert picture.views(toy) == ["few"]
    groups = {"few": toy.groups, "many": (Classification({"main": 4}),)}
    monkeypatch.setattr(toy, "groups_of", lambda setting: groups[setting])
    assert picture.views(toy) == ["few", "many"]
