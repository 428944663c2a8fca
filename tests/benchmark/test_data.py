"""Sets that never overlap, batches that cover them, losses whose plain mean is the mean over labels, metrics."""

import pytest
import torch
from sklearn.metrics import top_k_accuracy_score
from torch import Tensor, nn

from benchmark import memory
from benchmark.data import Batch, Data, Shuffler
from benchmark.metrics import accuracy, top_k
from benchmark.models.mlp import mlp
from benchmark.models.multitask import MultiTask
from benchmark.problem import SupervisedProblem
from benchmark.tasks import UNLABELLED, Classification, Regression

GROUPS = (Classification({"main": 3, "side": 2}), Regression(("first", "second")))


def shuffler(size: int = 23, *, batch_size: int | None = 5, seed: int = 0) -> Shuffler:
    return Shuffler(torch.arange(100, 100 + size), batch_size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("second", range(4))
def test_data_refuses_an_overlap(first: int, second: int) -> None:
    samples = Batch(torch.zeros(10, 1), (torch.zeros(10, 1),))
    sets = list(torch.arange(8).split(2))
    Data(samples, *sets)
    sets[second] = torch.cat([sets[second], sets[first][:1]])
    with pytest.raises(ValueError, match="overlap"):
        Data(samples, *sets)


def test_chunks_are_the_samples_in_order() -> None:
    samples = Batch(torch.arange(10.0)[:, None], (torch.arange(20).view(10, 2),))
    data = Data(samples, *torch.arange(8).split(2))
    index = torch.tensor([7, 1, 3, 9, 0])
    chunks = list(data.chunks(index, size=2))
    assert [len(chunk.inputs) for chunk in chunks] == [2, 2, 1]
    assert torch.equal(torch.cat([chunk.inputs for chunk in chunks])[:, 0], index.float())
    assert torch.equal(torch.cat([chunk.targets[0] for chunk in chunks])[:, 1], 2 * index + 1)


def test_samples_go_to_the_device_if_they_fit_there_and_else_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = Batch(torch.arange(10.0)[:, None], (torch.arange(20).view(10, 2),))  # 40 and 160 bytes
    given, there = Data(samples, *torch.arange(8).split(2)), torch.device("meta")
    for capacity, place in ((400, "meta"), (399, "cpu")):
        monkeypatch.setattr(memory, "capacity_bytes", lambda device, capacity=capacity: capacity)
        data = given.to(there)
        parts = (data.samples.inputs, *data.samples.targets)
        assert {part.device.type for part in parts} == {place}
        assert data.train.device.type == "cpu"
        for batch in (data.at(data.train), *data.chunks(data.test)):
            assert batch.inputs.shape == (2, 1)
            assert {part.device.type for part in (batch.inputs, *batch.targets)} == {"meta"}


def test_what_holds_one_sample_many_times_does_so_on_the_device() -> None:
    samples = Batch(torch.arange(3.0).expand(10, 3), (torch.arange(20).view(10, 2),))
    inputs, (labels,) = samples.stored_on(torch.device("meta"))
    assert (inputs.shape, inputs.stride()) == ((10, 3), (0, 1))
    assert (labels.shape, labels.stride()) == ((10, 2), (2, 1))
    assert samples.stored_on(torch.device("cpu")).inputs.tolist() == samples.inputs.tolist()


def test_an_epoch_draws_each_sample_at_most_once_and_drops_what_fills_no_batch() -> None:
    batches = list(shuffler().epoch())
    assert [len(batch) for batch in batches] == [5] * 4
    assert len(shuffler()) == 4
    drawn = torch.cat(batches)
    assert len(drawn.unique()) == 20
    assert set(drawn.tolist()) <= set(range(100, 123))


def test_epochs_that_divide_evenly_cover_the_set_and_differ() -> None:
    drawn = shuffler(size=20)
    first, second = (torch.cat(list(drawn.epoch())) for _ in range(2))
    assert torch.equal(first.sort().values, torch.arange(100, 120))
    assert torch.equal(second.sort().values, torch.arange(100, 120))
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.arange(100, 120))


def test_batches_follow_from_the_generator() -> None:
    def some(seed: int) -> Tensor:
        batches = shuffler(seed=seed)
        return torch.cat([next(batches) for _ in range(9)])

    assert torch.equal(some(0), some(0))
    assert not torch.equal(some(0), some(1))


def test_no_batch_size_is_the_whole_set_in_its_own_order() -> None:
    batches = shuffler(batch_size=None)
    for _ in range(3):
        assert torch.equal(next(batches), torch.arange(100, 123))


def test_a_set_smaller_than_a_batch_is_one_batch() -> None:
    (batch,) = shuffler(size=3).epoch()
    assert sorted(batch.tolist()) == [100, 101, 102]


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        shuffler(size=0)


def problem() -> SupervisedProblem:
    """Return two classification and two regression tasks in double precision."""
    torch.manual_seed(1)
    trunk = nn.Sequential(mlp(4, (6,)), nn.BatchNorm1d(6))
    return SupervisedProblem(MultiTask(trunk, 6, [group.outputs for group in GROUPS]).double(), GROUPS)


def batch(*, unlabelled: float = 0.4) -> Batch:
    """Return 12 samples, a share of each task's without a label."""
    draw = torch.Generator().manual_seed(3)
    classes = torch.stack([torch.randint(n, (12,), generator=draw) for n in (3, 2)], 1)
    values = torch.randn(12, 2, generator=draw, dtype=torch.double)
    hidden = torch.rand(12, 4, generator=draw) < unlabelled
    classes[hidden[:, :2]] = UNLABELLED
    values[hidden[:, 2:]] = float("nan")
    return Batch(torch.randn(12, 4, generator=draw, dtype=torch.double), (classes, values))


def by_hand(given: SupervisedProblem, samples: Batch) -> list[Tensor]:
    """Return the mean over the labelled samples of each task, one sample at a time."""
    logits, outputs = given.model(samples.inputs)
    classes, values = samples.targets
    means = []
    for task, scores in enumerate((logits[:, :3], logits[:, 3:])):
        rows = [scores[i].log_softmax(0)[label] for i, label in enumerate(classes[:, task].tolist()) if label >= 0]
        means.append(-torch.stack(rows).mean())
    for task in range(2):
        rows = [(outputs[i, task] - y).square() for i, y in enumerate(values[:, task]) if y == y]
        means.append(torch.stack(rows).mean())
    return means


def gradient(loss: Tensor, given: SupervisedProblem) -> Tensor:
    parameters = list(given.model.parameters())
    found = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in found])


@pytest.mark.parametrize("unlabelled", [0.0, 0.4, 0.7])
def test_the_plain_mean_is_the_mean_over_labels_and_so_is_its_gradient(unlabelled: float) -> None:
    given, samples = problem(), batch(unlabelled=unlabelled)
    losses = given.losses(samples)
    assert losses.shape == (12, 4)
    for task, expected in enumerate(by_hand(given, samples)):
        mean = losses[:, task].mean()
        torch.testing.assert_close(mean, expected)
        torch.testing.assert_close(gradient(mean, given), gradient(expected, given))


def test_unlabelled_samples_carry_zero() -> None:
    losses = problem().losses(batch())
    classes, values = batch().targets
    unlabelled = torch.cat([classes == UNLABELLED, values.isnan()], 1)
    assert unlabelled.any(0).all()
    assert not losses[unlabelled].any()
    assert (losses[~unlabelled] > 0).all()


def test_a_task_without_any_label_gives_zero_and_not_nan() -> None:
    given, samples = problem(), batch()
    samples.targets[0][:, 0] = UNLABELLED
    samples.targets[1][:, 1] = float("nan")
    losses = given.losses(samples)
    for task in (0, 3):
        assert not losses[:, task].any()
        assert not gradient(losses[:, task].mean(), given).any()
    assert gradient(losses.mean(), given).isfinite().all()


def test_functional_losses_are_those_of_the_module_and_leave_its_buffers_alone() -> None:
    given, samples = problem(), batch()
    before = {name: buffer.clone() for name, buffer in given.model.named_buffers()}
    functional = given.losses(samples, params=dict(given.model.named_parameters()))
    assert all(torch.equal(before[name], buffer) for name, buffer in given.model.named_buffers())
    assert torch.equal(functional, given.losses(samples))
    assert not all(torch.equal(before[name], buffer) for name, buffer in given.model.named_buffers())
    doubled = {name: 2 * value for name, value in given.model.named_parameters()}
    assert not torch.equal(functional, given.losses(samples, params=doubled))


def test_names_and_kinds_follow_the_outputs() -> None:
    given = problem()
    assert given.task_names == ("main", "side", "first", "second")
    assert given.task_kinds == ("classification", "classification", "regression", "regression")
    assert given.n_tasks == 4
    assert [output.shape[1] for output in given.model(batch().inputs)] == [group.outputs for group in GROUPS]
    assert {id(p) for p in given.shared_parameters()} < {id(p) for p in given.model.parameters()}


def test_top_k_is_that_of_scikit_learn() -> None:
    draw = torch.Generator().manual_seed(0)
    outputs, labels = torch.randn(200, 7, generator=draw), torch.randint(7, (200,), generator=draw)
    labels[:7] = torch.arange(7)
    ks = (1, 2, 3, 6)
    expected = [top_k_accuracy_score(labels, outputs, k=k, normalize=False) for k in ks]
    assert top_k(outputs, labels, ks).tolist() == expected


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -float("inf")])
def test_constant_outputs_and_those_that_are_no_numbers_never_score(value: float) -> None:
    outputs, labels = torch.full((10, 10), value), torch.arange(10)
    assert top_k(outputs, labels, (1, 3, 9)).tolist() == [0, 0, 0]


def test_a_label_whose_output_is_no_number_never_scores() -> None:
    outputs = torch.zeros(1, 3)
    outputs[0, 2] = float("nan")
    assert top_k(outputs, torch.tensor([2]), (1, 2)).tolist() == [0, 0]
    assert top_k(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([0]), (1, 2)).tolist() == [1, 1]


def test_accuracy_is_over_all_batches_and_the_main_task_alone() -> None:
    class Perfect(nn.Module):
        def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
            return (torch.cat([inputs, 100 * torch.ones(len(inputs), 2)], 1),)

    def part(labels: list[int]) -> Batch:
        return Batch(torch.eye(3)[labels], (torch.tensor([[label, 1] for label in labels]),))

    parts = [part([0, 1, 2, 2]), part([1])]
    parts[0].targets[0][0, 0] = 1
    assert accuracy(Perfect(), parts, classes=3, ks=(1, 3)) == {"top1": pytest.approx(0.8), "top3": 1.0}
