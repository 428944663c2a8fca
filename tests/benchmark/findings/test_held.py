"""What the data of committed runs held."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.findings.held import data
from tests.benchmark.made_up import a_run, commit, rows


def committed(folder: Path, suite: str, digest: str) -> None:
    record = a_run("stl", 1, {"top1": 0.5}, suite=suite)
    commit(folder / "reference" / suite, [replace(record, spec=replace(record.spec, data=digest))])


def test_every_content_is_told_once_with_its_suites(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text('content,data set,held\nabc,Pictures,"5 of 10, in order"\nxyz,other,all\n')
    for suite, digest in (("mnist", "abc"), ("svhn", "abc"), ("illustrative", "generated-1")):
        committed(tmp_path, suite, digest)
    (row,) = rows(data(tmp_path))
    assert row == {
        "data": "Pictures",
        "content": "`abc`",
        "what it held": "5 of 10, in order",
        "suites": "`mnist`, `svhn`",
    }
    committed(tmp_path, "cars", "unheard of")
    with pytest.raises(KeyError, match="unheard of"):
        data(tmp_path)
