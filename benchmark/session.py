"""One command from request to table."""

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

import baselines
from benchmark import stopping, terminal, tracking
from benchmark.arm import served_first
from benchmark.attempts import RETRIES
from benchmark.campaign import belongs, is_complete, missing, own_records, study_name
from benchmark.commands import FAILED
from benchmark.conditions import conditions_of, title_of
from benchmark.dataset import INCOMPLETE
from benchmark.driver import Outlets, execute
from benchmark.engine import Resources, tell
from benchmark.errors import UserError, unknown
from benchmark.failures import closing_line
from benchmark.figures import write_figures
from benchmark.fill import Fill, command_under
from benchmark.interrupts import second_ends_at_once
from benchmark.plan import Arm, Options, check_values, departures, list_arms, make_plan
from benchmark.planned import PLANS, Planned, keep, read_plans
from benchmark.plugins import blaming, fault_of
from benchmark.record import REPLACED, Record, Store
from benchmark.search import told_in_one_line
from benchmark.sources import is_current, remark
from benchmark.spec import called, is_sample
from benchmark.storage import check_url, forget, open_storage
from benchmark.tables.table import Table, make_table
from benchmark.versions import of_process
from benchmark.where import Where


@dataclass(frozen=True)
class Request:
    """What one command line asks for."""

    options: Options
    where: Where
    storage: str | None
    results: Path
    wandb: str | None
    references: tuple[str, ...]
    dry_run: bool
    retries: int = RETRIES
    rerun: tuple[str, ...] = ()

    def command(self, *arms: Arm) -> Fill:
        """Return the command that makes the missing runs of arms under the same options."""
        remark = "with the same --storage as before" if self.storage else ""
        references, retries = self.references, self.retries
        text = command_under(self.options, arms, results=self.results, references=references, retries=retries)
        return Fill(text, remark)


def run_session(request: Request) -> int:
    """Check the request, run what is missing, write and print the table.

    Returns:
        The exit status: `FAILED` if a run failed to the last attempt; one that diverged or was pruned is a result.

    Raises:
        UserError: The request asks for something that is not allowed.
    """
    mode = tracking.choose_mode(request.wandb)
    arms = make_plan(request.options)
    of_process()  # what is imported now, whatever becomes of the files while the command runs
    again = _again(request, arms)
    store = Store(request.results / (request.options.suite + "-sample" * is_sample(arms[0].data)))
    places = dataclasses.replace(request.options.places, checkpoints=store.checkpoints.resolve())
    resources, warning = request.where.resources(
        check_device, threads=arms[0].suite.threads, places=places, folder=store.folder
    )
    if warning:
        tell(warning)
    with blaming("suite", request.options.suite):
        lack = arms[0].suite.shortfall()
    if lack:
        tell(f"{INCOMPLETE}: {lack}")
    for line in _partly_given(arms, request.options):
        tell(line)
    if request.dry_run:
        store.check_place()
        if request.storage:
            check_url(request.storage)
        store.read()
        read_plans(store.folder / PLANS)
        for record in _outdated(again, store.records.values()):
            del store.records[record.spec.digest]
        _check(arms, store)
        terminal.print_plan(arms, store.records, resources)
        return 0
    stopping.listen()
    with second_ends_at_once():
        return _run(request, arms, again, store, resources, Outlets(request.storage, mode, request.retries))


def _run(
    request: Request, arms: Sequence[Arm], again: Sequence[Arm], store: Store, resources: Resources, outlets: Outlets
) -> int:
    def outdated(records: Iterable[Record]) -> list[Record]:
        """Return the records to be made again, of which then neither the searches' archive nor W&B knows any more."""
        read_plans(store.folder / PLANS)  # a damaged file is refused before records are moved away
        found = _outdated(again, records)
        if found:
            with told_in_one_line() if request.storage else nullcontext():
                forget(open_storage(request.storage, store.folder), [study_name(arm) for arm in again])
            tracking.forget(store.folder, found)
        return found

    with store.writing(outdated):
        if moved := len(store.replaced):
            tell(f"{moved} records moved to {store.folder / REPLACED}; those that the plan needs are made again")
        _check(arms, store)
        plan = Planned.of(request.options, arms)
        try:
            made = execute(arms, store, resources, outlets, begun=lambda: keep(plan, store.folder))
        except KeyboardInterrupt:
            _write_table(request, arms, store)
            raise
        table, files = _write_table(request, arms, store)
    terminal.print_table(table, store.folder, files)
    failed = [record for record in made if record.status == "failed"]
    if failed:
        print(closing_line(failed, len(made)), file=sys.stderr)
    return FAILED if failed else 0


def _partly_given(arms: Sequence[Arm], options: Options) -> Iterator[str]:
    """Yield a line for each hyper-parameter given to all methods that only some of them have."""
    served = {arm.method: {*arm.space, *arm.fixed} for arm in arms if not arm.declined}
    for name in options.values:
        having = [method for method, own in served.items() if name in own]
        if "." not in name and len(having) < len(served):
            yield f"{name} is given to {', '.join(having) or 'none'}: no other method of this command has it"


def _again(request: Request, arms: Sequence[Arm]) -> list[Arm]:
    """Return the arms whose records are to be made again, which can be built."""
    names = list(dict.fromkeys(arm.method for arm in arms))
    for name in request.rerun:
        if name not in (*names, "all"):
            raise unknown("method to run again", name, [*names, "all"])
    found = [arm for arm in arms if {arm.method, "all"} & {*request.rerun}]
    for arm in found:
        check_values(arm, arm.points()[:1])
    return found


def _outdated(arms: Sequence[Arm], records: Iterable[Record]) -> list[Record]:
    """Return the records of arms that are not known to be made with their files as they are."""
    return [each for each in records if any(belongs(arm, each) for arm in arms) and not is_current(each)]


def _check(arms: Sequence[Arm], store: Store) -> None:
    """Say which records are of files that changed, and build each method that has something to run, before any work."""
    if said := remark(record for arm in arms for record in own_records(arm, store.records)):
        tell(said)
    for arm in arms:
        if missing(arm, store.records):
            check_values(arm, arm.points()[:1])


def _write_table(request: Request, arms: Sequence[Arm], store: Store) -> tuple[Table, list[str]]:
    """Write the table and the figures of what was asked for and of all else that is complete under these options."""
    asked = {arm.method for arm in arms} | set(request.references)
    recorded = {record.spec.method for record in store.records.values()} | asked
    known = dict.fromkeys((*arms[0].suite.default_methods, *baselines.names()))
    faults = {name: fault for name in known if name in recorded - asked and (fault := fault_of(name))}
    for fault in faults.values():
        tell(f"left out: {fault}")
    names = tuple(name for name in known if name in recorded - faults.keys())
    everything = list_arms(dataclasses.replace(request.options, methods=names, settings=()))
    shown = [arm for arm in everything if is_complete(arm, store.records)]
    settings = {arm.setting for arm in (*arms, *shown)}
    methods = asked | {arm.method for arm in shown}
    found = [arm for arm in everything if arm.setting in settings and arm.method in methods and _belongs(arm, request)]
    arms = served_first(found)
    table = make_table(arms, store.records, request.command, request.references, _title(arms, request.options))
    return table, [*table.write(store.folder), *write_figures(arms, store.records, store.folder, families=False)]


def _title(arms: Sequence[Arm], options: Options) -> str:
    """Return what the table of a command is called: where it is not of the suite's own plan, by what it differs."""
    suite, data, conditions = arms[0].suite, arms[0].data, conditions_of(arms[0].spec({}))
    asked, trials = departures(arms, options), options.trials
    return title_of(called(suite.name, data), conditions, suite, asked=asked, trials=trials, several_data=False)


def _belongs(arm: Arm, request: Request) -> bool:
    """Return whether a table shows an arm: not a default method of another setting that declines in this one."""
    return not arm.declined or bool(request.options.methods) or arm.method in arm.suite.methods_of(arm.setting)


def check_device(name: str) -> str:
    """Return the torch device that `name` means on this machine.

    Raises:
        UserError: There is no such device.
    """
    count = torch.cuda.device_count()
    allowed = ["auto", "cpu", *(["cuda"] if count else []), *(f"cuda:{index}" for index in range(count))]
    if name == "cuda" and not count:
        raise UserError(f"this machine has no CUDA device; choose one of: {', '.join(allowed)}")
    if name not in allowed:
        raise unknown("device", name, allowed)
    if name == "auto":
        return "cuda" if count else "cpu"
    return name
