"""Memory of batches is used again, and never while anything still refers to it."""

import torch

from benchmark.images import Images
from benchmark.rooms import MOST, SMALLEST, Rooms

SHAPE = (2, SMALLEST // 8)


def test_memory_is_used_again_once_the_tensor_is_gone() -> None:
    rooms = Rooms()
    first = rooms.empty(SHAPE)
    assert first.shape == SHAPE
    assert first.dtype == torch.float32
    assert first.data_ptr() % 64 == 0
    place = first.data_ptr()
    del first
    assert rooms.empty(SHAPE).data_ptr() == place
    assert rooms.empty((1, SMALLEST // 4)).data_ptr() == place, "a tensor of another shape that fits"


def test_memory_is_left_alone_while_a_tensor_a_view_or_a_graph_needs_it() -> None:
    rooms = Rooms()
    whole = rooms.empty(SHAPE).fill_(1.0)
    view = whole[1, 5:9]
    weight = torch.ones((), requires_grad=True)
    seen = rooms.empty(SHAPE).fill_(2.0)
    product = (weight * seen).sum()  # keeps `seen` for its backward pass
    del whole, seen
    others = [rooms.empty(SHAPE).fill_(torch.nan) for _ in range(3)]
    assert view.tolist() == [1.0] * 4
    product.backward()
    assert weight.grad == 2.0 * SHAPE[0] * SHAPE[1]
    assert len({other.data_ptr() for other in others}) == 3


def test_no_more_rooms_are_kept_than_a_few() -> None:
    rooms = Rooms()
    held = [rooms.empty(SHAPE) for _ in range(MOST + 3)]
    assert len({tensor.data_ptr() for tensor in held}) == MOST + 3
    held.clear()
    assert len(rooms._rooms) == MOST


def test_small_tensors_are_torchs_own() -> None:
    rooms = Rooms()
    rooms.empty((2, 3))
    assert not rooms._rooms


def test_batches_of_images_that_are_kept_stay_as_they_are() -> None:
    stored = torch.randint(0, 256, (8, 3, 256, 256), dtype=torch.uint8)
    reader = Images((0.5,) * 3, (0.2,) * 3, torch.Generator().manual_seed(0), crop=224, flip=True)
    kept = [reader.training(stored, torch.arange(8)) for _ in range(3)]
    reader.generator.manual_seed(0)
    for batch in kept:
        assert torch.equal(batch, reader.training(stored, torch.arange(8)))
