"""Titles fit their figure in letters that can be read, in as many lines as that takes."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from benchmark.figures.style import SMALL, retitle, style

PLAN = "with the controls shuffled and noise; 10 epochs, the suite's own are 20; with lr 0.003, weight_decay 0.0005"


@pytest.mark.parametrize(
    ("text", "least", "most", "lines"),
    [
        ("weights", 9.0, 9.0, 1),
        ("share of the weight of each task: with the controls shuffled", SMALL, 8.9, 1),
        (f"weights: {PLAN}; {PLAN}", SMALL, SMALL, 4),
    ],
)
def test_a_title_is_as_wide_as_its_figure_at_most(text: str, least: float, most: float, lines: int) -> None:
    with style():
        figure = Figure(figsize=(3.5, 3.0), layout="constrained")
        panel = figure.subplots()
        retitle(figure, text)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        (title,) = (each for each in figure.findobj(Text) if each.get_text() == figure.get_suptitle())
        covered = title.get_window_extent(canvas.get_renderer())
    assert covered.x0 >= 0
    assert covered.x1 <= figure.bbox.x1
    assert panel.get_window_extent().y1 < covered.y0, "the panel stands below it"
    assert least <= float(title.get_fontsize()) <= most
    assert figure.get_suptitle().count("\n") == lines - 1
    assert " ".join(figure.get_suptitle().split()) == text
