"""docs/faithful.md, what the curvature and the switches do on digits."""

from statistics import fmean

from benchmark.findings.runs import RESULTS, listed, paired, records_of
from benchmark.findings.switches import BASE, FOLDER, diagnostics, switch_of
from benchmark.speed.hypergradient import FILE, OuterStep
from benchmark.speed.rows import newest, read
from benchmark.statistics import ALPHA
from tests.benchmark.helpers import ROOT
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import Scores, finals, hyper, scores

FAITHFUL = ROOT / "docs/faithful.md"
CURVATURE, SWITCHES = (section(title, FAITHFUL) for title in ("How much the curvature does", "What moves numbers"))
SWITCHED = FOLDER.relative_to(RESULTS).as_posix()
LINEAR = "auxilearn-linear"


def by_switch(method: str) -> dict[str, Scores]:
    """Return the scores of a method with each switch."""
    runs = finals(SWITCHED, method)
    return {name: scores(r for r in runs if switch_of(r) == name) for name in dict.fromkeys(map(switch_of, runs))}


def test_the_curvature_did_nothing() -> None:
    known = [
        record for record in records_of(RESULTS / "reference/digits") if record.spec.method.startswith("auxilearn")
    ]
    assert all("cosine_to_identity" in diagnostics(record) for record in known)
    assert {(hyper(record)["mode"], hyper(record)["terms"]) for record in known} == {("paper", 3)}
    assert "Mode `paper`, α = 1e-4, J = 3" in CURVATURE
    cosines = {
        phase: [row["diagnostics"]["cosine_to_identity"] for r in known if r.spec.phase == phase for row in r.epochs]
        for phase in ("final", "search")
    }
    assert fmean(cosines["final"]) > 0.9999
    assert min(cosines["final"]) > 0.99
    assert "At the settings that validation chose the curvature did nothing" in CURVATURE
    assert min(cosines["search"]) < 0
    assert "It did something in runs of the search" in CURVATURE


def test_what_the_identity_costs() -> None:
    times = {(row.auxiliaries, row.variant): row.time or 0.0 for row in newest(read(RESULTS / FILE, OuterStep))}
    numbers = {number for number, _ in times}
    shares = [times[number, "identity"] / times[number, "paper, J = 3"] for number in numbers]
    assert round(1 / fmean(shares)) == 5
    assert "the identity would have done (`solver=identity`, a fifth of the cost of an outer step" in CURVATURE


def test_no_switch_moves_numbers_significantly() -> None:
    methods = dict.fromkeys(record.spec.method for record in finals(SWITCHED))
    found = {method: by_switch(method) for method in methods}
    pairs = [
        paired(own, switches[BASE]) for switches in found.values() for name, own in switches.items() if name != BASE
    ]
    assert min(pair.p for pair in pairs) >= ALPHA
    assert max(max(-pair.low, pair.high) for pair in pairs) >= 1
    none = "none of these switches gives a significant difference from the published form"
    assert f"{none}; differences of a point are not excluded" in SWITCHES
    assert {record.spec.setting for record in finals(SWITCHED)} == {"5-shot"}
    assert "On `digits` with five labels a class" in SWITCHES
    (epochs,) = {record.spec.epochs for record in finals(SWITCHED)}
    assert f"{SPELLED[epochs].capitalize()} epochs of a small network are no evidence about larger problems" in SWITCHES


def test_two_switches_agree() -> None:
    found, names = by_switch(LINEAR), ["skip=false", "monotone=false"]
    one, other = (found[name] for name in names)
    assert one == other
    apart = sum(one[seed] != found[BASE][seed] for seed in one)
    agree = f"{listed(names)} of the linear combiner agree in every run"
    few = f"differ from the published form in {SPELLED[apart]} of {SPELLED[len(one)]} runs alone"
    assert f"{agree}, and {few}" in SWITCHES
