"""The page's tables sort, filter, and keep what was chosen in the address."""

import json
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from benchmark.report.browser import draw
from tests.benchmark.page.browser import column, opened, sort_by
from tests.benchmark.page.conftest import REFERENCE


def number(text: str) -> float:
    return float(text.split(" ± ")[0])


def test_a_column_sorts_both_ways_with_absent_cells_last(page: Page) -> None:
    assert sort_by(page, "5-shot", "top1") == "descending"
    found = list(column(page, "5-shot", "top1").values())
    present = [number(text) for text in found[:22]]
    assert present == sorted(present, reverse=True)
    assert all(text.startswith("–") for text in found[22:])
    assert len(found) == 26
    assert sort_by(page, "5-shot", "top1") == "ascending"
    found = list(column(page, "5-shot", "top1").values())
    assert [number(text) for text in found[:22]] == sorted(present)
    assert all(text.startswith("–") for text in found[22:]), "absent cells are last in either order"
    assert [number(text) for text in list(column(page, "10-shot", "top1").values())[:2]] != [], "all settings follow"
    assert sort_by(page, "10-shot", "method") == "ascending"
    assert list(column(page, "5-shot", "top1")) == sorted(column(page, "5-shot", "top1"))


def test_numbers_sort_as_numbers(page: Page) -> None:
    sort_by(page, "5-shot", "trials")
    found = [int(text) for text in column(page, "5-shot", "trials").values() if text != "–"]
    assert found == sorted(found)
    assert {6, 18, 24} <= set(found), "as text, 18 would come before 6"


def test_text_filters_methods_everywhere(page: Page) -> None:
    page.get_by_label("Filter methods").fill("AUXILEARN-")
    expected = ["auxilearn-linear", "auxilearn-deep-linear", "auxilearn-nonlinear", "auxilearn-convnet"]
    assert list(column(page, "5-shot", "top1")) == expected
    expect(page.locator("#shown")).to_have_text("4 of 26 methods shown")
    page.get_by_label("Filter methods").fill("no such method")
    expect(page.locator("#tables")).to_contain_text("No method fits the filter.")


def test_methods_settings_and_metrics_are_chosen(page: Page) -> None:
    page.locator("#choice-methods summary").click()
    page.locator("#choice-methods").get_by_role("button", name="None").click()
    page.locator("#choice-methods").get_by_label("equal", exact=True).check()
    page.locator("#choice-methods").get_by_label("stl", exact=True).check()
    assert list(column(page, "5-shot", "top1")) == ["stl", "equal"]
    page.locator("#choice-settings summary").click()
    page.locator("#choice-settings").get_by_label("5-shot").uncheck()
    assert page.locator("#tables [data-setting]").count() == 1
    page.locator("#choice-metrics summary").click()
    page.locator("#choice-metrics").get_by_label("top3").uncheck()
    heads = page.locator("#tables thead button").all_inner_texts()
    assert heads == ["method", "top1", "runs", "trials", "s/step", "MiB"]
    draw(page, "curves")
    assert page.locator("#curve-plots figure").count() == 1
    assert page.locator("#curve-plots .legendtext").all_text_contents() == ["stl", "equal"]
    page.locator("#reset").click()
    assert len(column(page, "5-shot", "top3")) == 26


def test_what_is_chosen_is_in_the_address(browser: Browser, page: Page) -> None:
    page.get_by_label("Filter methods").fill("aux")
    sort_by(page, "5-shot", "top3")
    page.locator("#runs-query").fill("seed=3")
    page.locator("#curve-series").select_option("loss parity")
    shown = column(page, "5-shot", "top3")
    with opened(browser, page.url) as again:
        assert column(again, "5-shot", "top3") == shown
        assert again.locator("#curve-series").input_value() == "loss parity"
        assert again.locator("#runs-table caption").inner_text() == page.locator("#runs-table caption").inner_text()
        again.locator("#reset").click()
        assert "?" not in again.url
    page.locator("nav a", has_text="Provenance").click()
    assert quote("loss parity").replace("%20", "+") in page.url, "a jump keeps it"


def test_runs_sort_filter_and_turn_pages(page: Page) -> None:
    caption = page.locator("#runs-table caption")
    assert caption.inner_text() == "1064 of 1064 runs"
    assert page.locator("#runs-table tbody tr").count() == 50
    first = page.locator("#runs-table tbody tr").first.inner_text()
    page.get_by_role("button", name="Next").click()
    assert page.locator("#runs-table tbody tr").first.inner_text() != first
    page.locator("#runs-phase").select_option("final")
    assert caption.inner_text() == "440 of 1064 runs"
    page.locator("#runs-query").fill("gradnorm 5-shot seed=10")
    assert caption.inner_text() == "1 of 1064 runs"
    page.locator("#runs-query").fill("")
    page.locator("#runs-table").get_by_role("button", name="test top1").click()
    place = page.locator("#runs-table thead th").all_inner_texts().index("test top1")
    found = [float(text) for text in page.locator(f"#runs-table tbody tr td:nth-child({place + 1})").all_inner_texts()]
    assert found == sorted(found, reverse=True)


def expected(**fields: object) -> str:
    """Return the caption of the list of runs where all fields are exactly those, counted in the records."""
    lines = (REFERENCE / "records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    flat = [{**spec["hyper"], **spec, "status": record["status"]} for record in records for spec in [record["spec"]]]
    count = sum(all(each.get(name) == value for name, value in fields.items()) for each in flat)
    assert count
    return f"{count} of 1064 runs"


EXACT: dict[str, dict[str, object]] = {
    "seed=1": {"seed": 1},
    "auxilearn-linear lr=0.001": {"method": "auxilearn-linear", "lr": 0.001},
    "LR=1e-3, weight_decay=0.0005": {"lr": 0.001, "weight_decay": 0.0005},
    "equal 5-shot": {"method": "equal", "setting": "5-shot"},
    "method=equal": {"method": "equal"},
    "phase=search setting=5-shot": {"phase": "search", "setting": "5-shot"},
    'status="ok"': {"status": "ok"},
}


def test_words_of_the_filter_are_exact_on_fields_and_names_and_others_parts(page: Page) -> None:
    caption = page.locator("#runs-table caption")
    for query, fields in EXACT.items():
        page.locator("#runs-query").fill(query)
        assert caption.inner_text() == expected(**fields), query
    parts = [expected(method=name) for name in ("auxilearn-linear", "auxilearn-deep-linear", "auxilearn-nonlinear")]
    page.locator("#runs-query").fill("auxilearn-")
    assert caption.inner_text() == f"{sum(int(part.split()[0]) for part in parts)} of 1064 runs"
    for nothing in ("r=0.001", "lr=", "seed=1.5", '"equal 5-shot seed"'):
        page.locator("#runs-query").fill(nothing)
        assert caption.inner_text() == "0 of 1064 runs", nothing


def test_figures_follow_what_is_chosen(page: Page) -> None:
    draw(page)
    assert page.locator(".plot .main-svg").count() >= 8
    assert page.locator("#curve-plots figure").first.locator(".legendtext").count() == 6
    page.locator("#curves .how-many").select_option("all")
    expect(page.locator("#curve-plots figure").first.locator(".legendtext")).to_have_count(22)
    lines = page.locator("#curve-plots figure").first.locator(".scatterlayer path.js-line")
    before = lines.count()
    page.get_by_label("single runs").check()
    expect(lines).to_have_count(before + 220)
    page.locator("#weight-method").select_option("uncertainty")
    expect(page.locator("#weight-plots figcaption").first).to_have_text("uncertainty, 5-shot")
