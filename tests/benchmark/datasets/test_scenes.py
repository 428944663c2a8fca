"""Drawn scenes: depth, normals, labels and images of one geometry."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from benchmark.datasets import cityscapes, nyuv2
from benchmark.datasets._scenes import View, ball, box, nearest, photograph, pixel_rays

SIZE = (48, 64)
RAYS = pixel_rays(*SIZE)
ROOM = box(RAYS, (-2, -1, -1), (3, 2, 5), (0, 1, 2, 3, 4, 5), inside=True)


def points(view: View) -> np.ndarray:
    """Return the point that each pixel sees, (3, H, W)."""
    return view.depth * RAYS


def test_a_room_is_seen_by_its_walls() -> None:
    where = points(ROOM)
    for label, (axis, coordinate) in enumerate([(0, -2), (0, 3), (1, -1), (1, 2), (2, -1), (2, 5)]):
        seen = ROOM.label == label
        assert seen.any() == (label != 4), "all but the wall behind the camera"
        np.testing.assert_allclose(where[axis][seen], coordinate)
        assert (ROOM.normal[axis][seen] == -np.sign(coordinate)).all(), "into the room"


def test_a_box_is_seen_by_the_sides_that_face_the_camera() -> None:
    view = box(RAYS, (0.5, 0.5, 2), (1.5, 1.5, 4), (0, 1, 2, 3, 4, 5))
    seen = np.isfinite(view.depth)
    assert set(view.label[seen]) == {0, 2, 4}, "its left, its top and its front"
    where = points(view)
    for label, (axis, coordinate) in {0: (0, 0.5), 2: (1, 0.5), 4: (2, 2)}.items():
        np.testing.assert_allclose(where[axis][seen & (view.label == label)], coordinate)
    inner = np.array([[0.5], [0.5], [2]]) - 1e-9, np.array([[1.5], [1.5], [4]]) + 1e-9
    assert ((where[:, seen] >= inner[0]) & (where[:, seen] <= inner[1])).all()
    assert not np.isfinite(box(RAYS, (-1, -1, -4), (1, 1, -2), 0).depth).any(), "behind the camera"


def test_a_ball_is_a_ball() -> None:
    centre = np.array([0.3, -0.2, 3.0])
    view = ball(RAYS, centre, 0.7, 9)
    seen = np.isfinite(view.depth)
    away = points(view)[:, seen] - centre[:, None]
    np.testing.assert_allclose(np.linalg.norm(away, axis=0), 0.7)
    np.testing.assert_allclose(view.normal[:, seen], away / 0.7)
    wide = np.arcsin(0.7 / np.linalg.norm(centre))
    cosine = np.tensordot(centre, RAYS, 1) / np.linalg.norm(RAYS, axis=0) / np.linalg.norm(centre)
    assert np.array_equal(seen, cosine > math.cos(wide))
    assert not np.isfinite(ball(RAYS, -centre, 0.7, 9).depth).any(), "behind the camera"


def test_the_nearest_is_seen() -> None:
    front = box(RAYS, (-0.5, -0.5, 2), (0.5, 0.5, 3), 7)
    both = nearest([ROOM, front])
    inside = np.isfinite(front.depth)
    assert inside.any()
    for view, where in ((front, inside), (ROOM, ~inside)):
        for found, expected in zip(both, view, strict=True):
            assert np.array_equal(found[..., where], expected[..., where])


def test_normals_are_those_of_the_depth() -> None:
    """The cross product of the steps from pixel to pixel is normal to the surface, wherever one face is seen."""
    where = points(ROOM)
    across, down = np.diff(where, axis=2)[:, :-1], np.diff(where, axis=1)[:, :, :-1]
    cross = np.cross(across, down, axis=0)
    cross /= np.linalg.norm(cross, axis=0)
    label = ROOM.label
    flat = (label[:-1, :-1] == label[1:, :-1]) & (label[:-1, :-1] == label[:-1, 1:])
    facing = -cross * np.sign((cross * where[:, :-1, :-1]).sum(0))
    np.testing.assert_allclose(facing[:, flat], ROOM.normal[:, :-1, :-1][:, flat], atol=1e-9)


def test_colours_tell_the_classes() -> None:
    first = photograph(ROOM, 6, np.random.default_rng(0))
    assert first.shape == (*SIZE, 3)
    assert first.min() >= 0
    assert first.max() <= 1
    hue = np.stack([first[ROOM.label == label].mean(0) for label in (0, 1, 2, 3, 5)])
    hue /= np.linalg.norm(hue, axis=1, keepdims=True)
    assert (hue @ hue.T)[~np.eye(5, dtype=bool)].max() < 0.99


def scene_of_a_room(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return nyuv2._room(rng)


def scene_of_a_street(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return cityscapes._maps(cityscapes._street(rng), rng)


@pytest.mark.parametrize(
    ("scene", "main", "classes"), [(scene_of_a_room, "label", 13), (scene_of_a_street, "label_19", 19)]
)
def test_drawn_scenes_have_every_class_and_hidden_parts(
    scene: Callable[[np.random.Generator], dict[str, np.ndarray]], main: str, classes: int
) -> None:
    rng = np.random.default_rng(0)
    drawn = [scene(rng) for _ in range(60)]
    assert set(np.unique([maps[main] for maps in drawn])) == set(range(-1, classes))
    for maps in drawn:
        depth = maps["depth" if "depth" in maps else "disparity"]
        assert (maps[main] == -1).mean() == pytest.approx(1 / 16)
        assert (depth == 0).mean() >= 1 / 16
        assert np.isfinite(depth).all()
        if "normal" in maps:
            length = np.linalg.norm(maps["normal"], axis=-1)
            assert np.array_equal(depth[..., 0] == 0, length == 0)
            np.testing.assert_allclose(length[length > 0], 1)


def test_coarse_labels_follow_from_the_fine_ones() -> None:
    rng = np.random.default_rng(0)
    of_class = {
        **dict.fromkeys(("road", "sidewalk"), (0, 0)),
        **dict.fromkeys(("building", "wall", "fence"), (1, 0)),
        **dict.fromkeys(("pole", "traffic light", "traffic sign"), (2, 0)),
        **dict.fromkeys(("vegetation", "terrain"), (3, 0)),
        "sky": (4, 0),
        **dict.fromkeys(("person", "rider"), (5, 1)),
        **dict.fromkeys(("car", "truck", "bus", "train", "motorcycle", "bicycle"), (6, 1)),
    }
    assert list(of_class) == list(cityscapes.CLASSES)
    coarse = np.array([*of_class.values(), (-1, -1)])
    for _ in range(20):
        maps = scene_of_a_street(rng)
        assert np.array_equal(maps["label_7"], coarse[maps["label_19"], 0])
        assert np.array_equal(maps["label_2"], coarse[maps["label_19"], 1])
        sky = maps["label_19"] == cityscapes.CLASSES.index("sky")
        assert not maps["disparity"][sky].any(), "the sky has no disparity"
