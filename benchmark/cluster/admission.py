"""Who may have cells: workers that equal the driver, now and whenever one joins.

What is sent here travels by value, as functions inside functions do with Dask, so that a worker without the benchmark,
or with another version of it, can say so. The mark of a worker that may have cells is a Dask resource of this session.
"""

import contextlib
import secrets
from collections.abc import Callable
from typing import Any

from benchmark.errors import UserError
from benchmark.versions import Versions, of_process

HINT = "make them equal and run the command again"


def new_mark() -> str:
    """Return a name for the resource that admitted workers have in this session."""
    return f"auxilearn-{secrets.token_hex(4)}"


def admit(client: Any, mark: str, device: str, say: Callable[[str], None]) -> None:
    """Give the mark to workers that equal this process, those that join later as well; tell of others in a line.

    Raises:
        UserError: A worker that is there now differs.
    """
    expected = of_process()
    examine = _examination(expected, device)
    check_python(client, expected)
    refused = {worker: why for worker, why in _answers(client.run(examine, on_error="return")) if why}
    if refused:
        raise UserError(f"{told(refused)}; {HINT}")
    client.subscribe_topic(mark, lambda event: say(f"{told({event[1]['worker']: event[1]['why']})}; it gets no runs"))
    client.register_plugin(_admission(mark, examine))


def check_python(client: Any, expected: Versions) -> None:
    """Refuse workers of another Python, to which no function can be sent.

    Raises:
        UserError: There is one.
    """
    versions = client.get_versions()
    found = {**versions["workers"], "the scheduler": versions["scheduler"]}
    refused = {}
    for name, each in found.items():
        python = ".".join(str((each or {}).get("host", {}).get("python", "?")).split(".")[:2])
        if python != expected["python"]:
            refused[name] = f"python {python} (driver: {expected['python']})"
    if refused:
        raise UserError(f"{told(refused)}; {HINT}")


def dismiss(client: Any, mark: str) -> None:
    """Take the mark back from all workers, as far as they still answer."""
    with contextlib.suppress(Exception):
        client.unsubscribe_topic(mark)
        client.unregister_worker_plugin(mark)


def told(refused: dict[str, str]) -> str:
    """Return in words who differs from the driver, and in what."""
    worker, why = next(iter(refused.items()))
    more = f", and {len(refused) - 1} more differ" if len(refused) > 1 else ""
    name = worker.rpartition("@")[2]  # an address may have a password before it
    return f"{name if name.startswith('the ') else f'the worker {name}'} does not equal the driver: {why}{more}"


def _answers(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (worker, answer if isinstance(answer, str) else f"{type(answer).__name__}: {answer}".splitlines()[0])
        for worker, answer in found.items()
    ]


def _examination(expected: Versions, device: str) -> Callable[[], str]:
    """Return a function that says what its process lacks for having cells; it must refer to nothing in this file."""

    def examine() -> str:
        try:
            from benchmark.versions import difference, of_process
        except ImportError as error:
            return f"it cannot import the benchmark ({error})"
        found = difference(expected, of_process())
        if not found and device == "cuda":
            import torch

            return "" if torch.cuda.is_available() else "it has no GPU that torch can use"
        return found

    return examine


def _admission(mark: str, examine: Callable[[], str]) -> Any:
    """Return a plugin of workers that examines each and gives the mark to those that may have cells."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Admission(WorkerPlugin):
        name = mark

        async def setup(self, worker: Any) -> None:
            from distributed.core import Status

            self.release = lambda: None
            if why := examine():
                worker.log_event(mark, {"worker": worker.address, "why": why})
                return
            from benchmark.worker import attend, release

            handler = attend(worker)
            self.release = lambda: release(handler)
            await worker.set_resources(**{mark: worker.state.nthreads})
            if worker.status == Status.running:  # cells without a worker are looked at when one begins to run
                worker.status = Status.paused
                worker.status = Status.running

        async def teardown(self, worker: Any) -> None:
            from distributed.core import Status

            self.release()
            if worker.status in (Status.running, Status.paused):
                if worker.state.total_resources.get(mark):
                    await worker.set_resources(**{mark: 0})
                return
            with contextlib.suppress(ImportError):
                from benchmark.stopping import stop_runs

                await stop_runs(None, 20.0)

    return Admission()
