"""results/README.md, the inverse Hessian on CIFAR-100 with coarse classes and on MNIST."""

from statistics import fmean

from benchmark.findings.curvature import IDENTITY, by_solver, products
from benchmark.pages.facts import facts_of
from benchmark.record import Record
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    finals,
    grid_size,
    mean,
    rate,
    scores,
    searches,
    spearman,
    steps,
    values,
)
from tests.benchmark.prose.solvers import LINEAR, gains, lengths, measured, solvers

SAID = section("Does the inverse Hessian help?")
COARSE, MNIST = "curvature/cifar100-coarse", "curvature/mnist"
FEW, SETTING = "5-shot", "5%"


def on_mnist() -> dict[str, list[Record]]:
    """Return the final runs on MNIST by solver."""
    return solvers(SETTING, "auxilearn", MNIST)


def clipped(name: str) -> float:
    """Return in which share of a solver's outer steps on MNIST the hypergradient was longer than allowed."""
    return fmean(measured(on_mnist()[name], "clipped"))


def test_coarse_classes_have_one_rate() -> None:
    (used,) = values(finals(COARSE), "auxiliary_lr")
    (preferred,) = values(finals("reference/cifar100-coarse", LINEAR, FEW), "auxiliary_lr")
    assert used != preferred
    rates = f"({used}, which was set before the search above preferred {preferred})"
    assert f"the linear combiner with one rate {rates}" in SAID
    assert "CIFAR-100 with five labels a class and the coarse classes" in SAID
    assert {record.spec.setting for record in finals(COARSE)} == {FEW}


def test_on_coarse_classes_no_difference_is_significant() -> None:
    found = gains(FEW, LINEAR, COARSE)
    assert all(each.points > 0 and not each.significant for each in found.values())
    seeds = SPELLED[len({record.spec.seed for record in finals(COARSE)})]
    apart = lengths(solvers(FEW, LINEAR, COARSE)).values()
    assert 800 < max(apart) / min(apart) < 900
    assert "lengths, which differ more than eight hundredfold here" in SAID
    assert f"All means lie above the identity's, none significantly, on {seeds} seeds" in SAID
    nystrom = solvers(FEW, LINEAR, COARSE)["nystrom 10"]
    assert fmean(measured(nystrom, "clipped", since=nystrom[0].spec.epochs)) > 0.5
    assert "(Nyström's is clipped in most steps at the end)" in SAID


def test_on_mnist_with_the_whole_grid() -> None:
    tried = by_solver(searches(MNIST))
    assert {name: len(found) for name, found in tried.items()} == dict.fromkeys(
        on_mnist(), grid_size("mnist", "auxilearn")
    )
    (outer_every,) = {rate(record, "outer_every") for record in finals(MNIST)}
    number = -(-steps(facts_of("mnist").suite, SETTING, holds_out=True) // int(outer_every))
    assert f"each with the suite's whole grid, in which a run has {number} outer steps" in SAID


def test_on_mnist_leaving_it_out_is_best() -> None:
    means = {name: mean(scores(runs)) for name, runs in on_mnist().items()}
    assert max(means, key=lambda name: means[name]) == IDENTITY
    assert products(on_mnist()[IDENTITY][0]) == 0
    assert "Leaving the inverse Hessian out has the highest mean and costs no product" in SAID
    found = gains(SETTING, "auxilearn", MNIST)
    assert not any(each.significant for each in found.values())
    loss = [-found[name].points for name in found]
    angle = [-fmean(measured(on_mnist()[name], "cosine_to_identity")) for name in found]
    assert spearman(angle, loss) < 0.5
    assert "no difference is significant, and none follows the angle" in SAID


def test_on_mnist_lengths_differ_most() -> None:
    found = lengths(on_mnist())
    assert 8_000 < max(found.values()) / min(found.values()) < 10_000
    assert "the length of the hypergradient, nearly ten thousandfold" in SAID
    assert len(values(searches(MNIST), "auxiliary_lr")) == 2
    assert "which two rates of the outer step do not make up for" in SAID
    larger = {max(rate(record, "auxiliary_lr") for record in searches(MNIST))}
    for name in ("neumann 3", "neumann 10"):
        assert values(on_mnist()[name], "auxiliary_lr") == larger
        assert clipped(name) == 0
    assert "the corrected Neumann series at its larger rate" in SAID
    assert min(clipped(name) for name in ("cg 10", "nystrom 10")) > 0.5
    assert "conjugate gradients and Nyström are clipped in most steps" in SAID


def test_how_an_untrained_generator_compares() -> None:
    means = sorted(mean(scores(runs)) for runs in on_mnist().values())
    assert means[0] < mean(scores(finals("rates/mnist", "maxl-f", "5%"))) < means[-1]
    assert "has how an untrained generator compares with all of them" in SAID
