"""Every method found keeps the rules of the interface on every problem that it does not decline."""

import pytest

import baselines
from tests.contract.checks import CHECKS, Check, check_declines
from tests.contract.problems import PROBLEMS


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", baselines.names())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(check: Check, name: str, problem: str) -> None:
    method_class = baselines.load(name)
    if check is not check_declines and method_class.declines(PROBLEMS[problem]()):
        return
    check(method_class, PROBLEMS[problem])


@pytest.mark.parametrize("name", baselines.names())
def test_serves_a_problem(name: str) -> None:
    declined = [baselines.load(name).declines(factory()) for factory in PROBLEMS.values()]
    assert None in declined, f"{name} declines every problem here: {declined}"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ImportError, match="pgrad"):
        baselines.load("pgrad")
