"""Controls say nothing of the input, read nothing that training may not see, and are the same for all methods."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from benchmark.controls import extend, phrase
from benchmark.data import Batch, Data
from benchmark.spec import CONTROLS
from benchmark.suite import Suite
from benchmark.tasks import Binary, Classification, Regression, TaskGroup
from benchmark.train import Training
from tests.benchmark.helpers import Toy, a_spec

EVERY_CONTROL = pytest.mark.parametrize("name", CONTROLS)


class Given(Toy):
    """A suite of given main labels, (N, ...); those beyond `shots` of the training samples are hidden."""

    def __init__(self, group: TaskGroup, labels: Tensor, *, shots: int | None = None, judged: int = 0) -> None:
        super().__init__("given")
        trained = len(labels) - judged
        self.groups = (group,)
        self.sizes = [trained // 2, trained - trained // 2, judged // 2, judged - judged // 2]
        self.labels = labels.clone()
        self.labels[shots or trained : trained] = math.nan if labels.is_floating_point() else -1

    def data(self, setting: str, seed: int) -> Data:
        train, auxiliary, validation, test = torch.arange(len(self.labels)).split(self.sizes)
        samples = Batch(torch.zeros(len(self.labels), 1), (self.labels[:, None],))
        return Data(samples, train=train, auxiliary=auxiliary, validation=validation, test=test)


def control(suite: Suite, name: str, seed: int = 0) -> Tensor:
    """Return the targets of a control, (N, ...)."""
    return extend(suite, (name,)).data("few", seed).samples.targets[-1][:, 0]


def information(first: Tensor, second: Tensor, classes: int) -> float:
    """Return the mutual information of two labels, in nats, from their counts."""
    joint = torch.bincount(first * classes + second, minlength=classes**2).double().view(classes, classes)
    joint /= joint.sum()
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return torch.where(joint > 0, joint * (joint / apart).log(), 0.0).sum().item()


@given(samples=st.integers(1, 60), shots=st.integers(1, 60), seed=st.integers(0, 5))
def test_shuffled_uses_every_label_that_training_sees_equally_often_up_to_one(samples: int, shots: int, seed: int):
    suite = Given(Regression(("main",)), torch.arange(float(samples)), shots=min(shots, samples))
    counts = Counter(control(suite, "shuffled", seed).tolist())
    known = min(shots, samples)
    assert set(counts) <= set(range(known))
    assert {counts[label] for label in range(known)} <= {samples // known, -(-samples // known)}
    assert sum(counts.values()) == samples


def test_shuffled_labels_of_a_whole_set_are_a_permutation_of_them():
    labels = torch.arange(1000.0)
    found = control(Given(Regression(("main",)), labels), "shuffled")
    assert torch.equal(found.sort().values, labels)
    assert (found == labels).sum() < 10, "about one sample keeps its own"


ORDERS = {"sorted": lambda n: torch.arange(n) * 10 // n, "in turn": lambda n: torch.arange(n) % 10}


@EVERY_CONTROL
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shots", [None, 50])
def test_a_control_carries_no_information_on_the_main_label(name: str, order: str, shots: int | None):
    truth = ORDERS[order](20_000)
    suite = Given(Classification({"main": 10}), truth, shots=shots)
    if shots:
        suite.labels[:shots, ...] = torch.arange(shots) % 10
    assert information(truth, truth, 10) == pytest.approx(math.log(10))
    assert information(truth, control(suite, name), 10) < 0.005, "81 / 2N = 0.002 is expected of independent labels"


def test_the_controls_carry_no_information_on_each_other():
    suite = Given(Classification({"main": 10}), ORDERS["in turn"](20_000))
    assert information(control(suite, "shuffled"), control(suite, "noise"), 10) < 0.005


def test_noise_is_uniform_over_the_classes_whatever_their_shares():
    rare = (torch.arange(30_000) % 100 == 0).long()
    counts = torch.bincount(control(Given(Classification({"main": 3, "side": 7}), rare), "noise"))
    assert counts.tolist() == pytest.approx([10_000] * 3, abs=400)
    present = control(Given(Binary(("main",)), rare.float()), "noise")
    assert set(present.tolist()) == {0.0, 1.0}
    assert present.mean().item() == pytest.approx(0.5, abs=0.015)


def test_noise_is_standard_normal_for_a_regression():
    found = control(Given(Regression(("main",)), torch.full((20_000,), 7.0)), "noise")
    assert found.mean().item() == pytest.approx(0.0, abs=0.03)
    assert found.std().item() == pytest.approx(1.0, abs=0.03)
    assert (found.abs() < 1).double().mean().item() == pytest.approx(0.683, abs=0.015)


@EVERY_CONTROL
def test_labels_of_validation_and_test_have_no_say_and_their_samples_no_target(name: str):
    labels = torch.arange(200) % 10
    changed = labels.clone()
    changed[80:] = (changed[80:] + 1) % 10
    group = Classification({"main": 10})
    found = control(Given(group, labels, shots=30, judged=120), name)
    assert torch.equal(found, control(Given(group, changed, shots=30, judged=120), name))
    assert (found[80:] == -1).all()
    assert (found[:80] >= 0).all(), "every training and auxiliary sample has a target"
    value = control(Given(Regression(("main",)), labels.float(), shots=30, judged=120), name)
    assert value[80:].isnan().all()
    assert not value[:80].isnan().any()


def test_shuffled_draws_from_the_auxiliary_set_too_and_never_from_what_is_judged():
    labels = torch.cat([torch.zeros(40), torch.ones(40), torch.full((20,), 2.0)]).long()
    found = control(Given(Classification({"main": 3}), labels, judged=20), "shuffled")
    assert torch.bincount(found[:80]).tolist() == [40, 40]


@EVERY_CONTROL
@pytest.mark.parametrize("group", [Classification({"main": 10}), Regression(("main",)), Binary(("main",))])
def test_targets_follow_from_suite_setting_and_seed(name: str, group: TaskGroup):
    def targets(suite: str = "given", setting: str = "few", seed: int = 0) -> Tensor:
        labels = torch.arange(80) % 10
        made = Given(group, labels if isinstance(group, Classification) else (labels % 2).float())
        made.name = suite
        return extend(made, (name,)).data(setting, seed).samples.targets[-1]

    torch.manual_seed(99)
    before = torch.get_rng_state()
    first = targets()
    assert torch.equal(before, torch.get_rng_state()), "the global generator moved"
    torch.rand(3)
    assert torch.equal(targets(), first)
    for other in (targets(suite="other"), targets(setting="many"), targets(seed=1)):
        assert not torch.equal(other, first)


def test_all_methods_train_on_the_same_controls(toy: Toy):
    def targets(method: str) -> tuple[Tensor, ...]:
        spec = a_spec(method=method, controls=CONTROLS)
        return Training(toy, spec, torch.device("cpu")).data.samples.targets[2:]

    expected = targets("stl")
    assert len(expected) == 2
    for method in ("equal", "gcs", "auxilearn-linear"):
        assert all(map(torch.equal, targets(method), expected))


def test_a_control_is_one_more_task_of_the_main_ones_kind():
    toy = Toy()
    problem, batch = extend(toy, CONTROLS).problem("few", 0), extend(toy, CONTROLS).data("few", 0).at(torch.arange(40))
    assert problem.task_names == ("main", "side", "value", "control: shuffled", "control: noise")
    assert problem.task_kinds == ("classification", "classification", "regression", *["classification"] * 2)
    assert problem.n_tasks == len(problem.task_groups) == 5
    assert set(batch.targets[2].flatten().tolist()) == {0, 1, 2}, "labels of the main task, not of another"
    outputs = problem.model.eval()(batch.inputs)
    assert [output.shape[1] for output in outputs] == [5, 1, 3, 3]
    by_hand = [functional.cross_entropy(outputs[g], batch.targets[g][:, 0], reduction="none") for g in (2, 3)]
    assert torch.equal(problem.losses(batch)[:, 3:], torch.stack(by_hand, dim=1))


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (Regression(("main", "other")), Regression(("control: noise",))),
        (Binary(("main", "other"), scale=0.1), Binary(("control: noise",), scale=0.1)),
        (Classification({"main": 4, "other": 9}), Classification({"control: noise": 4})),
    ],
)
def test_a_control_is_like_the_first_task_of_the_first_group(group: TaskGroup, expected: TaskGroup):
    suite = Toy()
    suite.groups = (group, Classification({"last": 2}))
    assert extend(suite, ("noise",)).groups_of("few") == (*suite.groups, expected)


def test_label_images_move_as_a_whole_and_noise_is_drawn_for_each_pixel():
    images = torch.arange(8)[:, None, None] * torch.ones(4, 5).long()
    images[:, 0] = -1  # pixels without a label stay so
    images[2] = -1  # an image without a label is nobody's
    suite = Given(Classification({"main": 8}), images.repeat(5, 1, 1), judged=8)
    found = control(suite, "shuffled")
    assert found.shape == (40, 4, 5)
    assert (found[32:] == -1).all()
    known = [0, 1, 3, 4, 5, 6, 7]
    assert all(torch.equal(image, images[image[3, 3]]) for image in found[:32])
    counts = Counter(found[:32, 3, 3].tolist())
    assert set(counts) == set(known)
    noise = control(suite, "noise")[:32]
    assert torch.bincount(noise.flatten(), minlength=8).tolist() == pytest.approx([80] * 8, abs=40)
    assert all(len(image.unique()) > 3 for image in noise), "one draw a pixel"
    extended = extend(suite, CONTROLS)
    targets = extended.data("few", 0).at(torch.arange(40)).targets
    losses = [
        group.losses(torch.randn(40, 8, 4, 5), t) for group, t in zip(extended.groups_of("few"), targets, strict=True)
    ]
    assert [loss.shape for loss in losses] == [(40, 1, 4, 5)] * 3
    assert torch.equal(losses[1] == 0, targets[1] == -1)


def test_extending_leaves_the_suite_alone_and_happens_once():
    toy = Toy()
    extended = extend(toy, ("noise", "shuffled", "noise"))
    assert extended.controls == CONTROLS
    assert toy.controls == ()
    assert len(toy.groups_of("few")) == len(toy.data("few", 0).samples.targets) == 2
    assert toy.problem("few", 0).n_tasks == 3
    found, expected = extended.data("few", 0), toy.data("few", 0)
    assert all(map(torch.equal, found.samples.targets[:2], expected.samples.targets))
    assert torch.equal(found.samples.inputs, expected.samples.inputs)
    for part in ("train", "auxiliary", "validation", "test"):
        assert torch.equal(getattr(found, part), getattr(expected, part))
    assert extend(toy, ()) is toy
    assert extend(extended, CONTROLS) is extended
    for wrong in ((), ("noise",)):
        with pytest.raises(ValueError, match="suite 'toy' has controls already: shuffled, noise"):
            extend(extended, wrong)
    with pytest.raises(ValueError, match="unknown control 'loud'"):
        extend(toy, ("loud",))


def test_phrase():
    assert [phrase(CONTROLS[:n]) for n in range(3)] == [
        "", ", with the control shuffled", ", with the controls shuffled and noise"
    ]  # fmt: skip
