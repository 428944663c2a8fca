"""Names in a scatter, as they are drawn: on no other name, point, bar or line."""

import itertools

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from benchmark.figures.costs import cost
from benchmark.figures.names import place_names
from benchmark.figures.runs import collect
from benchmark.figures.style import style
from benchmark.plan import Options, make_plan
from benchmark.record import Store
from tests.benchmark.helpers import ROOT


def drawn(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return each name and what its letters cover."""
    FigureCanvasAgg(figure).draw()
    renderer = FigureCanvasAgg(figure).get_renderer()
    names = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    return [(text.get_text(), super(Annotation, text).get_window_extent(renderer)) for text in names]


def segments(axes: Axes) -> list[np.ndarray]:
    """Return the ends of every bar and line in dots, level and upright pieces each."""
    found = [piece for bars in axes.containers for lines in bars[2] for piece in lines.get_segments()]
    for line in axes.lines:
        straight = line.get_drawstyle() == "default"
        corners = np.asarray(line.get_xydata()) if straight else stepped(np.asarray(line.get_xydata()))
        found += [np.array(pair) for pair in itertools.pairwise(corners)]
    return [axes.transData.transform(piece) for piece in found if len(piece) == 2]


def stepped(corners: np.ndarray) -> np.ndarray:
    """Return the corners of a line that is level first and upright then."""
    found = [corners[0]]
    for corner in corners[1:]:
        found += [np.array([corner[0], found[-1][1]]), corner]
    return np.array(found)


def struck(name: Bbox, ends: np.ndarray) -> bool:
    low, high = ends.min(0), ends.max(0)
    return bool(name.x0 < high[0] and low[0] < name.x1 and name.y0 < high[1] and low[1] < name.y1)


def assert_free(figure: Figure) -> None:
    found, axes = drawn(figure), figure.axes[0]
    for (one, first), (other, second) in itertools.combinations(found, 2):
        assert not first.overlaps(second), (one, other)
    for name, box in found:
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1 + 1, name
        assert not [ends for ends in segments(axes) if struck(box, ends)], name


@pytest.mark.parametrize("seed", range(3))
def test_names_of_crowded_points_are_free(seed: int) -> None:
    draw = np.random.default_rng(seed)
    places = [(float(x), float(y)) for x, y in draw.normal(size=(18, 2)) * [1, 0.3]]
    bars = [(float(x), float(y)) for x, y in draw.uniform(0.02, 0.2, (18, 2))]
    with style(math=False):
        figure = Figure(figsize=(7, 4))
        axes = figure.add_subplot()
        for (x, y), (wide, high) in zip(places, bars, strict=True):
            axes.errorbar(x, y, xerr=wide, yerr=high, fmt="o", markersize=4)
        axes.set(xlim=(-4, 4), ylim=(-2, 2))
        axes.plot([-4, 4], [0, 0])
        place_names(axes, places, [f"method-{n:02d}" for n in range(18)], bars, [((-4, 0), (4, 0))])
        assert_free(figure)
    assert len(axes.texts) == 18


@pytest.mark.parametrize("setting", ["5-shot", "10-shot"])
def test_names_of_the_reference_results_are_free(setting: str) -> None:
    store = Store(ROOT / "results" / "reference" / "digits")
    store.read()
    arms = make_plan(Options("digits", settings=(setting,), methods=("all",), seeds=10))
    with style(math=False):
        figure = cost(collect(arms, store.records)[setting])
        assert figure is not None
        assert_free(figure)
    assert len(figure.axes[0].texts) == 22
