"""A run's identity is all of its description; its random streams leave the method out."""

import hashlib
import inspect
import json
from dataclasses import fields

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark import seeds
from benchmark.spec import PROTOCOL, Search, Spec
from tests.benchmark.helpers import a_spec

CHANGES = {
    "suite": "other",
    "setting": "many",
    "method": "equal",
    "hyper": (("lr", 0.1), ("weight_decay", 0.01)),
    "seed": 1,
    "phase": "final",
    "epochs": 4,
    "data": "toy-2",
    "protocol": PROTOCOL + 1,
    "controls": ("noise",),
    "precision": "float32",
    "search": Search("tpe", "0123abcd", trial=0),
}
VALUES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.text(), st.booleans(), st.none())


def test_digest_is_that_of_the_sorted_compact_json() -> None:
    text = (
        '{"data":"toy-1","epochs":3,"hyper":{"lr":0.1,"weight_decay":0.0},"method":"stl","phase":"search",'
        '"protocol":1,"seed":0,"setting":"few","suite":"toy"}'
    )
    assert a_spec(protocol=1).digest == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_digest_does_not_see_the_order_of_a_dictionary() -> None:
    values = a_spec().to_json()
    values["hyper"] = dict(reversed(values["hyper"].items()))
    shuffled = dict(reversed(values.items()))
    assert list(shuffled) != list(a_spec().to_json())
    assert Spec.from_json(shuffled) == a_spec()
    assert Spec.from_json(shuffled).digest == a_spec().digest


def test_digest_sees_every_field() -> None:
    assert set(CHANGES) == {field.name for field in fields(Spec)}
    digests = {a_spec(**{name: value}).digest for name, value in CHANGES.items()}
    assert len(digests | {a_spec().digest}) == len(CHANGES) + 1


@given(hyper=st.dictionaries(st.text(), VALUES, max_size=4), setting=st.text(), seed=st.integers(0, 2**40))
def test_json_round_trip(hyper: dict[str, float], setting: str, seed: int) -> None:
    spec = a_spec(hyper=tuple(sorted(hyper.items())), setting=setting, seed=seed)
    again = Spec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.digest == spec.digest


SEARCHES = [
    Search("tpe", "0123abcd", trial=0),
    Search("tpe", "0123abcd", trial=1),
    Search("random", "0123abcd", trial=0),
    Search("tpe", "0123abcd", trial=0, seed=1),
    Search("tpe", "0123abcd", trial=0, seed=2),
    Search("tpe", "ffffffff", trial=0),
    Search("tpe", "0123abcd", trials=1),
    Search("tpe", "0123abcd", trials=2),
]


def test_every_part_of_a_search_counts_and_comes_back() -> None:
    specs = [a_spec(search=search) for search in (None, *SEARCHES)]
    assert len({spec.digest for spec in specs}) == len(specs)
    for spec in specs:
        again = Spec.from_json(json.loads(json.dumps(spec.to_json())))
        assert (again, again.digest) == (spec, spec.digest)


def test_seeds_have_no_way_to_see_the_method() -> None:
    assert list(inspect.signature(seeds.derive).parameters) == ["suite", "setting", "seed", "purpose"]


@pytest.mark.parametrize(
    "other",
    [("toy", "few", 0, "batches"), ("toy", "few", 1, "init"), ("toy", "many", 0, "init"), ("yot", "few", 0, "init")],
)
def test_streams_differ_by_each_of_what_names_them(other: tuple[str, str, int, str]) -> None:
    first, second = seeds.generator("toy", "few", 0, "init"), seeds.generator(*other)
    assert not torch.equal(torch.rand(4, generator=first), torch.rand(4, generator=second))


def test_torchs_own_streams_start_where_torch_would_start_them() -> None:
    first = seeds.derive("toy", "few", 0, "noise")
    seeds.seed_torch(first)
    drawn = torch.rand(4), torch.randperm(9)
    torch.manual_seed(first)
    assert all(map(torch.equal, drawn, (torch.rand(4), torch.randperm(9))))


def test_names_that_join_to_the_same_text_give_other_streams() -> None:
    assert seeds.derive("a", "bc", 1, "d") != seeds.derive("ab", "c", 1, "d")
    assert seeds.derive("a", "b1", 1, "d") != seeds.derive("a", "b", 11, "d")


def test_seeds_fit_torch_and_repeat() -> None:
    found = [seeds.derive("toy", "few", seed, "init") for seed in range(100)]
    assert found == [seeds.derive("toy", "few", seed, "init") for seed in range(100)]
    assert len(set(found)) == 100
    assert all(0 <= seed < 2**63 for seed in found)
