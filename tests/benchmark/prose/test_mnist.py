"""results/README.md, the generated auxiliary task on MNIST."""

from itertools import chain, combinations

import pandas as pd

import baselines
from baselines.maxl import MAXL
from benchmark.explanations import widths
from benchmark.findings.curvature import IDENTITY, solver_of
from benchmark.findings.runs import RESULTS, succeeded
from benchmark.hyper import hyper_parameters
from benchmark.pages.facts import facts_of
from benchmark.published import FOLDER
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import newest, read
from benchmark.suites.mnist import MNIST
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import (
    Difference,
    Scores,
    differences,
    finals,
    grid_size,
    hyper,
    less,
    less_one,
    mean,
    rate,
    scores,
    scores_by_method,
    searches,
    steps,
    values,
)

SAID = section("MNIST: a generated auxiliary task")
TABLE, RATES, CURVED, CORRECTED = (f"{name}/mnist" for name in ("reference", "rates", "curvature", "corrected"))
METHODS = ("stl", "maxl-f", "auxilearn")
FIRST, SECOND, THIRD = MNIST.settings


def apart() -> dict[str, Scores]:
    """Return the scores of what was run beside the table with the fewest labels."""
    found = {name: scores(finals(RATES, name, FIRST)) for name in ("maxl-f", "maxl")}
    runs = [record for record in finals(CURVED) if hyper(record)["mode"] == "corrected"]
    solvers = dict.fromkeys(map(solver_of, runs))
    return found | {name: scores(record for record in runs if solver_of(record) == name) for name in solvers}


def against(reference: str) -> dict[str, Difference]:
    """Return how what was run beside the table differs from one of its methods."""
    return less(apart(), scores(finals(TABLE, reference, FIRST)))


def preprint(setting: str) -> dict[str, float]:
    """Return the published means by method."""
    printed = pd.read_csv(FOLDER / "table3_preprint_v1.csv")
    rows = printed[(printed.suite == "mnist") & (printed.setting == setting)]
    return dict(zip(rows["method"], rows["mean"], strict=True))


def validated() -> int:
    """Return the number of images that validate."""
    return facts_of("mnist").sizes[FIRST].validation


def most_right(method: str, lr: float) -> int:
    """Return how many validation images a method's best search run with a rate of the network has right."""
    found = [record for record in succeeded(searches(TABLE, method, FIRST)) if rate(record) == lr]
    return max(round(validated() * record.selected["validation"]["top1"]) for record in found)


def test_what_the_table_is_of() -> None:
    settings = [setting.removesuffix("%") for setting in MNIST.settings]
    seeds = set[int]()
    for setting in MNIST.settings:
        for name in METHODS:
            assert len(searches(TABLE, name, setting)) == grid_size("mnist", name)
            seeds.add(len(finals(TABLE, name, setting)))
    (number,) = seeds
    labels = f"at {', '.join(settings[:-1])} and {settings[-1]} % of the labels"
    assert f"{labels}: each method with the suite's whole grid, and {SPELLED[number]} final runs" in SAID


def test_maxl_has_a_third_of_its_grid() -> None:
    found, whole = searches(RATES, "maxl", FIRST), grid_size("mnist", "maxl")
    name = "generator_weight_decay"
    tried, all_of_them = values(found, name), MAXL.search_space[name]
    assert 3 * len(found) == whole
    one, several = SPELLED[len(tried)], SPELLED[len(all_of_them)]
    weight_decay = f"{one} weight decay of the generator in place of {several}"
    assert f"MAXL with a third of its grid of {whole} points, {weight_decay}" in SAID
    number = steps(facts_of("mnist").suite, FIRST, holds_out=False)
    assert {hyper(record)["held_out"] for record in found} == {"train"}
    largest = max(float(str(each)) for each in all_of_them)
    assert number * largest * max(rate(record, "generator_lr") for record in found) < 0.001
    assert f"none of which changes any weight by as much as 0.1 % in the {number} steps of a run" in SAID


def test_what_stands_beside_the_table() -> None:
    runs = [record for record in searches(CURVED) if hyper(record)["mode"] == "corrected"]
    solvers = [solver_of(record) for record in runs]
    assert all(solvers.count(name) == grid_size("mnist", "auxilearn") for name in solvers)
    ways = "AuxiLearn in mode `corrected` with each way of approximating the inverse Hessian (commands below)"
    assert f"{ways}, with the whole grid" in SAID
    plain = [record for record in finals(CURVED) if solver_of(record) == IDENTITY]
    for name in ("lr", "weight_decay"):
        assert values(finals(RATES, "maxl-f", FIRST), name) == values(plain, name)
    assert "`maxl-f` with the rates that validation chose for AuxiLearn without the inverse Hessian" in SAID


def test_all_of_those_apart_differ_from_the_single_task() -> None:
    table = less_one(scores_by_method(TABLE, FIRST), "stl")
    assert not any(each.significant for each in table.values())
    assert f"With {FIRST.removesuffix('%')} % no method of the table differs significantly from the single task" in SAID
    found = against("stl")
    assert all(each.significant for each in found.values())
    assert all(0.2 <= each.points <= 0.4 for each in found.values())
    assert "What is gained with 5 and 10 %, an untrained generator gains as well." in SAID
    assert "all of those apart do, by a fifth to two fifths of a point" in SAID


def test_labels_that_were_never_trained_are_as_good() -> None:
    means = {name: mean(found) for name, found in apart().items()}
    rates = [rate(record) for record in chain(finals(RATES, setting=FIRST), finals(CURVED)) if record.spec.seed == 1]
    (lr,) = values(finals(RATES, "maxl-f", FIRST), "lr")
    assert values(finals(TABLE, "stl", FIRST), "lr") == {lr}
    assert rates.count(float(str(lr))) > len(rates) / 2
    behind = f"stands {max(means.values()) - means['maxl-f']:.2f} points below the best of them"
    assert f"{behind} with the network's rate that the single task and most of them have, {lr}" in SAID
    assert not any(each.significant for each in against("maxl-f").values())
    assert not less_one(scores_by_method(TABLE, FIRST), "maxl-f")["auxilearn"].significant
    number = SPELLED[len(apart())]
    either = "no form of AuxiLearn, nor `maxl`, differs significantly from `maxl-f` at the rate of the table either"
    assert f"Corrected for the {number} of a column, {either}" in SAID


def test_how_near_the_other_rate_was() -> None:
    (chosen,) = {rate(record) for name in ("maxl-f", "auxilearn") for record in finals(TABLE, name, FIRST)}
    (lr,) = values(finals(RATES, "maxl-f", FIRST), "lr")
    other = float(str(lr))
    ahead = {name: most_right(name, chosen) - most_right(name, other) for name in ("maxl-f", "auxilearn")}
    by = f"by {ahead['maxl-f']} of {validated():,} images, and for AuxiLearn as published by {ahead['auxilearn']}"
    assert f"For the table validation chose {chosen} for it, {by}" in SAID


def test_what_maxl_searches_beside_the_rate_matters_little() -> None:
    by_rate: dict[float, list[float]] = {}
    for record in succeeded(searches(RATES, "maxl", FIRST)):
        by_rate.setdefault(rate(record), []).append(100 * record.selected["validation"]["top1"])
    assert all(max(found) - min(found) <= 0.25 for found in by_rate.values())
    (points,) = {len(found) for found in by_rate.values()}
    within = "within a quarter of a point on the validation set"
    assert f"with one rate of the network its {SPELLED[points]} points lie {within}" in SAID


def test_more_labels() -> None:
    less_than = less_one(scores_by_method(TABLE, SECOND), "stl")
    assert SECOND == "10%"
    assert less_than["maxl-f"].significant
    assert less_than["maxl-f"].points > 0
    assert not less_than["auxilearn"].significant
    apart = {
        (RATES, "maxl"): finals(RATES, "maxl", SECOND),
        (CORRECTED, "auxilearn"): finals(CORRECTED, setting=SECOND),
    }
    found = {name: scores(runs) for name, runs in apart.items()}
    over = less(found, scores(finals(TABLE, "stl", SECOND)))
    assert all(each.significant and abs(each.points - 1 / 3) < 0.05 for each in over.values())
    better = "With 10 % `maxl-f` is significantly better than the single task; so are `maxl` and mode `corrected`"
    assert f"{better}, by a third of a point each, whose runs are of another kind of machine" in SAID
    devices = [{run.environment["device"] for run in runs} for runs in (*apart.values(), finals(TABLE, "", SECOND))]
    assert devices[0] == devices[1] != devices[2]
    four = found | {(TABLE, name): scores(finals(TABLE, name, SECOND)) for name in ("maxl-f", "auxilearn")}
    pairs = {(one, other): (four[one], four[other]) for one, other in combinations(four, 2)}
    assert not any(pair.significant for each in pairs.items() for pair in differences(dict([each])).values())
    assert f"AuxiLearn as published is not, but no two of these {SPELLED[len(four)]} differ significantly" in SAID
    (lr,) = values([*finals(TABLE, setting=SECOND), *chain(*apart.values())], "lr")
    assert f"all have {lr} as the rate of the network" in SAID
    (own,) = {rate(record, "auxiliary_lr") for record in apart[CORRECTED, "auxilearn"]}
    assert own == min(rate(record, "auxiliary_lr") for record in searches(CORRECTED))
    ends = [weight for run in apart[CORRECTED, "auxilearn"] for weight in run.epochs[-1]["weight"]]
    assert all(abs(weight - 1) < 0.01 for weight in ends)
    smaller = "In mode `corrected` validation chose the smaller rate of the auxiliary parameters"
    assert f"{smaller}, and both weights end within a hundredth of 1." in SAID


def test_most_labels() -> None:
    apart = {
        "maxl": scores(finals(RATES, "maxl", THIRD)),
        "corrected": scores(finals(CORRECTED, setting=THIRD)),
    }
    table = scores_by_method(TABLE, THIRD)
    over = less(apart, table["stl"])
    assert not any(each.significant for each in (*less_one(table, "stl").values(), *over.values()))
    ((p,), number) = {f"{each.p:.3f}" for each in over.values()}, SPELLED[len(over)]
    none = "With 15 % no method differs significantly from the single task, neither those of the table nor `maxl` and"
    assert f"{none} mode `corrected` (p = {p} for both, corrected for the {number})." in SAID
    generated = {**apart, "maxl-f": table["maxl-f"], "auxilearn": table["auxilearn"]}
    means = [mean(found) for found in generated.values()]
    assert max(means) - min(means) < 0.1
    near = f"The means of the {SPELLED[len(means)]} with generated labels lie within a tenth of a point of one another."
    assert near in SAID
    pairs = {(one, other): (generated[one], generated[other]) for one, other in combinations(generated, 2)}
    assert not any(pair.significant for each in pairs.items() for pair in differences(dict([each])).values())
    published, corrected = (
        [run.epochs[-1]["weight"][0] for run in finals(folder, "auxilearn", THIRD)] for folder in (TABLE, CORRECTED)
    )
    ends = f"ends at {min(published):.0f} to {max(published):.0f} with AuxiLearn as published, and at"
    assert (
        f"The weight of the main loss {ends} {min(corrected):.1f} to {max(corrected):.1f} in mode `corrected`" in SAID
    )
    runs = SPELLED[len(apart["corrected"])]
    assert f"which makes no difference to the accuracy that {runs} runs could show" in SAID


def test_what_stands_beside_the_table_with_more_labels() -> None:
    for setting in (SECOND, THIRD):
        found = searches(RATES, "maxl", setting)
        assert len(found) == grid_size("mnist", "stl")
        assert all(len(values(found, name)) == 1 for name in MAXL.search_space)
        assert len(searches(CORRECTED, "auxilearn", setting)) == grid_size("mnist", "auxilearn")
    assert values(finals(CORRECTED), "mode") == {"corrected"}
    own = hyper_parameters(baselines.load("auxilearn"))
    assert all(values(finals(CORRECTED), name) == {own[name]} for name in ("solver", "terms", "damping"))
    beside = "MAXL with one value of each of its own hyper-parameters, and mode `corrected` with its own solver"
    assert f"At 10 and 15 % {beside} and the whole grid" in SAID
    assert (SECOND, THIRD) == ("10%", "15%")
    assert {record.spec.setting for record in finals(CORRECTED)} == {SECOND, THIRD}
    assert {record.spec.setting for record in finals(RATES)} == set(MNIST.settings)


def test_the_preprint() -> None:
    few, more, most = (preprint(setting) for setting in ("5%", "10%", "15%"))
    for found in (few, more):
        assert round(max(found.values()) - min(found.values()), 6) <= 0.5
    number = SPELLED[len(few)]
    assert f"In the preprint, too, all {number} methods lie within half a point with 5 and with 10 %" in SAID
    best = most.pop("auxilearn")
    low, high = best - max(most.values()), best - min(most.values())
    assert f"with 15 % AuxiLearn stands {low:.1f} to {high:.1f} above the others" in SAID
    for setting in MNIST.settings:
        ours = [mean(found) for found in scores_by_method(TABLE, setting).values()]
        assert min(ours) > max(preprint(setting).values())
    assert "What differs from it is the level." in SAID
    assert f'It says "{len(MNIST.widths)}-layer ConvNet" and no more' in SAID


def test_a_width_could_account_for_the_difference() -> None:
    found = {row.what.rpartition("channels ")[2]: row for row in newest(read(RESULTS / widths.FILE, Measurement))}
    by_width = {name: row.value for name, row in found.items()}
    published, below, above = preprint(widths.SETTING)["stl"], "4 and 8", "8 and 16"
    assert by_width[below] < published < by_width[above]
    assert f"The published level lies between those of {below} and of {above} channels" in SAID
    everything = [mean(each) for each in (*scores_by_method(TABLE, FIRST).values(), *apart().values())]
    assert max(by_width.values()) - min(by_width.values()) > max(everything) - min(everything)
    assert "moves the result by more than all methods together" in SAID
    assert min(by_width.values()) < published < max(by_width.values())
    assert "One of these, the width, could account for all of the difference" in SAID
    (lr,), (weight_decay,) = (values(finals(TABLE, "stl", FIRST), name) for name in ("lr", "weight_decay"))
    assert all(f"lr {lr}, weight decay {weight_decay};" in row.detail for row in found.values())
    assert f"the rates that were searched for {MNIST.widths[0]} and {MNIST.widths[1]} too" in SAID
