"""The page's colours and dashes by the distances of the figures' style, in both schemes, without colour too."""

import itertools
import json
import re

import numpy as np
import pytest

from benchmark.report.page.build import ASSETS
from benchmark.tables.gather import MOST_TASKS_SHOWN
from tests.benchmark.figures.test_colours import FAR, VIEWS, distance

MOST_METHODS = 40
SOURCE = (ASSETS / "plots.js").read_text()


def listed(name: str) -> list[str]:
    """Return a list of strings of the page's script."""
    found = re.search(rf"{name}\s*[=:]\s*(\[[^\]]*\])", SOURCE)
    assert found is not None, name
    return json.loads(found[1])


HUES = {scheme: listed(scheme) for scheme in ("light", "dark")}
DASHES, SYMBOLS = listed("DASHES"), listed("SYMBOLS")


def test_looks_are_taken_in_turn() -> None:
    assert "color: hues[index % hues.length], dash: DASHES[index % DASHES.length]" in SOURCE
    assert "symbol: SYMBOLS[index % SYMBOLS.length]" in SOURCE
    assert len(HUES["light"]) == len(HUES["dark"])


@pytest.mark.parametrize("scheme", HUES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_lines_of_one_dash_are_told_apart_by_what_is_left_of_their_colours(scheme: str, view: np.ndarray) -> None:
    hues, pairs = HUES[scheme], list(itertools.combinations(range(MOST_TASKS_SHOWN), 2))
    alike = [pair for pair in pairs if pair[0] % len(DASHES) == pair[1] % len(DASHES)]
    assert alike
    for one, other in alike:
        assert distance(hues[one % len(hues)], hues[other % len(hues)], view) >= FAR, (one, other)


def test_no_two_methods_look_the_same() -> None:
    hues = len(HUES["light"])
    assert len({(index % hues, index % len(DASHES)) for index in range(MOST_METHODS)}) == MOST_METHODS
    assert len({(index % hues, index % len(SYMBOLS)) for index in range(MOST_METHODS)}) == MOST_METHODS
    assert len(set(DASHES)) == len(DASHES)
    assert len(set(SYMBOLS)) == len(SYMBOLS)


@pytest.mark.parametrize(("scheme", "paper"), [("light", "#fdfdfc"), ("dark", "#16181c")])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_every_colour_stands_out_from_the_page(scheme: str, paper: str, view: np.ndarray) -> None:
    for hue in HUES[scheme]:
        assert distance(hue, paper, view) >= 25, hue
