"""The page by keyboard alone, on a phone, in the dark, without motion."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmark.report.browser import draw
from tests.benchmark.page.browser import column, opened

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def focused(page: Page) -> str:
    """Return the text, name or identifier of what has the focus."""
    return page.evaluate(
        """() => {
            const at = document.activeElement;
            return (at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || at.id).trim();
        }"""
    )


def tab_to(page: Page, wanted: str, *, most: int = 60) -> None:
    """Press Tab until an element has the focus, which must be visible as such."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page).startswith(wanted):
            style = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]; }"
            )
            assert style[0] != "none"
            assert style[1] != "0px"
            return
    pytest.fail(f"no Tab leads to {wanted!r}")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    tab_to(page, "Skip to the results", most=1)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "results"
    tab_to(page, "Results of suite digits, 5-shot")  # the box that scrolls
    tab_to(page, "top1")
    page.keyboard.press("Enter")
    assert focused(page) == "top1", "the focus stays where it was"
    assert page.locator('[data-setting="5-shot"] th[aria-sort="descending"]').inner_text() == "top1"
    page.keyboard.press("Space")
    assert page.locator('[data-setting="5-shot"] th[aria-sort="ascending"]').inner_text() == "top1"


def test_a_choice_opens_changes_and_closes_by_keyboard(page: Page) -> None:
    tab_to(page, "Methods: all")
    page.keyboard.press("Enter")
    tab_to(page, "equal")
    page.keyboard.press("Space")
    assert focused(page) == "equal"
    assert "equal" not in column(page, "5-shot", "top1")
    page.keyboard.press("Escape")
    assert focused(page) == "Methods: 25 of 26"
    assert not page.locator("#choice-methods details").evaluate("(found) => found.open")


def test_a_record_opens_and_closes_by_keyboard(page: Page) -> None:
    page.locator("#runs-query").focus()
    page.keyboard.type("scalarization seed=10 final 10-shot")
    digest = page.locator("#runs-table tbody button").inner_text()
    tab_to(page, digest)
    page.keyboard.press("Enter")
    expect(page.locator("#record-text")).to_contain_text(digest)
    assert json.loads(page.locator("#record-text").inner_text())["spec"]["seed"] == 10
    assert page.evaluate("document.querySelector('#record').contains(document.activeElement)")
    for _ in range(8):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            """() => {
                const at = document.activeElement;
                return document.querySelector("#record").contains(at) || at === document.body;
            }"""
        )
        assert inside, "the focus stays in the dialog"
    page.keyboard.press("Escape")
    expect(page.locator("#record")).to_be_hidden()
    assert focused(page) == digest, "the focus goes back"
    assert "run=" not in page.url


def test_a_phone_has_no_sideways_scroll(browser: Browser, reference: Path) -> None:
    with opened(browser, reference, **PHONE) as page:
        draw(page)
        page.locator("#choice-methods summary").tap()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        wide = page.evaluate(
            """() => {
                const own = ".scroll, .plot, pre, code, .skip, .heard, dialog"; // scroll by themselves or are not seen
                return [...document.querySelectorAll("body *")]
                    .filter((found) => !found.closest(own) && found.getBoundingClientRect().right > 361)
                    .map((found) => found.outerHTML);
            }"""
        )
        assert wide == []
        box = page.locator('[data-setting="5-shot"] .scroll')
        assert box.evaluate("(found) => found.scrollWidth > found.clientWidth"), "the table scrolls in its own box"
        small = page.evaluate(
            """() => {
                const pressed = "button:not(td button, th button), select, summary, input[type=search]";
                return [...document.querySelectorAll(pressed)]
                    .filter((found) => found.offsetParent && found.getBoundingClientRect().height < 24)
                    .map((found) => found.outerHTML);
            }"""
        )
        assert small == [], "fingers need room"
        page.locator("#runs-table tbody button").first.tap()
        expect(page.locator("#record-text")).to_contain_text('"digest"')
        assert page.locator("#record").bounding_box()["width"] <= 360  # pyright: ignore[reportOptionalSubscript]


def luminance(colour: list[float]) -> float:
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page: Page, ink: str, paper: str) -> float:
    """Return the contrast of two of the page's colours, WCAG 2.2."""
    found = page.evaluate(
        """(names) => names.map((name) => {
            const probe = document.body.appendChild(document.createElement("span"));
            probe.style.color = name.startsWith("#") ? name : `var(--${name})`;
            const numbers = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
            probe.remove();
            return numbers;
        })""",
        [ink, paper],
    )
    high, low = sorted(map(luminance, found), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_are_readable(browser: Browser, reference: Path, scheme: str) -> None:
    with opened(browser, reference, color_scheme=scheme) as page:
        for paper in ("paper", "raised", "mark"):
            for ink in ("ink", "quiet", "accent"):
                assert contrast(page, ink, paper) >= 4.5, (ink, paper)
        assert contrast(page, "warn", "warn-paper") >= 4.5
        assert contrast(page, "control", "paper") >= 3
        draw(page, "curves")
        lines = (
            page.locator("#curve-plots figure")
            .first.locator("path.js-line")
            .evaluate_all("(found) => found.map((line) => getComputedStyle(line).stroke)")
        )
        hues = {line for line in lines if line != "none" and "rgba" not in line}
        assert len(hues) >= 6
        for hue in hues:
            numbers = [int(value) for value in hue.removeprefix("rgb(").removesuffix(")").split(",")]
            assert contrast(page, "#" + "".join(f"{value:02x}" for value in numbers), "paper") >= 3


def test_the_theme_can_be_chosen_and_figures_follow(page: Page) -> None:
    draw(page, "curves")
    body, axis = (
        "getComputedStyle(document.body).backgroundColor",
        "getComputedStyle(document.querySelector('#curve-plots .xtick text')).fill",
    )
    before = page.evaluate(body), page.evaluate(axis)
    turn = page.locator("#curve-plots").get_attribute("data-drawn")
    page.locator("#theme").select_option("dark")
    expect(page.locator("#curve-plots")).not_to_have_attribute("data-drawn", str(turn))
    assert page.evaluate(body) != before[0]
    assert page.evaluate(axis) != before[1]


def test_motion_is_left_out_where_it_is_not_wanted(browser: Browser, reference: Path) -> None:
    with opened(browser, reference, reduced_motion="reduce") as page:
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
