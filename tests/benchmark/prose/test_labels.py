"""results/README.md, what becomes of generated labels."""

import math
from statistics import fmean

from benchmark.explanations.labels import FILE, SETTING, Labels
from benchmark.findings.generated import apart, folders
from benchmark.findings.labels import moved
from benchmark.findings.runs import RESULTS
from benchmark.generated import SUBCLASSES
from benchmark.speed.rows import read
from benchmark.statistics import ALPHA, summarize
from tests.benchmark.made_up import rows
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.parts import share_of_weights
from tests.benchmark.prose.scores import finals, less_one, mean, scores_by_method

SAID = section("What becomes of generated labels")
PUBLISHED = "auxilearn"


def measured(suite: str, method: str = PUBLISHED) -> list[Labels]:
    """Return what became of the labels of a method's runs."""
    return [row for row in read(RESULTS / FILE, Labels) if (row.suite, row.method) == (suite, method)]


def gains(found: list[Labels]) -> list[float]:
    """Return how many times as much of a sample labels say at the end as random ones do, lowest first."""
    return sorted(row.bits_after / row.bits_before for row in found)


def test_where_an_untrained_generator_does_as_well() -> None:
    assert all(float(row["p (Holm) of `maxl-f`"].lstrip("<")) > ALPHA for row in rows(apart(*folders("mnist"))))
    better = {
        suite: [name for name in (PUBLISHED, "maxl") if less_one(found, "maxl-f")[name].significant]
        for suite in ("cifar100-convnet", "cifar10-convnet")
        for found in [scores_by_method(f"rates/{suite}", SETTING)]
    }
    assert better == {"cifar100-convnet": [], "cifar10-convnet": [PUBLISHED]}
    assert "An untrained generator does as well as trained ones on MNIST, on CIFAR-100 none can be told from it" in SAID
    assert 0.5 < share_of_weights() < 1
    assert "on CIFAR-10 only AuxiLearn is better, mostly by the weights of the losses that it learns." in SAID


def test_looking_ahead_does_nothing_that_shows() -> None:
    shown = {row["method"]: row for row in rows(moved()) if row["method"].startswith("maxl")}
    own, alone, longer = (shown[f"maxl{form}"] for form in ("", ", entropy alone", ", longer look ahead"))
    labels = ("mass moved", "likeliest sub-class changed", "largest mass", "bits")
    assert [own[name] for name in labels] == [alone[name] for name in labels] == [longer[name] for name in labels]
    assert {row["suite"] for row in shown.values()} == {"`mnist`"}
    assert (
        "On MNIST MAXL's look ahead does nothing that shows: without it the same becomes of the labels, in all" in SAID
    )
    assert 'a look ahead as long as the step that Adam has just made ("longer look ahead") does nothing' in SAID
    found = measured("mnist", "maxl")
    assert all(row.largest_after < row.largest_before for row in found)
    assert max(gains(found)) < 1.05
    assert "they end softer than they began, and say no more of a sample" in SAID
    (rate,) = {dict(record.spec.hyper)["lr"] for record in finals("rates/mnist", "maxl", SETTING)}
    assert f"with the network's rate, which is {rate} of Adam" in SAID


def test_on_mnist_labels_become_nearly_those_of_the_classes() -> None:
    found = read(RESULTS / FILE, Labels)
    mass = {suite: fmean(row.moved for row in measured(suite)) for suite in {row.suite for row in found}}
    assert max(mass, key=lambda suite: mass[suite]) == "mnist"
    assert mass["mnist"] > max(row.moved for row in found if row.method.startswith("maxl"))
    assert "AuxiLearn does move them, most on MNIST" in SAID
    found = measured("mnist")
    assert fmean(row.largest_after for row in found) > 0.9
    assert max(gains(found)) < 1 / 3
    assert max(row.bits_after for row in found) < 0.02
    assert "labels that are nearly hard and nearly the same for all samples of a class" in SAID


def test_how_far_labels_go_without_the_inverse_hessian() -> None:
    published, plain = measured("mnist"), measured("mnist", f"{PUBLISHED}, corrected, identity")

    def share(name: str) -> float:
        way, whole = (
            fmean(getattr(row, f"{name}_after") - getattr(row, f"{name}_before") for row in found)
            for found in (plain, published)
        )
        return way / whole

    hard, said = (SPELLED[round(10 * share(name))] for name in ("largest", "bits"))
    how_far = f"about {hard} tenths of that way by how hard they become, and {said} tenths by what they say no more"
    assert f"Without the inverse Hessian they go {how_far} of a sample" in SAID


def test_what_labels_say_on_cifar() -> None:
    found = scores_by_method("reference/cifar10-convnet", "5%")
    assert max(found, key=lambda name: mean(found[name])) == PUBLISHED
    assert all(each.significant for each in less_one(found, PUBLISHED).values())
    hard, mnist = (summarize([row.largest_after for row in measured(suite)]) for suite in ("cifar10-convnet", "mnist"))
    assert mnist.mean - hard.sem < hard.mean < mnist.mean
    assert "where AuxiLearn has the highest mean, they become nearly as hard" in SAID
    third, *others = gains(measured("cifar10-convnet"))
    assert abs(third - 0.5) < 0.05
    low, high = (SPELLED[round(others[i])] for i in (0, -1))
    number = f"{SPELLED[len(others)]} of {SPELLED[len(others) + 1]} runs"
    more = f"in {number} say {low} to {high} times as much of a sample as random labels do, in the third half as much"
    assert more in SAID
    assert 1 < fmean(gains(measured("cifar100-convnet"))) < 1.25
    assert "on CIFAR-100 they say little more than these" in SAID


def test_what_labels_say_at_most() -> None:
    assert max(row.bits_after for row in read(RESULTS / FILE, Labels)) < math.log2(SUBCLASSES) / 7
    assert f"Nowhere do they say more than a seventh of what {SPELLED[SUBCLASSES]} sub-classes could" in SAID
