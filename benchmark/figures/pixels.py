"""Loss images of scenes and the weight that a learnt combiner gives to each pixel."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from auxilearn import AuxiLearn
from benchmark.errors import UserError
from benchmark.figures.panels import Page, panel_title, width_of
from benchmark.figures.retrain import Retrained, evaluated_losses, retrained
from benchmark.figures.style import SMALL
from benchmark.pages.maps import draw_image
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import called

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCENES = 3


def pixel_weights(record: Record, places: Places | None = None, *, device: str = "cpu") -> "tuple[Figure, Retrained]":
    """Train a recorded run again to its selected epoch; draw validation scenes, their losses and pixel weights.

    The weight of a pixel is sum_j dL_T / dl_j over the tasks, scaled such that equal weighting gives the number of
    tasks everywhere.

    Raises:
        UserError: Losses are no images, or the method has no weights of pixels.
    """
    again = retrained(record, places, device=device)
    losses, weights = maps(again, SCENES)
    return draw(again, losses, weights), again


def maps(again: Retrained, scenes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return losses (N, T, H, W) of the first validation scenes and the weights of their pixels, (N, H, W)."""
    training = again.training
    spec = again.record.spec
    if not training.problem.loss_images:
        raise UserError(
            f"the losses of suite {spec.suite!r} are no images; nyuv2, cityscapes and folder-dense have some"
        )
    method = training.method
    if not isinstance(method, AuxiLearn):
        raise UserError(
            f"method {spec.method!r} has no weights of pixels; auxilearn-convnet and auxilearn-nonlinear have"
        )
    losses = evaluated_losses(training, training.data.validation[:scenes])
    # a scene at a time: a weight must not depend on which scenes are drawn beside it
    weights = [method.sample_weights(one.to(training.device)).sum(1).cpu() for one in losses.split(1)]
    return losses.numpy(), torch.cat(weights).numpy()


def draw(again: Retrained, losses: np.ndarray, weights: np.ndarray) -> "Figure":
    """Return scenes in rows: image, the loss of each task, the weight of each pixel."""
    training, spec = again.training, again.record.spec
    stored = training.data.samples.inputs[
        training.data.validation[: len(losses)].to(training.data.samples.inputs.device)
    ]
    images = training.suite.look(stored.cpu())
    columns = 2 + losses.shape[1]
    wide = (7.0 - 0.24 - (columns - 1) * 0.08) / columns
    page = Page(
        len(losses) * columns,
        title=f"{called(spec.suite, spec.data)}, {spec.setting}, {spec.method}: loss images and pixel weights",
        footnote="Validation scenes. Pixel weight: sum over tasks of dL/dl; "
        f"{losses.shape[1]} where all tasks weigh one. White: no loss. Epoch {again.record.selected['epoch']}, which "
        f"validation selected; seed {spec.seed}, protocol {spec.protocol}, {again.note}.",
        columns=columns,
        height=wide * images.shape[-2] / images.shape[-1],
        left=0.12,
        below=0.3,
        gap=(0.08, -0.14),
    )
    names = [*(f"loss: {name}" for name in again.record.tasks), "pixel weight"]
    layers = np.concatenate([np.where(losses == 0, np.nan, losses), weights[:, None]], 1)
    for column, name in enumerate(names):
        known = layers[:, column][np.isfinite(layers[:, column])]
        low, high = np.quantile(known, [0.01, 0.99]).tolist() if len(known) else (0.0, 1.0)
        high = high if high > low else low + max(abs(low), 1.0) * 1e-3
        drawn = None
        for row in range(len(losses)):
            axes = page.axes[row * columns + column + 1]
            shades = "cividis" if name == names[-1] else "magma_r"
            drawn = axes.imshow(layers[row, column], cmap=shades, vmin=low, vmax=high, interpolation="nearest")
        _bar(page, column + 1, drawn)
        panel_title(page.axes[column + 1], name, inches=width_of(page))
    for row, image in enumerate(images):
        draw_image(page.axes[row * columns], image)
    panel_title(page.axes[0], "image", inches=width_of(page))
    for axes in page.axes:
        axes.set_axis_off()
    return page.figure


def _bar(page: Page, column: int, drawn: object) -> None:
    """Draw the scale of a column below its lowest image."""
    box = page.axes[column - page.columns].get_position()
    width, height = page.inches
    side = page.add(box.x0 * width, box.y0 * height - 0.12, box.width * width, 0.06)
    bar = page.figure.colorbar(drawn, cax=side, orientation="horizontal", extend="both")  # type: ignore[arg-type]
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL - 1, length=1.5, pad=1)
    bar.ax.locator_params(nbins=3)
