"""Markup in names stays text, wherever a name stands."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmark.plan import Options, make_plan
from benchmark.report.browser import draw, wait_for_tables
from benchmark.suite import Metric
from tests.benchmark.helpers import Toy, a_record
from tests.benchmark.page.browser import opened
from tests.benchmark.page.conftest import MakePage

ATTACK = "<img src=x onerror=attacked()>"
NASTY = (
    f"</script><script>attacked()</script>{ATTACK}",
    f"<!--<script>{ATTACK}",
    "\"'><svg onload=attacked()>&lt;b&gt;{{ 7 * 7 }}${7*7}`",
    "<a href='javascript:attacked()'>a</a><b>bold</b><br>%{x}",
)


@pytest.fixture
def nasty(toy: Toy, make_page: MakePage) -> Path:
    """Return a page whose settings, methods, metrics, tasks, machine and reasons are all markup."""
    toy.settings = NASTY[:2]  # pyright: ignore[reportAttributeAccessIssue]
    toy.metrics = (Metric(NASTY[2]), Metric(NASTY[3]))  # pyright: ignore[reportAttributeAccessIssue]
    named: dict[str, str] = {"stl": NASTY[2], "equal": NASTY[3]}
    plan = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=3))
    arms = [replace(arm, method=named[arm.method]) for arm in plan]
    values = {metric.name: 0.5 for metric in toy.metrics}
    records = [
        a_record(
            spec,
            tasks=NASTY[:3],
            test=0.5,
            environment={"device": NASTY[0], NASTY[1]: NASTY[2]},
            epochs=[
                {
                    "epoch": epoch,
                    "lr": 0.1,
                    "loss": [1.0] * 3,
                    "weight": [1.0] * 3,
                    "diagnostics": {NASTY[0]: 1.0},
                    "validation": values,
                }
                for epoch in (1, 2)
            ],
            selected={"epoch": 1, "validation": values},
        )
        for arm in arms
        for spec in arm.finals({})[: 3 if arm.setting == NASTY[0] else 1]
    ]
    records = [replace(record, test=values, reason=NASTY[1]) for record in records]
    return make_page(arms, records)


def count_attacks(page: Page) -> None:
    """Note every call of a script that stands in a name, and every request for what a name asks for."""
    page.add_init_script("window.attacks = 0; window.attacked = () => { window.attacks += 1; };")


def test_markup_in_names_stays_text(browser: Browser, nasty: Path) -> None:
    with opened(browser, nasty) as page:
        count_attacks(page)
        page.reload()
        wait_for_tables(page)
        draw(page)
        for box in page.locator("details").all():
            box.evaluate("(found) => { found.open = true; }")
        body = page.locator("body").inner_text()
        for name in NASTY:
            assert name in body, f"{name} is shown as it is written"
        page.locator("#runs-table tbody button").first.click()
        expect(page.locator("#record-text")).to_contain_text("digest")
        assert ATTACK in page.locator("#record-text").inner_text()
        assert page.evaluate("window.attacks") == 0
        made = "main img, main b, main script, main a[href^=javascript], main svg[onload], header img, dialog img"
        assert page.locator(made).count() == 0


def test_hover_labels_keep_markup_as_text(browser: Browser, nasty: Path) -> None:
    with opened(browser, nasty) as page:
        draw(page, "cost")
        mark = page.locator("#cost-plots .scatterlayer .points path").first
        mark.hover(force=True)
        page.wait_for_selector("#cost-plots .hoverlayer .hovertext")
        assert (
            page.locator("#cost-plots .hoverlayer .hovertext tspan[style*=bold], #cost-plots .hoverlayer a").count()
            == 0
        )


def test_markup_in_an_address_stays_text(browser: Browser, nasty: Path) -> None:
    with opened(
        browser,
        f"{nasty.as_uri()}#?q=%3Cimg%20src%3Dx%20onerror%3Dattacked()%3E&series=__proto__&sort=constructor&run=%3Cb%3E&page=-3",
    ) as page:
        assert page.locator("#query").input_value() == ATTACK
        assert page.locator("main img").count() == 0


def test_the_policy_forbids_other_scripts_and_the_network(browser: Browser, nasty: Path) -> None:
    with opened(browser, nasty, complains=True) as page:
        count_attacks(page)
        page.reload()
        page.evaluate(
            """async () => {
                const script = document.createElement("script");
                script.textContent = "attacked()";
                document.body.append(script);
            }"""
        )
        assert page.evaluate("window.attacks") == 0
        refused = "fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.message)"
        assert page.evaluate(refused) == "Failed to fetch"
