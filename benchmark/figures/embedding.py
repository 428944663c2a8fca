"""t-SNE of the auxiliary labels that a learnt generator gives to the training images of two classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.data import Batch
from benchmark.errors import UserError, unknown
from benchmark.figures.panels import Page, panel_title, width_of
from benchmark.figures.retrain import Retrained, retrained
from benchmark.figures.style import look, short
from benchmark.pages.labels import class_names
from benchmark.pages.maps import draw_image
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import called

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPERS = ("frog", "deer")
"""The classes in the paper's figure of CIFAR-10."""

MOST_SAMPLES = 500
"""Of a class."""

FEWEST_SAMPLES = 5
SEED = 0
PERPLEXITY = 30.0
THUMBNAIL_INCHES = 0.5


def embeddings(
    record: Record, places: Places | None = None, *, device: str = "cpu", classes: Sequence[str] = ()
) -> "tuple[Figure, Retrained]":
    """Train a recorded run again to its selected epoch and draw the t-SNE of the labels of two classes.

    Args:
        record: A run whose method generates labels.
        places: Where the suite's data are.
        device: A torch device.
        classes: Names of two classes; none for frog and deer, or the first two.

    Raises:
        UserError: There is no such class, or too few of its samples, or the method generates no labels.
    """
    again = retrained(record, places, device=device)
    training, spec = again.training, record.spec
    if not hasattr(training.method, "generator") or training.method.targets(_first(again)) is None:
        raise UserError(f"method {spec.method!r} generates no labels; choose one of: auxilearn, maxl, maxl-f")
    if training.data.samples.targets[0].dim() != 2:
        raise UserError(f"suite {spec.suite!r} has labels of points, which are not drawn")
    subclasses = training.problem.subclasses  # type: ignore[attr-defined]
    names = list(class_names(training.suite, "main", len(subclasses), main=True))
    wanted = classes or (PAPERS if set(PAPERS) <= set(names) else names[:2])
    for name in wanted:
        if name not in names:
            raise unknown("class", name, names)
    if len(wanted) != 2:
        raise UserError(f"--classes takes two names by comma, not {len(wanted)}")
    numbers = [names.index(name) for name in wanted]
    parts = [soft_labels(again, number) for number in numbers]
    for name, (index, _) in zip(wanted, parts, strict=True):
        if len(index) < FEWEST_SAMPLES:
            raise UserError(f"class {name!r} has {len(index)} labelled training samples; t-SNE needs {FEWEST_SAMPLES}")
    return draw(again, wanted, parts), again


def _first(again: Retrained) -> Batch:
    data = again.training.data
    return next(data.chunks(data.validation[:2], 2))


def soft_labels(again: Retrained, number: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return the training samples of a class, (N,), and their generated labels over its own sub-classes, (N, psi)."""
    data, method = again.training.data, again.training.method
    subclasses = again.training.problem.subclasses  # type: ignore[attr-defined]
    pool = torch.cat([data.train, data.auxiliary]).sort().values
    labels = data.samples.targets[0][:, 0].cpu()
    index = pool[labels[pool] == number][:MOST_SAMPLES]
    method.eval()
    with torch.no_grad():
        parts = [method.targets(batch).float().cpu() for batch in data.chunks(index, 256)]
    first = sum(subclasses[:number])
    own = slice(first, first + subclasses[number])
    return index, torch.cat(parts)[:, own].numpy() if parts else np.zeros((0, subclasses[number]))


def embed(labels: np.ndarray) -> np.ndarray:
    """Return places in the plane, (N, 2), of labels (N, psi), always the same on one machine."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(labels) - 1) / 3)
    return TSNE(perplexity=perplexity, init="random", random_state=SEED, n_jobs=1).fit_transform(labels)


def draw(again: Retrained, names: Sequence[str], parts: Sequence[tuple[torch.Tensor, np.ndarray]]) -> "Figure":
    """Return a panel a class, points in the look of their likeliest sub-class, below it an image of each."""
    spec = again.record.spec
    psi = parts[0][1].shape[1]
    page = Page(
        2,
        title=f"{called(spec.suite, spec.data)}, {spec.setting}, {spec.method}: generated labels of two classes",
        footnote=f"t-SNE (perplexity at most {PERPLEXITY:g}, seed {SEED}) of the soft labels of labelled training "
        "samples over the sub-classes of their own class; its axes have no unit. Below: the sample with the largest "
        f"probability of each sub-class, and how many have it as the likeliest. Epoch "
        f"{again.record.selected['epoch']}, which validation selected; seed {spec.seed}, protocol {spec.protocol}, "
        f"{again.note}.",
        columns=2,
        height=2.4,
        left=0.12,
        below=THUMBNAIL_INCHES + 0.42,
        gap=(0.3, 0.1),
        legend=[f"sub-class {number + 1}" for number in range(psi)],
    )
    handles = []
    for axes, name, (index, labels) in zip(page.axes, names, parts, strict=True):
        places, likeliest = embed(labels), labels.argmax(1)
        for number in range(psi):
            plain, mine = look(number), likeliest == number
            (drawn,) = axes.plot(
                *places[mine].T, plain.marker, color=plain.colour, markersize=3.5, markeredgewidth=0.4,
                markeredgecolor="white",
            )  # fmt: skip
            handles.append(drawn)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(True)
        panel_title(axes, f"{short(name, 30)}, n = {len(labels)}", inches=width_of(page))
        _typical(page, axes, again, index, labels)
    page.legend(handles[:psi])
    return page.figure


def _typical(page: Page, axes: "Axes", again: Retrained, index: torch.Tensor, labels: np.ndarray) -> None:
    """Draw below a panel the sample with the largest probability of each sub-class."""
    training = again.training
    stored = training.data.samples.inputs[index[labels.argmax(0)].to(training.data.samples.inputs.device)]
    images = training.suite.look(stored.cpu())
    if images.dim() != 4:
        return
    box, (width, height) = axes.get_position(), page.inches
    step = box.width * width / len(images)
    for number, image in enumerate(images):
        plain = look(number)
        place = page.add(
            box.x0 * width + (number + 0.5) * step - THUMBNAIL_INCHES / 2,
            box.y0 * height - THUMBNAIL_INCHES - 0.08,
            THUMBNAIL_INCHES,
            THUMBNAIL_INCHES,
        )
        draw_image(place, image)
        place.set(xticks=[], yticks=[])
        place.spines[:].set(visible=True, color=plain.colour, linewidth=1.5)
        count = int((labels.argmax(1) == number).sum())
        place.set_xlabel(f"{number + 1}: {count}", fontsize=6.5, labelpad=2)
