"""The suites of the user's own data: sets, columns, what data lack, commands from a folder to a table."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import suites
from benchmark.cache import Split
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.plan import Options, make_plan
from benchmark.suites._folder_columns import standardised
from benchmark.suites._folder_sets import cut
from benchmark.suites.folder import Folder
from benchmark.tasks import UNLABELLED
from tests.benchmark.conftest import Cli
from tests.benchmark.datasets.own import lay_out, picture
from tests.benchmark.helpers import lines

QUICK = ("--workers", "0", "--wandb", "disabled", "--epochs", "2", "--seeds", "1", "--set", "lr=0.001")
ONE_POINT = ("--set", "weight_decay=0.0005")


def labels_of(*counts: int) -> torch.Tensor:
    """Return so many labels of each class, mixed."""
    labels = torch.cat([torch.full((count,), number) for number, count in enumerate(counts)])
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(5))]


def everything(sets: object) -> list[int]:
    return sorted(torch.cat([getattr(sets, name) for name in ("pool", "unlabelled", "validation", "test")]).tolist())


def test_what_is_not_given_is_a_fifth_of_each_class() -> None:
    labels = labels_of(100, 10, 4)
    sets = cut(labels, torch.zeros(114), ("a", "b", "c"), suite="folder")
    assert labels[sets.test].bincount().tolist() == [20, 2, 1]
    assert labels[sets.validation].bincount().tolist() == [20, 2, 1]
    auxiliary, train = sets.draw(torch.Generator().manual_seed(1))
    assert labels[auxiliary].bincount().tolist() == [6, 1, 1]
    assert labels[train].bincount().tolist() == [54, 5, 1]
    assert sorted(torch.cat([auxiliary, train]).tolist()) == sets.pool.tolist()
    assert everything(sets) == list(range(114))
    again = cut(labels, torch.zeros(114), ("a", "b", "c"), suite="folder")
    assert torch.equal(again.test, sets.test)
    assert not torch.equal(sets.draw(torch.Generator().manual_seed(2))[0], auxiliary)


@pytest.mark.parametrize("given", [{Split.TEST}, {Split.VALIDATION}, {Split.TEST, Split.VALIDATION}])
def test_what_is_given_stays(given: set[Split]) -> None:
    labels = labels_of(50, 30)
    splits = torch.zeros(80, dtype=torch.uint8)
    for row, part in enumerate(sorted(given)):
        splits[row::10] = part
    labels[9::10] = UNLABELLED
    sets = cut(labels, splits, ("a", "b"), suite="folder")
    for part, found in ((Split.TEST, sets.test), (Split.VALIDATION, sets.validation)):
        if part in given:
            assert found.tolist() == (splits == part).nonzero().squeeze(1).tolist()
        else:
            expected = (0.2 * labels[(splits == Split.TRAIN) & (labels >= 0)].bincount() + 0.5).long()
            assert torch.equal(labels[found].bincount(), expected)
    assert sets.unlabelled.tolist() == list(range(9, 80, 10))
    assert everything(sets) == list(range(80))


@pytest.mark.parametrize(("given", "least"), [((), 4), ((Split.TEST,), 3), ((Split.TEST, Split.VALIDATION), 2)])
def test_every_class_must_fill_every_set(given: tuple[Split, ...], least: int) -> None:
    for count in (least, least - 1):
        labels = torch.cat([labels_of(10, count), torch.zeros(len(given), dtype=torch.long)])
        splits = torch.tensor([0] * (10 + count) + list(given))
        if count == least:
            assert everything(cut(labels, splits, ("cat", "dog"), suite="folder")) == list(range(len(labels)))
            continue
        with pytest.raises(UserError, match=f"class 'dog' has {count} training pictures; each class needs {least}"):
            cut(labels, splits, ("cat", "dog"), suite="folder")


def test_numbers_are_standardised_by_what_training_sees() -> None:
    values = torch.tensor([[1, 5], [3, 5], [math.nan, 5], [100, 6]], dtype=torch.float64)
    found = standardised(values, torch.tensor([0, 1, 2]))
    assert found.nan_to_num(-9).tolist() == [[-1, 0], [1, 0], [-9, 0], [98, 1]]


def small(folder: Path, table: bool = True, *, value: int = 0, classes: Mapping[str, int] | None = None) -> Path:
    """Write pictures of 16 pixels of two classes, one dark and one bright, and a table of two columns."""
    rng = np.random.default_rng(value)
    files: dict[str, bytes | str] = {}
    rows = ["file,tone,half,brightness"]
    for name, level in (classes or {"dark": 60, "light": 190}).items():
        for number in range(20):
            grey = level + int(rng.integers(-40, 40))
            files[f"{name}/{number}.png"] = picture(grey)
            rows.append(f"{name}/{number}.png,{'warm' if number % 2 else 'cold'},{number // 10},{grey / 255:.4f}")
    files["unlabelled/x.png"] = picture(128)
    return lay_out(folder, {**files, **({"attributes.csv": "\n".join([*rows, "x.png,cold,,"])} if table else {})})


def suite(data_dir: Path, **places: str) -> Folder:
    found = suites.load("folder", Places(data_dir, data_dir.parent / "cache", **places))  # type: ignore[arg-type]
    assert isinstance(found, Folder)
    return found


def test_columns_become_task_groups_with_their_own_classes(tmp_path: Path) -> None:
    given = suite(small(tmp_path / "data"))
    main, categories, numbers = given.groups_of("attributes")
    assert (main.names, main.outputs) == (("main",), 2)
    assert (categories.names, categories.outputs) == (("tone", "half"), 4)
    assert (numbers.names, numbers.outputs) == (("brightness",), 1)
    data = given.data("attributes", 1)
    labels, found, brightness = data.samples.targets
    assert labels[-1].tolist() == [UNLABELLED]
    assert found[:4].tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]], "0.png, 1.png, 10.png and 11.png"
    assert found[-1].tolist() == [0, UNLABELLED]
    assert brightness[-1].isnan()
    seen = torch.cat([data.train, data.auxiliary])
    assert float(brightness[seen].nanmean()) == pytest.approx(0, abs=1e-6)
    assert 40 in data.train.tolist()
    assert 40 not in given.data("generated", 1).train.tolist(), "it has no label to generate a finer one of"


def test_a_column_that_no_training_picture_has_is_refused(tmp_path: Path) -> None:
    folder = small(tmp_path / "data", table=False)
    for part in ("dark", "light"):
        (folder / "train" / part).parent.mkdir(exist_ok=True)
        (folder / part).rename(folder / "train" / part)
    lay_out(folder, {"test/dark/t.png": picture(9), "test/dark/u.png": picture(9), "test/light/v.png": picture(9)})
    lay_out(folder, {"attributes.csv": "file,a\nt.png,x\nu.png,x\nv.png,y\n"})
    with pytest.raises(UserError, match="the column 'a' of the table of attributes is known of no training picture"):
        suite(folder).groups_of("attributes")


def test_large_pictures_are_cropped_and_take_a_resnet_with_weights(tmp_path: Path) -> None:
    files = {f"{name}/{number}.png": picture(number, (70, 40)) for name in "ab" for number in range(4)}
    given = suite(lay_out(tmp_path / "data", files))
    data = given.data("generated", 1)
    assert data.at(data.train).inputs.shape == (2, 3, 224, 224)
    assert type(given.trunk("generated")[0]).__name__ == "ResNet"
    given.check_weights()
    with pytest.raises(UserError, match="cannot read weights from no-such-file"):
        suite(tmp_path / "data", weights="no-such-file").check_weights()
    with pytest.raises(UserError, match="the pictures have 16 pixels, and the ConvNet for these takes no --weights"):
        suite(small(tmp_path / "small"), weights="imagenet").check_weights()


def test_a_folder_becomes_a_table(cli: Cli, tmp_path: Path) -> None:
    data, results = small(tmp_path / "data"), tmp_path / "results"
    asked = ("--suite", "folder", "--data-dir", data, "--results-dir", results, *QUICK, *ONE_POINT)
    ended = cli(*asked, "--methods", "stl,equal", "--settings", "attributes")
    assert ended.status == 0, ended.err
    first = lines(results, "folder")
    assert {line["status"] for line in first} == {"ok"}
    assert {tuple(line["tasks"]) for line in first} == {("main", "tone", "half", "brightness")}
    table = (results / "folder" / "table.md").read_text()
    assert "attributes top1" in table
    other = small(tmp_path / "other", value=1)
    ended = cli(*asked[:3], other, *asked[4:], "--methods", "equal", "--settings", "attributes")
    assert ended.status == 0, ended.err
    assert len(lines(results, "folder")) == len(first) + 1
    table = (results / "folder" / "table.md").read_text()
    assert "stl" not in table, "the other folder's results stand in this one's table"


def test_without_a_table_labels_are_generated(cli: Cli, tmp_path: Path) -> None:
    data = small(tmp_path / "data", table=False)
    asked = ("--suite", "folder", "--data-dir", data, "--results-dir", tmp_path / "results", *QUICK, *ONE_POINT)
    planned = cli(*asked, "--dry-run")
    assert planned.status == 0, planned.err
    for method in ("stl", "maxl-f", "maxl", "auxilearn"):
        assert f" {method} " in planned.out
    assert "equal" not in planned.out
    assert "attributes" not in planned.out.replace(str(tmp_path), "")
    refused = cli(*asked, "--settings", "attributes")
    assert refused.status == 2
    assert refused.err.splitlines()[-1] == (
        "error: the setting 'attributes' of suite 'folder' needs a table attributes.csv beside the folders of "
        "pictures; there is none"
    )


def test_each_setting_has_methods_of_its_own(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(small(tmp_path / "data"), tmp_path / "cache")
    arms = {(arm.setting, arm.method) for arm in make_plan(Options("folder", places=places))}
    assert arms == {
        *(("attributes", name) for name in Folder.for_attributes),
        *(("generated", name) for name in ("stl", "maxl-f", "maxl", "auxilearn")),
    }
    for name, methods in (("for_attributes", ("stl", "equal")), ("for_generated", ("stl",))):
        monkeypatch.setattr(Folder, name, methods)
    ended = cli("--suite", "folder", "--data-dir", tmp_path / "data", "--results-dir", tmp_path, *QUICK, *ONE_POINT)
    assert ended.status == 0, ended.err
    assert "declines" not in ended.out
    results, _, weights = ended.out.partition("task weights at the end")
    assert "equal" not in results.partition("folder, generated")[2]
    assert weights.count("equal") == 1


def test_a_folder_that_is_not_there_is_told_in_one_line(cli: Cli, tmp_path: Path) -> None:
    for name, word in (("folder", "takes a folder of pictures for each class"), ("folder-dense", "images and labels")):
        refused = cli("--suite", name, "--data-dir", tmp_path / "none", *QUICK)
        assert refused.status == 2
        assert refused.err.count("\n") == 1
        assert word in refused.err


def test_the_list_reads_no_data(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = cli("--list")
    assert listed.status == 0
    assert "folder-dense: " in listed.out
    assert not list(tmp_path.iterdir())
