"""Networks: published sizes, equivalences, both modes of differentiation, half precision."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import resnet

from auxilearn import stateless_call
from auxilearn.gradients import directional_derivative
from benchmark.models.convnet import FOUR_LAYERS, TWO_LAYERS, convnet
from benchmark.models.mlp import mlp, mlp_head
from benchmark.models.multitask import MultiHead, MultiTask
from benchmark.models.pointnet import PointNet, pointnet
from benchmark.models.resnet import resnet18
from benchmark.models.segnet import WIDTHS, SegNet, segnet
from benchmark.models.vgg import vgg16
from benchmark.problem import SupervisedProblem
from benchmark.tasks import Classification

Make = Callable[[], nn.Module]


def tiny_convnet() -> nn.Module:
    trunk, features = convnet(2, (4, 6), pixels=10)
    return MultiTask(trunk, features, [3, 2])


def small_vgg() -> nn.Module:
    trunk, features = vgg16(1)
    return MultiTask(trunk, features, [3])


def small_resnet() -> nn.Module:
    trunk, features = resnet18()
    return MultiHead(trunk, [mlp_head(features, 3, width=8), nn.Linear(features, 2)])


def tiny_segnet() -> nn.Module:
    return segnet([3, 1], channels=2, widths=(4, 5, 6, 7, 8))


def tiny_pointnet() -> nn.Module:
    return pointnet([3, 2], widths=(4, 6, 8), joint=(7, 6, 5))


SIZES = {
    tiny_convnet: (2, 10, 10),
    small_vgg: (1, 32, 32),
    small_resnet: (3, 40, 40),
    tiny_segnet: (2, 32, 64),
    tiny_pointnet: (3, 9),
}
NETWORKS = pytest.mark.parametrize("make", list(SIZES), ids=lambda make: make.__name__)
TINY = pytest.mark.parametrize("make", [tiny_convnet, tiny_segnet, tiny_pointnet], ids=lambda make: make.__name__)


def inputs(make: Make, *, count: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(count, *SIZES[make], generator=torch.Generator().manual_seed(5), dtype=torch.float64).to(dtype)


def settled(make: Make, *, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Return the network in evaluation mode, its running statistics those of `inputs`."""
    model = make().to(dtype)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    model(inputs(make, dtype=dtype))
    return model.eval()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def convolution(fan_in: int, fan_out: int, kernel: int = 3) -> int:
    return fan_in * fan_out * kernel**2 + fan_out


# --- sizes


def test_sizes_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert count(vgg16()[0]) == 14_714_688 + 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)
        assert count(resnet18()[0]) == 11_176_512
        assert count(resnet18(classifier=True)[0]) == 11_689_512
        assert count(convnet(3, FOUR_LAYERS, pixels=32)[0]) == 113_088
        assert count(convnet(1, TWO_LAYERS, pixels=28)[0]) == convolution(1, 32) + convolution(32, 64) + 2 * (32 + 64)


ENCODER = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
ENCODER += [(256, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]
DECODER = [(512, 512), (512, 512), (512, 512), (512, 256), (256, 256), (256, 256)]
DECODER += [(256, 128), (128, 128), (128, 128), (128, 64), (64, 64), (64, 64), (64, 64)]


def test_segnet_has_the_layers_of_segnet_split() -> None:
    with torch.device("meta"):
        model = segnet([13, 1, 3])
    assert isinstance(model.trunk, SegNet)
    for part, layers, depths in (
        (model.trunk.encoder, ENCODER, [2, 2, 3, 3, 3]),
        (model.trunk.decoder, DECODER, [3, 3, 3, 2, 2]),
    ):
        kinds = [[type(layer) for layer in stage.children()] for stage in part]
        assert kinds == [[nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * depth for depth in depths]
        found = [m for m in part.modules() if isinstance(m, nn.Conv2d)]
        assert [(m.in_channels, m.out_channels) for m in found] == layers
        assert all(m.kernel_size == (3, 3) and m.padding == (1, 1) for m in found)
    trunk = sum(convolution(*layer) + 2 * layer[1] for layer in ENCODER + DECODER)
    heads = sum(convolution(64, 64) + convolution(64, n, 1) for n in (13, 1, 3))
    assert count(model.trunk) == trunk
    assert count(model) == trunk + heads


def test_pointnet_has_the_layers_of_part_segmentation_without_its_transformations() -> None:
    with torch.device("meta"):
        model = pointnet([4])
    before = [3, 64, 128, 128, 512, 2048]
    joined = sum(before[1:]) + 2048
    layers = [*pairwise(before), (joined, 256), (256, 256), (256, 128)]
    assert count(model.trunk) == sum(convolution(*layer, 1) + 2 * layer[1] for layer in layers)
    assert count(model) - count(model.trunk) == convolution(128, 4, 1)


@pytest.mark.parametrize("size", [(288, 384), (128, 256), (32, 32)])
def test_segnet_keeps_any_resolution_that_divides(size: tuple[int, int]) -> None:
    with torch.device("meta"):
        outputs = segnet([13, 1, 3])(torch.empty(2, 3, *size))
    assert [output.shape for output in outputs] == [(2, n, *size) for n in (13, 1, 3)]


@pytest.mark.parametrize("size", [(288, 380), (48, 64)])
def test_segnet_refuses_other_resolutions(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"multiples of 32; found {size[0]} x {size[1]}"):
        tiny_segnet()(torch.zeros(1, 2, *size))


def test_trunks_tell_how_many_features_they_have() -> None:
    with torch.device("meta"):
        for (trunk, features), size in (
            (convnet(1, TWO_LAYERS, pixels=28), (1, 28, 28)),
            (convnet(3, FOUR_LAYERS, pixels=32), (3, 32, 32)),
            (convnet(2, (4, 5), pixels=11), (2, 11, 11)),
            (vgg16(), (3, 32, 32)),
            (vgg16(1), (1, 32, 32)),
            (resnet18(), (3, 224, 224)),
            (resnet18(classifier=True), (3, 64, 64)),
        ):
            assert trunk(torch.empty(4, *size)).shape == (4, features)
        assert pointnet([4, 2])(torch.empty(5, 3, 100))[0].shape == (5, 4, 100, 1)
        assert pointnet([4, 2], channels=6)(torch.empty(5, 6, 100))[1].shape == (5, 2, 100, 1)


def test_convnet_pools_after_each_of_its_layers() -> None:
    trunk, _ = convnet(1, (2, 3), pixels=8)
    kinds = [type(layer) for layer in trunk]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d] * 2 + [nn.Flatten]


def test_a_head_with_a_hidden_layer() -> None:
    head = mlp_head(1000, 37)
    assert [type(layer) for layer in head] == [nn.Linear, nn.ReLU, nn.Linear]
    assert count(head) == 1001 * 512 + 513 * 37


# --- initialisation


@NETWORKS
def test_initialisation_follows_from_the_seed(make: Make) -> None:
    def state(seed: int) -> dict[str, Tensor]:
        torch.manual_seed(seed)
        return make().state_dict()

    first, again, other = state(1), state(1), state(2)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    weights = [name for name, value in first.items() if value.dim() > 1]
    assert weights
    assert not any(torch.equal(first[name], other[name]) for name in weights)


def test_segnet_starts_as_xavier_proposes() -> None:
    model = segnet([13], widths=(64, 64, 64, 128, 128))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fans = (module.in_channels + module.out_channels) * module.kernel_size[0] ** 2
            assert module.weight.std().item() == pytest.approx((2 / fans) ** 0.5, rel=0.1)
            assert module.weight.abs().max() > 2.5 * (2 / fans) ** 0.5  # normal, not uniform
            assert module.bias is not None
            assert not module.bias.any()


def test_vgg_starts_as_torchvisions() -> None:
    for module in vgg16()[0]:
        if isinstance(module, nn.Conv2d):
            expected = (2 / (9 * module.out_channels)) ** 0.5
            assert module.weight.std().item() == pytest.approx(expected, rel=0.1)
            assert module.bias is not None
            assert not module.bias.any()


# --- equivalences


def test_vgg_is_torchvisions_convolutions() -> None:
    ours, features = vgg16()
    theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"], batch_norm=True)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 32, 32)
    assert features == 512
    assert torch.equal(ours(images), theirs(images).flatten(1))


def test_resnet_is_torchvisions_with_and_without_its_last_map() -> None:
    full, whole = resnet18(classifier=True)
    trunk, features = resnet18()
    trunk.load_state_dict({name: value for name, value in full.state_dict().items() if not name.startswith("fc.")})
    images = torch.randn(2, 3, 40, 40)
    assert (whole, features) == (1000, 512)
    assert isinstance(full, resnet.ResNet)
    assert torch.equal(full.fc(trunk(images)), full(images))


def test_segnets_decoder_fills_the_places_of_the_maxima() -> None:
    model = SegNet(1, widths=(1,) * 5)
    model.encoder = nn.ModuleList(nn.Identity() for _ in range(5))
    model.decoder = nn.ModuleList(nn.Identity() for _ in range(5))
    images = torch.randn(2, 1, 64, 96)
    expected = torch.zeros_like(images)
    for image in range(2):
        for top in range(0, 64, 32):
            for left in range(0, 96, 32):
                block = images[image, 0, top : top + 32, left : left + 32]
                row, column = divmod(int(block.argmax()), 32)
                expected[image, 0, top + row, left + column] = block.max()
    assert torch.equal(model(images), expected)


def test_pointnet_is_a_perceptron_on_the_point_and_the_shape_joined() -> None:
    net = tiny_pointnet().trunk.double().eval()  # type: ignore[union-attr]
    assert isinstance(net, PointNet)
    points = inputs(tiny_pointnet)
    known, now = [], points
    for layer in net.local:
        now = layer(now)
        known.append(now)
    shape = torch.stack([cloud.max(1).values for cloud in now])
    whole = torch.cat([*known, shape[:, :, None].expand(-1, -1, points.shape[2])], 1)
    weight = torch.cat([net.of_point.weight[:, :, 0], net.of_shape.weight], 1)
    assert net.of_point.bias is not None
    joined = torch.einsum("oi,bip->bop", weight, whole) + net.of_point.bias[:, None]
    expected = net.joint(torch.relu(net.norm(joined)))
    torch.testing.assert_close(net(points), expected[..., None])


def test_pointnet_does_not_see_the_order_of_the_points() -> None:
    net, points = tiny_pointnet().double().eval(), inputs(tiny_pointnet)
    order = torch.randperm(points.shape[2])
    for straight, permuted in zip(net(points), net(points[:, :, order]), strict=True):
        torch.testing.assert_close(straight[:, :, order], permuted)
        assert not torch.allclose(straight, permuted)


def test_pointnet_sees_the_rest_of_the_shape() -> None:
    net, points = tiny_pointnet().double().eval(), inputs(tiny_pointnet)
    moved = points.clone()
    moved[:, :, 1:] *= 3
    assert not torch.allclose(net(points)[0][:, :, 0], net(moved)[0][:, :, 0])


# --- differentiation


def flat(model: nn.Module, params: Mapping[str, Tensor], given: Tensor) -> Tensor:
    return torch.cat([output.flatten(1) for output in stateless_call(model, params, given)], 1)


def like(tensors: Mapping[str, Tensor], seed: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.randn(value.shape, generator=draw, dtype=value.dtype) for name, value in tensors.items()}


def along(values: dict[str, Tensor], direction: dict[str, Tensor]) -> Tensor:
    return torch.stack([(values[name] * direction[name]).sum() for name in values]).sum()


@NETWORKS
def test_forward_mode_is_reverse_mode_and_leaves_buffers_alone(make: Make) -> None:
    model, given = make().double(), inputs(make)
    params = dict(model.named_parameters())
    direction = like(params, seed=2)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    found, slope = directional_derivative(lambda p: flat(model, p, given), params, direction)
    assert all(torch.equal(before[name], buffer) for name, buffer in model.named_buffers())
    outputs = flat(model, params, given)
    torch.testing.assert_close(found, outputs)
    cotangent = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    gradients = torch.autograd.grad((outputs * cotangent).sum(), list(params.values()))
    expected = along(dict(zip(params, gradients, strict=True)), direction)
    torch.testing.assert_close((slope * cotangent).sum(), expected, rtol=1e-8, atol=0)


@TINY
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_forward_mode_is_that_of_finite_differences(make: Make, training: bool) -> None:
    model, given = settled(make).train(training), inputs(make)
    params = dict(model.named_parameters())
    direction = like(params, seed=2)
    _, slope = directional_derivative(lambda p: flat(model, p, given), params, direction)
    step = 1e-8  # so small that hardly a maximum changes its place
    with torch.no_grad():
        ends = [flat(model, {n: p + s * direction[n] for n, p in params.items()}, given) for s in (step, -step)]
    error = (ends[0] - ends[1]) / (2 * step) - slope
    assert error.norm() < 1e-3 * slope.norm()


@TINY
def test_second_derivatives_are_those_of_finite_differences(make: Make) -> None:
    model, given = make().double(), inputs(make)
    params = {name: value.detach().requires_grad_() for name, value in model.named_parameters()}
    direction = like(params, seed=2)

    def gradient(at: dict[str, Tensor]) -> dict[str, Tensor]:
        loss = flat(model, at, given).square().mean()
        return dict(zip(at, torch.autograd.grad(loss, list(at.values()), create_graph=True), strict=True))

    product = torch.autograd.grad(along(gradient(params), direction), list(params.values()))
    step = 1e-7
    ends = [
        torch.cat([g.flatten() for g in gradient({n: p + s * direction[n] for n, p in params.items()}).values()])
        for s in (step, -step)
    ]
    expected = (ends[0] - ends[1]).detach() / (2 * step)
    error = torch.cat([part.flatten() for part in product]) - expected
    assert error.norm() < 1e-3 * expected.norm()


@NETWORKS
def test_every_parameter_has_a_gradient(make: Make) -> None:
    model = settled(make)  # in training a bias before BatchNorm has none
    outputs = flat(model, dict(model.named_parameters()), inputs(make))
    cotangent = torch.randn(outputs.shape, dtype=torch.float64)
    (outputs * cotangent).sum().backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@NETWORKS
def test_every_input_matters(make: Make) -> None:
    model, given = settled(make), inputs(make).requires_grad_()
    torch.cat([output.flatten() for output in model(given)]).square().sum().backward()
    assert given.grad is not None
    assert given.grad.flatten(2).any(2).all()


@NETWORKS
def test_half_precision_is_near(make: Make) -> None:
    model, given = settled(make, dtype=torch.float32), inputs(make, dtype=torch.float32)
    whole = torch.cat([output.flatten() for output in model(given)])
    with torch.autocast("cpu", torch.bfloat16):
        halves = model(given)
        assert {output.dtype for output in halves} == {torch.bfloat16}
        half = torch.cat([output.flatten() for output in halves]).float()
        half.square().sum().backward()
    assert (half - whole).norm() < 0.5 * whole.norm()  # rounding moves the places of some maxima
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


# --- one interface


@NETWORKS
def test_groups_share_the_trunk_and_nothing_of_the_heads(make: Make) -> None:
    model = make()
    assert isinstance(model, MultiTask)
    outputs = model(inputs(make, dtype=torch.float32))
    trunk = {id(p) for p in model.trunk.parameters()}
    assert trunk < {id(p) for p in model.parameters()}
    owner = model.last_shared_layer
    assert isinstance(owner, nn.Linear | nn.Conv1d | nn.Conv2d)
    assert owner is [m for m in model.trunk.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)][-1]
    for output in outputs:
        model.zero_grad()
        output.sum().backward(retain_graph=True)
        assert owner.weight.grad is not None
        assert owner.weight.grad.any()


def test_heads_serve_their_own_groups_in_order() -> None:
    model = MultiHead(mlp(4, (5,)), [nn.Linear(5, 3), mlp_head(5, 2, width=7), nn.Linear(5, 1)])
    outputs = model(torch.randn(6, 4))
    assert [output.shape[1] for output in outputs] == [3, 2, 1]
    outputs[1].sum().backward()
    for index, head in enumerate(model.head.children()):
        assert all((p.grad is not None) == (index == 1) for p in head.parameters())
    assert len(model.state_dict()) == len(set(map(id, model.parameters()))) == 2 + 2 + 4 + 2


def test_one_linear_head_is_drawn_as_ever() -> None:
    torch.manual_seed(3)
    model = MultiTask(mlp(4, (5,)), 5, [3, 2])
    torch.manual_seed(3)
    trunk, head = nn.Linear(4, 5), nn.Linear(5, 5)
    given = torch.randn(6, 4)
    assert torch.equal(torch.cat(model(given), 1), head(torch.relu(trunk(given))))
    assert list(model.state_dict()) == ["trunk.0.weight", "trunk.0.bias", "head.weight", "head.bias"]


@pytest.mark.parametrize(
    ("make", "images"),
    [(tiny_segnet, True), (tiny_pointnet, False), (tiny_convnet, False), (small_resnet, False)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_problems_know_whether_losses_are_images(make: Make, images: bool) -> None:
    model = make()
    assert isinstance(model, MultiTask)
    assert SupervisedProblem(model, [Classification({"main": 3})]).loss_images is images


def test_default_widths_are_segnets() -> None:
    assert WIDTHS == (64, 128, 256, 512, 512)
