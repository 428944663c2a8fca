"""From options to arms: products of grids and the order in which sources win."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from torch import Tensor

import baselines
from auxilearn import Method, Problem, task_means
from benchmark import estimate
from benchmark.data import Data
from benchmark.errors import UserError
from benchmark.estimate import Pace, seconds_per_run
from benchmark.hyper import as_text, hyper_parameters, parse
from benchmark.plan import Options, make_plan
from benchmark.spec import SEARCH_SEED
from tests.benchmark.helpers import Toy, a_record, toy_arm


class Tunable(Method):
    """A method whose hyper-parameters every source sets (nobody, 2026)."""

    search_space: ClassVar = {"beta": (1.0, 2.0), "gamma": (3.0, 4.0), "lr": (7.0, 8.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        alpha: float = 0.0,
        beta: float = 0.0,
        gamma: float = 0.0,
        steps: int = 1,
        fast: bool = False,
        mode: str = "plain",
        cap: float | None = None,
    ) -> None:
        super().__init__(problem)
        if beta < 0:
            raise ValueError(f"beta must not be negative; found {beta}")

    def combine(self, losses: Tensor) -> Tensor:
        return task_means(losses)[0]


class Narrow(Tunable):
    """A method that fixes one argument of its base and passes on the others (nobody, 2026)."""

    search_space: ClassVar = {}

    def __init__(self, problem: Problem, *, own: int = 5, beta: float = 9.0, **settings: Any) -> None:
        super().__init__(problem, beta=beta, **settings)


@pytest.fixture
def tunable(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    names, load = baselines.names(), baselines.load
    ours = {"tunable": Tunable, "narrow": Narrow}
    monkeypatch.setattr(baselines, "names", lambda: sorted([*names, *ours]))
    monkeypatch.setattr(baselines, "load", lambda name: ours[name] if name in ours else load(name))
    return toy


def test_a_setting_named_twice_is_run_once(tunable: Toy) -> None:
    arms = make_plan(Options("toy", settings=("few", "many", "few"), methods=("tunable", "tunable")))
    assert [(arm.setting, arm.method) for arm in arms] == [("few", "tunable"), ("many", "tunable")]


def test_points_are_the_product_of_what_is_searched(tunable: Toy) -> None:
    arm = toy_arm("tunable", fixed={"weight_decay": "0"})
    assert arm.trials == len(arm.points()) == 2 * 2 * 2
    assert {tuple(sorted(point.items())) for point in arm.points()} == {
        (("beta", beta), ("gamma", gamma), ("lr", lr))
        for beta in (1.0, 2.0)
        for gamma in (3.0, 4.0)
        for lr in (0.1, 0.01)
    }
    assert arm.runs == 8 + 2
    specs = [arm.spec(point) for point in arm.points()]
    assert len({spec.digest for spec in specs}) == 8
    assert {(spec.seed, spec.phase) for spec in specs} == {(SEARCH_SEED, "search")}


def test_later_sources_win(tunable: Toy) -> None:
    tunable.defaults = {"beta": 5.0, "nothing": 1.0}  # pyright: ignore[reportAttributeAccessIssue]
    arm = toy_arm("tunable", grid={"lr": ("1", "2", "3")}, fixed={"weight_decay": "0.5"})
    found = {**{key: (value,) for key, value in arm.fixed.items()}, **arm.space}
    assert found["alpha"] == (0.0,), "the constructor's"
    assert found["gamma"] == (3.0, 4.0), "the search space before the constructor"
    assert found["beta"] == (5.0,), "the suite's default before the search space"
    assert found["lr"] == (1.0, 2.0, 3.0), "the user before the suite's grid"
    assert found["weight_decay"] == (0.5,)
    assert "nothing" not in found
    assert toy_arm("tunable").space["lr"] == (0.1, 0.01), "the suite's grid before the search space"


def test_a_default_of_the_suite_with_several_values_is_searched(tunable: Toy) -> None:
    tunable.defaults = {"alpha": (1.0, 2.0, 3.0)}  # pyright: ignore[reportAttributeAccessIssue]
    assert toy_arm("tunable").space["alpha"] == (1.0, 2.0, 3.0)


def test_settings_are_passed_on_to_the_base(tunable: Toy) -> None:
    assert hyper_parameters(Narrow) == {**hyper_parameters(Tunable), "own": 5, "beta": 9.0}
    assert toy_arm("narrow", fixed={"alpha": "3"}).fixed["alpha"] == 3.0


def test_values_are_read_as_the_type_of_the_default(tunable: Toy) -> None:
    texts = {"steps": "3", "fast": "True", "mode": "other", "cap": "2", "alpha": "1e-3", "beta": "1"}
    fixed = toy_arm("tunable", fixed=texts).fixed
    assert {key: fixed[key] for key in texts} == {
        "steps": 3, "fast": True, "mode": "other", "cap": 2.0, "alpha": 0.001, "beta": 1.0
    }  # fmt: skip
    assert all(type(fixed[key]) is kind for key, kind in {"steps": int, "cap": float, "beta": float}.items())


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("steps", "3.5", "steps takes a whole number, not '3.5'"),
        ("fast", "maybe", "fast takes true or false, not 'maybe'"),
        ("alpha", "nan", "alpha takes a finite number, not 'nan'"),
        ("alpha", "1e999", "alpha takes a finite number"),
        ("cap", "x", "cap takes a finite number"),
        ("beta", "-1", "tunable: beta must not be negative; found -1.0"),
        ("lr", "-1", "tunable: .*-1"),
        (
            "beat",
            "1",
            r"unknown hyper-parameter 'beat' of the methods that run \(did you mean beta\?\); choose one of: .*beta",
        ),
    ],
)
def test_a_wrong_value_is_told_before_any_training(name: str, text: str, told: str, tunable: Toy) -> None:
    with pytest.raises(UserError, match=told):
        toy_arm("tunable", fixed={name: text})
    with pytest.raises(UserError, match=told):
        toy_arm("tunable", grid={name: ("1", text) if name != "fast" else ("true", text)})
    assert not tunable.measured


def test_set_and_grid_of_one_name_are_refused(toy: Toy) -> None:
    with pytest.raises(UserError, match="both name 'lr'"):
        toy_arm(fixed={"lr": "1"}, grid={"lr": ("1", "2")})


def test_equal_values_of_a_grid_are_one_point(toy: Toy) -> None:
    assert toy_arm(grid={"lr": ("1", "1.0", "2")}).space["lr"] == (1.0, 2.0)


def test_one_value_left_means_no_search(toy: Toy) -> None:
    arm = toy_arm(fixed={"lr": "1", "weight_decay": "0"})
    assert (arm.trials, arm.runs, arm.space) == (0, 2, {})


def test_final_runs_have_new_seeds_and_the_chosen_point(toy: Toy) -> None:
    arm = toy_arm(seeds=4, epochs=7)
    point = arm.points()[1]
    finals = arm.finals(point)
    assert len({spec.seed for spec in finals}) == 4
    assert SEARCH_SEED not in {spec.seed for spec in finals}
    assert {(spec.phase, spec.epochs) for spec in finals} == {("final", 7)}
    assert all(dict(spec.hyper) == {**arm.fixed, **point} for spec in finals)
    assert toy_arm(seeds=2, epochs=7).finals(point) == finals[:2], "more seeds add runs and change none"


def test_settings_and_methods_default_to_the_suites(toy: Toy) -> None:
    arms = make_plan(Options("toy"))
    assert [(arm.setting, arm.method) for arm in arms] == [
        ("few", "stl"), ("few", "equal"), ("many", "stl"), ("many", "equal")
    ]  # fmt: skip
    assert [arm.method for arm in make_plan(Options("toy", settings=("many",), methods=("equal", "equal")))] == [
        "equal"
    ]


def test_all_is_every_method_with_the_suites_own_first(toy: Toy) -> None:
    methods = [arm.method for arm in make_plan(Options("toy", settings=("few",), methods=("all",)))]
    assert methods[:2] == ["stl", "equal"]
    assert sorted(methods) == baselines.names()


def test_a_method_that_declines_has_no_runs_and_a_reason(toy: Toy) -> None:
    arm = toy_arm("auxilearn-convnet")
    assert arm.declined
    assert arm.runs == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (Options("toyy"), r"unknown suite 'toyy' \(did you mean toy\?\); choose one of: .*toy"),
        (Options("toy", settings=("fw",)), r"unknown setting 'fw' \(did you mean few\?\); choose one of: few, many"),
        (
            Options("toy", methods=("pgrad",)),
            r"unknown method 'pgrad' \(did you mean pcgrad\?\); choose one of: .*stl.*all",
        ),
    ],
)
def test_wrong_names_are_told_with_what_is_allowed(options: Options, told: str, toy: Toy) -> None:
    with pytest.raises(UserError, match=told):
        make_plan(options)


def test_a_value_for_one_method_leaves_the_others_alone() -> None:
    options = Options("digits", ("5-shot",), ("gradnorm", "dwa"), fixed={"gradnorm.alpha": "0.5", "dwa.lr": "0.1"})
    gradnorm, dwa = make_plan(options)
    assert gradnorm.fixed["alpha"] == 0.5
    assert "lr" in gradnorm.space
    assert dwa.fixed["lr"] == 0.1
    assert "alpha" not in {**dwa.fixed, **dwa.space}


def test_the_value_for_one_method_beats_the_value_for_all() -> None:
    fixed = {"gradnorm.lr": "0.5", "lr": "0.1"}
    gradnorm, dwa = make_plan(Options("digits", ("5-shot",), ("gradnorm", "dwa"), fixed=fixed))
    assert (gradnorm.fixed["lr"], dwa.fixed["lr"]) == (0.5, 0.1)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dwa.alpha", "unknown hyper-parameter 'alpha' of dwa; choose one of: lr, temperature, weight_decay$"),
        (
            "gradnorm.alhpa",
            r"unknown hyper-parameter 'alhpa' of gradnorm \(did you mean alpha\?\); choose one of: alpha, ",
        ),
        ("stl.lr", "'stl.lr' names no method that runs; these are: dwa, gradnorm$"),
        ("nobody.lr", "'nobody.lr' names no method that runs"),
        ("gradnrom.alpha", r"'gradnrom.alpha' names no method that runs \(did you mean gradnorm\?\); these are: dwa"),
        ("mode", "unknown hyper-parameter 'mode' of the methods that run; choose one of: alpha, "),
    ],
)
def test_a_value_for_a_method_that_does_not_have_it_is_refused(name: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        make_plan(Options("digits", ("5-shot",), ("dwa", "gradnorm"), fixed={name: "0.5"}))


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("auxilearn-linear", "outer_every", "0"),
        ("auxilearn-linear", "clip_norm", "-1"),
        ("auxilearn-linear", "terms", "-1"),
        ("auxilearn-linear", "damping", "-1"),
        ("auxilearn-linear", "alpha", "0"),
        ("auxilearn-nonlinear", "depth", "0"),
        ("auxilearn-nonlinear", "width", "-1"),
        ("auxilearn-deep-linear", "width", "0"),
        ("gradnorm", "alpha", "-5"),
    ],
)
def test_values_out_of_range_are_told_before_any_training(method: str, name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"{method}: {name} must .*; found"):
        make_plan(Options("digits", ("5-shot",), (method,), fixed={name: value}))


def test_what_is_listed_can_be_given() -> None:
    for method in baselines.names():
        for name, value in hyper_parameters(baselines.load(method)).items():
            assert parse(name, as_text(value), value) == value


def test_times_of_other_data_say_nothing(toy: Toy) -> None:
    arm = toy_arm("stl")
    spec = arm.spec(arm.points()[0])
    slow = replace(a_record(spec), timing={"total_sec": 1e6})
    other = replace(slow, spec=replace(spec, data="toy-2"))
    assert seconds_per_run([arm], [slow], "cpu")[arm.setting, "stl"] == 1e6
    assert seconds_per_run([arm], [other], "cpu")[arm.setting, "stl"] < 1e3


@pytest.mark.parametrize("every", [1, 2, 7, 100])
def test_an_estimate_has_the_share_of_outer_steps_however_seldom_they_are(
    every: int, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def taking(method: Any, name: str, seconds: float) -> None:
        before = getattr(method, name)

        def slow(*arguments: Any, **keywords: Any) -> Any:
            clock[0] += seconds
            return before(*arguments, **keywords)

        monkeypatch.setattr(method, name, slow)

    linear = baselines.load("auxilearn-linear")
    taking(linear, "backward", 1.0)
    taking(linear, "outer_step", 50.0)
    taking(toy, "measure", 1000.0)
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: clock[0])
    fixed = {"lr": "0.1", "weight_decay": "0", "auxiliary_lr": "0.01", "outer_every": str(every)}
    arms = make_plan(Options("toy", settings=("few",), methods=("stl", "auxilearn-linear"), fixed=fixed))
    found = seconds_per_run(arms, [], "cpu")
    steps = 3  # of ten samples each, of which there are thirty without the auxiliary set
    assert found["few", "auxilearn-linear"] == pytest.approx(toy.epochs * (steps * (1 + 50 / every) + 1000))


def test_an_estimate_has_the_steps_of_each_setting_and_its_own_records(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy.data

    def data(setting: str, seed: int) -> Data:
        found = whole(setting, seed)
        return replace(found, train=found.train[:10], auxiliary=found.auxiliary[:0]) if setting == "few" else found

    monkeypatch.setattr(toy, "data", data)
    monkeypatch.setattr(estimate, "_pace", lambda training: Pace(step_sec=1.0, evaluation_sec=0.5))
    arms = make_plan(Options("toy", methods=("stl",)))
    assert seconds_per_run(arms, [], "cpu") == {("few", "stl"): 3 * (1 + 0.5), ("many", "stl"): 3 * (4 + 0.5)}
    known = replace(a_record(arms[0].spec(arms[0].points()[0])), timing={"total_sec": 7.0})
    assert seconds_per_run(arms, [known], "cpu") == {("few", "stl"): 7.0, ("many", "stl"): 3 * (4 + 0.5)}
