import pytest
import torch
from torch import Tensor
from torch.nn import functional

from benchmark.data import Batch, Data
from benchmark.images import Images, Places, copied, gathered

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def images(**settings: object) -> Images:
    return Images(MEAN, STD, torch.Generator().manual_seed(3), **settings)  # type: ignore[arg-type]


def stored(count: int = 12, height: int = 9, width: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


def normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in (MEAN, STD))
    return ((pixels.double() / 255 - mean) / std).float()


def is_part(found: Tensor, whole: Tensor) -> list[tuple[int, int, bool]]:
    """Return every place and mirroring at which `found` (C, h, w) lies in `whole` (C, H, W)."""
    rows, columns = found.shape[-2:]
    return [
        (top, left, mirrored)
        for mirrored in (False, True)
        for top in range(whole.shape[-2] - rows + 1)
        for left in range(whole.shape[-1] - columns + 1)
        if torch.allclose(
            found.flip(-1) if mirrored else found,
            normalised(whole[:, top : top + rows, left : left + columns]),
            atol=1e-5,
        )
    ]


def test_without_settings_training_and_evaluation_see_the_normalised_image() -> None:
    store, index = stored(), torch.tensor([3, 0, 3])
    expected = torch.stack([normalised(store[i]) for i in index])
    torch.testing.assert_close(images().training(store, index), expected)
    torch.testing.assert_close(images().evaluation(store, index), expected)


def test_training_crops_each_sample_at_a_place_of_its_own() -> None:
    store, index = stored(), torch.arange(12)
    places = [is_part(part, store[i]) for i, part in enumerate(images(crop=5, flip=True).training(store, index))]
    assert all(len(found) == 1 for found in places)
    tops, lefts, mirrored = (set(values) for values in zip(*(found[0] for found in places), strict=True))
    assert len(tops) > 2
    assert len(lefts) > 2
    assert mirrored == {False, True}


def test_every_place_of_a_crop_occurs_and_none_beyond() -> None:
    store = stored(1, 4, 6)
    found = images(crop=3).training(store, torch.zeros(200, dtype=torch.long))
    places = {place for part in found for place in is_part(part, store[0])}
    assert places == {(top, left, False) for top in range(2) for left in range(4)}


def test_without_flip_nothing_is_mirrored() -> None:
    store = stored()
    assert not any(
        is_part(part, store[i])[0][2] for i, part in enumerate(images(crop=5).training(store, torch.arange(12)))
    )


def test_padding_shows_black_borders() -> None:
    store = stored(1, 4, 4)
    padded = functional.pad(store[0], (2, 2, 2, 2))
    found = images(padding=2).training(store, torch.zeros(300, dtype=torch.long))
    assert found.shape == (300, 3, 4, 4)
    places = {place[:2] for part in found for place in is_part(part, padded)}
    assert places == {(top, left) for top in range(5) for left in range(5)}


def test_evaluation_takes_the_middle() -> None:
    store = stored(2, 9, 7)
    expected = torch.stack([normalised(image[:, 2:7, 1:6]) for image in store])
    torch.testing.assert_close(images(crop=5, flip=True).evaluation(store, torch.arange(2)), expected)


def test_the_generator_alone_decides_the_draws() -> None:
    store, index = stored(), torch.arange(12)
    first = images(crop=5, flip=True).training(store, index)
    torch.manual_seed(5)
    assert torch.equal(first, images(crop=5, flip=True).training(store, index))
    reader = images(crop=5, flip=True)
    state = reader.generator.get_state()
    reader.training(store, index)
    again = reader.training(store, index)
    assert not torch.equal(first, again)
    reader.generator.set_state(state)
    assert torch.equal(first, reader.training(store, index))


def test_drawing_crops_does_not_depend_on_flipping() -> None:
    store, index = stored(), torch.arange(12)
    plain, mirrored = (images(crop=5, flip=flip).training(store, index) for flip in (False, True))
    assert all(torch.equal(a, b) or torch.equal(a, b.flip(-1)) for a, b in zip(plain, mirrored, strict=True))


def test_indexing_and_copying_cut_the_same_parts_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    store, index = stored(), torch.tensor([1, 5, 5, 0, 11])
    mirrored = torch.tensor([True, False, True, False, True])
    places = Places(torch.tensor([0, 4, 2, 1, 3]), torch.tensor([3, 0, 1, 2, 4]), mirrored)
    scale, shift = (torch.rand(1, 3, 1, 1) for _ in range(2))
    expected = torch.addcmul(shift, gathered(store, index, places, (5, 4)), scale)
    for chunk in (1, 2 * 60, 10_000):  # elements: one image, two, all
        monkeypatch.setattr("benchmark.images.CHUNK", chunk)
        out = torch.full((5, 3, 5, 4), torch.nan)
        assert torch.equal(copied(store, index, places, scale=scale, shift=shift, out=out), expected)


def test_data_reads_training_and_evaluation_inputs_through_its_reader() -> None:
    store = stored()
    sets = torch.arange(12).split([6, 2, 2, 2])
    data = Data(Batch(store, (torch.arange(12)[:, None],)), *sets, reader=images(crop=5, flip=True))
    assert data.at(data.train).inputs.shape == (6, 3, 5, 5)
    chunks = list(data.chunks(torch.arange(12), size=5))
    assert [len(chunk.inputs) for chunk in chunks] == [5, 5, 2]
    whole = torch.cat([chunk.inputs for chunk in chunks])
    torch.testing.assert_close(whole, torch.stack([normalised(image[:, 2:7, 1:6]) for image in store]))
    assert data.to(torch.device("cpu")).reader is data.reader
