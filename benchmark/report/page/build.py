"""From records to the page: template, style, script, data and plotly, under a policy that forbids the network."""

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from benchmark.files import write_whole
from benchmark.report.page.content import content
from benchmark.report.page.curves import curve, series_names
from benchmark.report.page.pack import BUDGET, deflate, packed_records, script_json
from benchmark.report.page.source import Source
from benchmark.report.suites import Plan

NAME = "report.html"
ASSETS = Path(__file__).parent / "assets"

SCRIPTS = (
    *("dom", "state", "table", "choices", "results", "unpack", "record", "filter", "runs", "provenance"),
    *("plots", "curves", "scatter", "live", "main"),
)
"""Parts of the page's script, in order; together they are one script."""


def write_page(source: Source, folder: Path) -> str:
    """Write the page into `folder`, whole or not at all, and return its file name."""
    write_whole(folder / NAME, render(source))
    return NAME


def render(source: Source, *, live: Mapping[str, Any] | None = None) -> str:
    """Return the page.

    Args:
        source: What it shows.
        live: What a page that is served knows besides, see `benchmark.report.serve`; such a page asks for its records.
    """
    shown, packs = parts(source)
    if live is not None:
        return _fill({**shown, **live}, packs, live=True)
    shown["live"] = False
    room = BUDGET - len(_fill(shown, packs, live=False).encode())
    order = dict.fromkeys([*(record.spec.digest for record in source.counted()), *source.records])
    lines = ((digest, source.lines[digest].text) for digest in order if digest in source.lines)
    return _fill(shown, {**packs, "records": packed_records(lines, room)}, live=False)


def parts(source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the page shows at once, and the curves of each plan, compressed."""
    shown = content(source)
    curves = []
    for plan, part in zip(source.plans, shown["plans"], strict=True):
        found = _curves(source, plan)
        part["series"] = series_names(
            [each for methods in found.values() for runs in methods.values() for each in runs]
        )
        weighted = {method for methods in found.values() for method, runs in methods.items() if runs}
        part["weighted"] = [method for method in part["methods"] if method in weighted]
        curves.append(found)
    return shown, {"curves": deflate(script_json(curves)), "records": {}}


def _curves(source: Source, plan: Plan) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the curves of a plan's final runs by setting and method."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for arm in plan.arms:
        good = [record for record in source.finals(arm) if record.status == "ok"]
        found.setdefault(arm.setting, {})[arm.method] = [curve(record) for record in good]
    return found


def _fill(shown: Mapping[str, Any], packs: Mapping[str, Any], *, live: bool) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined
    )
    plotly, compressed = _plotly()
    script = _script()
    return environment.get_template("template.html").render(
        title=shown["title"],
        live=live,
        hashes=Markup(f"{_policy_hash(script)} {_policy_hash(plotly)}"),
        style=Markup((ASSETS / "style.css").read_text()),
        script=Markup(script),
        data=Markup(script_json(shown)),
        packed=Markup(script_json(packs)),
        plotly=Markup(compressed),
    )


def _script() -> str:
    text = "\n".join((ASSETS / f"{name}.js").read_text() for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{text}}})();\n'


@functools.cache
def _plotly() -> tuple[str, str]:
    """Return the text of plotly's script, and the same compressed."""
    from plotly.offline import get_plotlyjs

    text = get_plotlyjs()
    return text, deflate(text)


def _policy_hash(script: str) -> str:
    """Return what lets a page's policy run this very script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
