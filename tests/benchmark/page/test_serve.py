"""The live page: follows records while a driver holds the folder, keeps what is chosen, serves this machine alone."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmark.plan import Options, make_plan
from benchmark.planned import PLANS
from benchmark.record import Record, Store
from benchmark.report.browser import draw
from benchmark.report.serve import Server, listen, serve
from tests.benchmark.helpers import ROOT, Toy, a_record, environment
from tests.benchmark.page.browser import column, opened, sort_by
from tests.benchmark.page.conftest import source_of
from tests.benchmark.processes import wait_until


@pytest.fixture
def records(toy: Toy) -> list[Record]:
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=3))
    return [a_record(spec) for arm in arms for spec in arm.finals({})]


@pytest.fixture
def store(tmp_path: Path, records: list[Record]) -> Iterator[Store]:
    """Return records of one run in a folder that is held by a writer."""
    with Store(tmp_path / "toy").writing() as held:
        held.append(records[0])
        yield held


@pytest.fixture
def served(store: Store) -> Iterator[Server]:
    arms = make_plan(Options("toy", fixed={"lr": "1", "weight_decay": "0"}, seeds=3))
    server = listen(0)
    said: list[str] = []
    work = {"load": lambda: source_of(arms, store.folder), "files": [store.path], "say": said.append}
    thread = threading.Thread(target=serve, args=(server,), kwargs=work)
    thread.start()
    wait_until(lambda: said, "the server")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(server: Server, path: str, host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_page_follows_and_keeps_what_is_chosen(
    browser: Browser, served: Server, store: Store, records: list[Record]
) -> None:
    with opened(browser, f"http://127.0.0.1:{served.server_port}/") as page:
        expect(page.locator("#live")).to_contain_text("1 run,")
        sort_by(page, "few", "method")
        page.get_by_label("Filter methods").fill("stl")
        draw(page, "curves")
        page.locator("#runs-query").focus()
        for record in records[1:3]:
            store.append(record)
        expect(page.locator("#live")).to_contain_text("3 runs,", timeout=30_000)
        expect(page.locator("#runs-table caption")).to_have_text("3 of 3 runs")
        assert column(page, "few", "top1") == {"stl": "50.00 ± 0.00"}
        assert page.locator("#query").input_value() == "stl"
        assert page.locator('[data-setting="few"] th[aria-sort="ascending"]').inner_text() == "method"
        assert page.evaluate("document.activeElement.id") == "runs-query"
        page.locator("#runs-table tbody button").first.click()
        expect(page.locator("#record-text")).to_contain_text('"digest"')
        page.keyboard.press("Escape")


def test_a_torn_line_is_passed_over_and_a_broken_one_is_told(
    served: Server, store: Store, records: list[Record]
) -> None:
    before = ask(served, "/version")[1]
    with store.path.open("a") as file:
        file.write('{"spec": {"sui')
    wait_until(lambda: ask(served, "/version")[1] != before, "a new version")
    assert json.loads(ask(served, "/version")[1])["progress"].startswith("1 run,")
    with store.path.open("a") as file:
        file.write("\n")
    wait_until(lambda: "not a record" in json.loads(ask(served, "/version")[1])["progress"], "the complaint")
    assert len(json.loads(ask(served, "/data")[1])["shown"]["runs"]) == 1, "the last good page stays"


def test_a_record_is_the_line_of_the_file(served: Server, store: Store, records: list[Record]) -> None:
    status, text = ask(served, f"/record/{records[0].spec.digest}")
    assert (status, text) == (200, store.path.read_text().splitlines()[0])


@pytest.mark.parametrize("path", ["/record/", "/record/../../etc/passwd", "/records.jsonl", "/..", "/%2e%2e/"])
def test_nothing_else_is_served(served: Server, path: str) -> None:
    assert ask(served, path)[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_another_sites_name_is_refused(served: Server, host: str) -> None:
    for path in ("/", "/data", "/version"):
        assert ask(served, path, host)[0] == 421


def test_this_machine_has_two_names_and_any_forwarded_port(served: Server) -> None:
    for host in ("localhost:9999", "127.0.0.1:1", "localhost"):
        assert ask(served, "/version", host)[0] == 200


def test_only_this_machine_is_listened_to(served: Server) -> None:
    assert served.server_address[0] == "127.0.0.1"


def report(*arguments: str | Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "benchmark.report", *map(str, arguments)]
    return subprocess.Popen(
        words, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_command_waits_for_the_first_record_and_ends_with_one_line(tmp_path: Path) -> None:
    process = report("--suite", "digits", "--watch", "--port", "0", "--results-dir", tmp_path)
    assert process.stderr is not None
    assert "yet; waiting for the first one" in process.stderr.readline()
    reference = ROOT / "results" / "reference" / "digits"
    lines = (reference / "records.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "digits").mkdir()
    shutil.copy(reference / PLANS, tmp_path / "digits")
    (tmp_path / "digits" / "records.jsonl").write_text(lines[0])
    line = process.stderr.readline()
    assert line.startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "stopped serving; runs go on\n")
    assert {path.name for path in (tmp_path / "digits").iterdir()} == {PLANS, "records.jsonl"}, "nothing is written"


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out, err = report("--suite", "digits", "--watch", "--port", str(port), "--results-dir", tmp_path).communicate(
            timeout=60
        )
    assert err == f"error: cannot serve on port {port} (Address already in use); choose another one with --port\n"
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--watch",), "--watch goes with --suite"),
        (("--watch", "--suite", "digits", "--paper"), "--watch goes with --suite"),
        (("--suite", "digits", "--port", "1"), "--port belongs to --watch"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], told: str) -> None:
    process = report(*arguments)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("error: ")
    assert told in err
    assert err.count("\n") == 1
