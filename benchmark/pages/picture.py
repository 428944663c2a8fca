"""The picture of a page: samples of a suite with the labels of all task groups."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark import suites
from benchmark.data import Data
from benchmark.figures import PAGE_INCHES, SAMPLE_TITLE, style
from benchmark.pages import labels, maps
from benchmark.places import Places
from benchmark.suite import Suite
from benchmark.tasks import Binary, Classification, TaskGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

SEED = 1
DOTS_PER_INCH = 130
MOST_VIEWS = 6
"""Settings with tasks of their own that are shown."""

POINT_AXES = 3
CAPTION_INCHES = 0.115
"""Height of a line of a caption."""


def write_picture(name: str, path: Path) -> None:
    """Draw samples of a suite into a PNG file; of real data sets the drawn sample, marked so."""
    suite = suites.load(name)
    drawn = bool(suite.datasets)
    if drawn:
        suite = suites.load(name, Places(sample=True))
    with style():
        figure = draw(suite)
        if drawn:
            figure.suptitle(SAMPLE_TITLE, color="tab:red")
        figure.savefig(path, dpi=DOTS_PER_INCH)


def draw(suite: Suite) -> "Figure":
    """Return the picture of a suite; settings whose tasks differ stand below each other."""
    from matplotlib.figure import Figure

    chosen = views(suite)
    panels = [_panel(suite, setting) for setting in chosen]
    heights = [panel.height for panel in panels]
    figure = Figure(figsize=(PAGE_INCHES, 0.25 + sum(heights)), layout="constrained")
    parts = figure.subfigures(len(panels), 1, squeeze=False, height_ratios=heights).ravel()
    for setting, panel, part in zip(chosen, panels, parts, strict=True):
        if len(chosen) > 1:
            part.suptitle(setting, x=0.01, ha="left", fontweight="bold")
        panel.draw(part)
    return figure


def views(suite: Suite) -> list[str]:
    """Return the settings that are shown: the first one with each list of tasks."""
    found: dict[tuple[tuple[str, int], ...], str] = {}
    for setting in suite.settings:
        tasks = tuple((" ".join(group.names), group.outputs) for group in suite.groups_of(setting))
        found.setdefault(tasks, setting)
    return list(found.values())[:MOST_VIEWS]


class Panel:
    """Samples of one setting.

    Args:
        suite: The suite.
        setting: Its setting.

    Attributes:
        height: In inches.
    """

    most = 12
    height = 2.0

    def __init__(self, suite: Suite, setting: str, data: Data) -> None:
        self.suite, self.groups = suite, suite.groups_of(setting)
        self.index = representatives(data, self.groups[0], self.most)
        self.inputs = suite.look(data.samples.inputs[self.index])
        self.targets = [target[self.index] for target in data.samples.targets]
        self.all_targets = data.samples.targets

    def draw(self, figure: "Figure | SubFigure") -> None:
        """Fill a part of a figure."""
        raise NotImplementedError


class Captioned(Panel):
    """Images with their labels below."""

    def __init__(self, suite: Suite, setting: str, data: Data) -> None:
        super().__init__(suite, setting, data)
        most = 4 if any(isinstance(group, Binary) for group in self.groups) else 6
        self.columns = max(4, min(most, len(self.index)))
        width = PAGE_INCHES / self.columns
        self.captions = labels.captions(suite, self.groups, self.targets, self.all_targets, inches=width)
        self.rows = -(-len(self.index) // self.columns)
        lines = max(caption.count("\n") + 1 for caption in self.captions)
        self.height = self.rows * (0.8 * width + CAPTION_INCHES * lines + 0.12)

    def draw(self, figure: "Figure | SubFigure") -> None:
        """Draw the images in rows."""
        axes = figure.subplots(self.rows, self.columns, squeeze=False).ravel()
        for place in axes:
            place.set_axis_off()
        for place, image, caption in zip(axes, self.inputs, self.captions, strict=False):
            maps.draw_image(place, image)
            place.text(0.5, -0.04, caption, transform=place.transAxes, ha="center", va="top", fontsize=6.5)


class Dense(Panel):
    """Scenes, one a row, beside the maps of all tasks."""

    most = 3

    def __init__(self, suite: Suite, setting: str, data: Data) -> None:
        super().__init__(suite, setting, data)
        self.tasks = [
            (group, number, name) for group in range(len(self.groups)) for number, name in enumerate(self._names(group))
        ]
        height, width = self.inputs.shape[-2:]
        self.height = len(self.index) * PAGE_INCHES / (1 + len(self.tasks)) * height / width + 0.6

    def _names(self, group: int) -> Sequence[str]:
        return self.groups[group].names

    def draw(self, figure: "Figure | SubFigure") -> None:
        """Draw image and maps of each scene."""
        grid = figure.subplots(len(self.index), 1 + len(self.tasks), squeeze=False)
        for row, axes in enumerate(grid):
            maps.draw_image(axes[0], self.inputs[row])
            for place, (group, number, _) in zip(axes[1:], self.tasks, strict=True):
                maps.draw_map(place, self.groups[group], self.targets[group][row], number)
            for place in axes:
                place.set_axis_off()
        for place, title in zip(grid[0], ["image", *(name for _, _, name in self.tasks)], strict=True):
            place.set_title(title)
        main = self.groups[0]
        if isinstance(main, Classification):
            task, count = next(iter(main.classes.items()))
            maps.draw_legend(figure, labels.class_names(self.suite, task, count, main=True))


class Points(Panel):
    """Clouds of points in the colours of their parts."""

    most = 4
    height = 1.5

    def draw(self, figure: "Figure | SubFigure") -> None:
        """Draw the clouds side by side."""
        for number, (points, parts) in enumerate(zip(self.inputs, self.targets[0], strict=True), start=1):
            axes = figure.add_subplot(1, len(self.index), number, projection="3d")
            maps.draw_points(axes, points if points.shape[0] == POINT_AXES else points.T, parts.flatten())


class Scatter(Panel):
    """Targets of a regression over its inputs: the main task, and the first, middle and last auxiliary ones."""

    most = 200
    height = 2.2

    def draw(self, figure: "Figure | SubFigure") -> None:
        """Draw a panel a task; inputs of two dimensions are places, and targets colours."""
        names, targets = self.groups[0].names, self.targets[0]
        shown = sorted({0, 1, len(names) // 2, len(names) - 1})
        places: list[Axes] = list(figure.subplots(1, len(shown), sharey=True, squeeze=False)[0])
        for axes, task in zip(places, shown, strict=True):
            axes.set_title(names[task])
        limit = float(targets[:, shown].abs().quantile(0.95))  # few strong colours must not pale all others
        for axes, task in zip(places, shown, strict=True):
            drawn = maps.draw_regression(axes, self.inputs, targets[:, task], limit)
            if drawn is not None and axes is places[-1]:
                figure.colorbar(drawn, ax=places, label="target").outline.set_visible(False)


def _panel(suite: Suite, setting: str) -> Panel:
    """Return the panel that suits what the suite's inputs and targets are."""
    data = suite.data(setting, SEED)
    looks = suite.look(data.samples.inputs[:1])
    if looks.dim() == 4:
        dense = any(target.dim() == 4 for target in data.samples.targets)
        return (Dense if dense else Captioned)(suite, setting, data)
    return (Points if looks.dim() == 3 else Scatter)(suite, setting, data)


def representatives(data: Data, main: TaskGroup, most: int) -> Tensor:
    """Return test samples, one of each class of the main task where samples have one, as many as there are."""
    index, target = data.test, data.samples.targets[0]
    if isinstance(main, Classification) and target.dim() == 2:
        classes = target[index, 0]
        first = [int((classes == label).nonzero()[0]) for label in classes.unique()]
        return index[torch.tensor(first)][:most]
    if target.dim() > 2:
        spread = torch.linspace(0, len(index) - 1, min(most, len(index))).long()
        return index[spread]
    return index[:most]
