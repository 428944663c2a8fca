"""Which variants of methods are of one plan, from the values of hyper-parameters that each was asked for."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmark.arm import Arm
from benchmark.conditions import RANGES
from benchmark.spec import Value
from benchmark.values import Values

Key = tuple[str, str]
"""Setting and method."""


@dataclass(frozen=True)
class Variant:
    """One method in one setting as it was run.

    Attributes:
        asked: Hyper-parameters whose values are not the suite's own.
        arm: What was run.
        own: The suite's own values of all.
    """

    asked: Values
    arm: Arm
    own: Values


def scoped(key: Key, found: Sequence[Variant], variants: Mapping[Key, Sequence[Variant]]) -> list[Variant]:
    """Return the variants of a method; values that no other method can have been given are asked for by `method.name`.

    That is so where another method of the setting was not given them, to which the name is something else: the suite's
    own values differ.
    """
    setting, method = key
    others = [each for (place, name), each in variants.items() if place == setting and name != method]

    def spelt(name: str, values: tuple[Value, ...], own: Values) -> str:
        alone = any(
            name in other[0].own
            and other[0].own[name] != own[name]
            and not any(each.asked.get(name) == values for each in other)
            for other in others
        )
        return f"{method}.{name}" if name in own and alone else name

    return [
        dataclasses.replace(each, asked={spelt(*asked, each.own): asked[1] for asked in each.asked.items()})
        for each in found
    ]


def plans(variants: Mapping[Key, Sequence[Variant]]) -> list[Values]:
    """Return the values that commands were given, from those of single methods, joined where one plan has both."""
    found: list[Values] = []
    for several in variants.values():
        found += [each.asked for each in several if each.asked not in found]
    joined = True
    while joined:
        joined = False
        for one, other in combinations(found, 2):
            both = {**one, **other}
            agree = all(one[name] == other[name] for name in one.keys() & other.keys())
            if agree and members(variants, one) | members(variants, other) <= members(variants, both):
                found = [plan for plan in found if plan not in (one, other)] + [both]
                joined = True
                break
    return found


def members(variants: Mapping[Key, Sequence[Variant]], asked: Values) -> set[tuple[Key, int]]:
    """Return the methods in settings, and which variant of each, that a plan with the values asked for has."""
    return {
        (key, number)
        for key, found in variants.items()
        for number, each in enumerate(found)
        if each.asked == {name: values for name, values in asked.items() if name in _names(key[1], each.arm, found)}
    }


def _names(method: str, arm: Arm, variants: Sequence[Variant]) -> set[str]:
    """Return what a variant of a method can have been asked for; ranges where any of its variants was.

    A name that is asked for by `method.name` is not asked for by itself.
    """
    scoped = {name for each in variants for name in each.asked if "." in name}
    bare = {name for name in (*arm.fixed, *arm.space) if f"{method}.{name}" not in scoped}
    return bare | scoped | {RANGES for each in variants if RANGES in each.asked}
