"""Images, maps of labels, depth and normals, and clouds of points, in colours for all eyes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from benchmark.dense import Depth, Normals
from benchmark.tasks import UNLABELLED, Classification, TaskGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000")
"""Colours that people with any colour vision tell apart (Okabe and Ito, 2008)."""

STRIDE = 7
"""Step through the colour map of many classes, so that neighbours in number are not so in colour."""

UNKNOWN = (1.0, 1.0, 1.0)


def colours(count: int) -> np.ndarray:
    """Return a colour for each of some classes, (count, 3); of more than eight they differ in lightness first."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    if count <= len(OKABE_ITO):
        return np.array([to_rgb(colour) for colour in OKABE_ITO[:count]])
    stride = next(step for step in range(STRIDE, STRIDE + count) if np.gcd(step, count) == 1)
    order = np.arange(count) * stride % count
    return colormaps["viridis"](order / (count - 1))[:, :3]


def draw_image(axes: "Axes", image: Tensor) -> None:
    """Draw an image (C, H, W) of bytes, or of any numbers, which are scaled."""
    pixels = image.numpy().transpose(1, 2, 0)
    if pixels.shape[-1] == 1:
        axes.imshow(pixels[..., 0], cmap="gray", interpolation="nearest")
        return
    if pixels.dtype != np.uint8:
        pixels = np.clip(pixels, 0, 1)
    axes.imshow(pixels, interpolation="nearest")


def draw_map(axes: "Axes", group: TaskGroup, target: Tensor, task: int) -> None:
    """Draw the target of one task of a group, (tasks or channels, H, W); white is unknown."""
    values = target.float().numpy()
    if isinstance(group, Normals):
        known = np.abs(values).sum(0)[..., None] > 0
        axes.imshow(np.where(known, (values.transpose(1, 2, 0) + 1) / 2, UNKNOWN).clip(0, 1), interpolation="nearest")
    elif isinstance(group, Classification):
        axes.imshow(coloured(values[task].astype(int), list(group.classes.values())[task]), interpolation="nearest")
    else:
        known = values[task] > 0 if isinstance(group, Depth) else ~np.isnan(values[task])
        axes.imshow(np.ma.masked_where(~known, values[task]), cmap="viridis_r", interpolation="nearest")


def coloured(labels: np.ndarray, count: int) -> np.ndarray:
    """Return labels in their colours, with a last axis of red, green and blue; white where there is none."""
    shades = np.vstack([colours(count), UNKNOWN])
    return shades[np.where(labels == UNLABELLED, count, labels)]


def draw_legend(figure: "Figure | SubFigure", names: Sequence[str]) -> None:
    """Name the colours of classes below a figure."""
    from matplotlib.patches import Patch

    patches = [Patch(color=tuple(shade), label=name) for name, shade in zip(names, colours(len(names)), strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(len(names), 7), fontsize=6.5, handlelength=1)


def draw_points(axes: Any, points: Tensor, parts: Tensor) -> None:
    """Draw a cloud (3, P) with its parts (P,) in three dimensions, the second axis upwards."""
    across, up, along = points.numpy()[:3]
    shades = coloured(parts.numpy().astype(int), int(parts.max()) + 1)
    axes.scatter(across, along, up, c=shades, s=5, depthshade=False, linewidths=0, clip_on=False)
    axes.set_axis_off()
    axes.set_box_aspect([float(np.ptp(side)) or 1.0 for side in (across, along, up)], zoom=1.3)


def draw_regression(axes: "Axes", inputs: Tensor, target: Tensor, limit: float) -> Any:
    """Draw targets (N,) over inputs (N, 1), or as the colour of points (N, 2), which are returned."""
    if inputs.shape[1] == 1:
        axes.scatter(inputs[:, 0], target, s=4, color=OKABE_ITO[4], linewidths=0)
        axes.set_xlabel("input")
        return None
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.label_outer()
    axes.set_aspect("equal")
    return axes.scatter(
        inputs[:, 0],
        inputs[:, 1],
        c=target,
        cmap="PuOr",
        vmin=-limit,
        vmax=limit,
        s=10,
        edgecolors="0.4",
        linewidths=0.3,
    )
