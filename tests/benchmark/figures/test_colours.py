"""The one style without colour and for eyes that see few: lines of like colours differ in dash or marker."""

import itertools

import numpy as np
import pytest

from benchmark.figures.style import COLOURS, MARKERS, look
from benchmark.tables.gather import MOST_TASKS_SHOWN

FAR = 15
"""Distance in CIELAB (CIE 1976) at which thin lines look different; colours are just noticeably so at about 2.3."""

MOST_METHODS = 40
"""Lines of a figure with dashes and markers, more than there are methods."""

WITHOUT_COLOUR = np.tile([0.2126, 0.7152, 0.0722], (3, 1))
"""Luminance of linear sRGB (ITU-R BT.709) in all three channels."""

DEFICIENCIES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
"""Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009: their matrices of severity 1.0, on linear sRGB."""

VIEWS = {"all colours": np.eye(3), "greyscale": WITHOUT_COLOUR} | {n: np.array(m) for n, m in DEFICIENCIES.items()}

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""From linear sRGB (IEC 61966-2-1)."""


def seen(colour: str, view: np.ndarray) -> np.ndarray:
    """Return a colour #rrggbb as it is seen, in CIELAB under D65."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    share = (TO_XYZ @ np.clip(view @ linear, 0, 1)) / TO_XYZ.sum(1)
    x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one: str, other: str, view: np.ndarray) -> float:
    return float(np.linalg.norm(seen(one, view) - seen(other, view)))


def test_the_simulation_by_known_values() -> None:
    assert seen("#ffffff", VIEWS["all colours"]) == pytest.approx([100, 0, 0], abs=0.02)
    assert seen("#ff0000", VIEWS["all colours"]) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for view in VIEWS.values():
        assert view.sum(1) == pytest.approx(1, abs=1e-5), "grey stays grey"
    assert seen("#0072b2", VIEWS["greyscale"])[1:] == pytest.approx(0, abs=0.02)
    red, green = "#b40000", "#606000"
    assert distance(red, green, VIEWS["deuteranopia"]) < distance(red, green, VIEWS["all colours"]) / 2


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_lines_of_one_dash_are_told_apart_by_what_is_left_of_their_colours(view: np.ndarray) -> None:
    looks = [look(number) for number in range(MOST_TASKS_SHOWN)]
    alike = [pair for pair in itertools.combinations(looks, 2) if str(pair[0].dash) == str(pair[1].dash)]
    assert alike
    for one, other in alike:
        assert distance(one.colour, other.colour, view) >= FAR, (one, other)


def test_lines_with_markers_need_no_colour_at_all() -> None:
    looks = [look(number) for number in range(MOST_METHODS)]
    assert len({(str(each.dash), each.marker) for each in looks}) == MOST_METHODS
    assert len({look(number).marker for number in range(len(MARKERS))}) == len(MARKERS)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_every_colour_stands_out_from_paper(view: np.ndarray) -> None:
    for colour in COLOURS:
        assert distance(colour, "#ffffff", view) >= 25, colour
