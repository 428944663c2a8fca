"""Runs that failed are tried again within a command; one that diverged gives the same numbers again, and is not."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmark.record import Record

RETRIES = 1
"""Further attempts at a failed run: what has a reason outside of the run, such as memory that another process held
for a moment, is over with the second; what is a bug comes to light at little cost."""


@dataclass
class Attempts:
    """How often each run was tried.

    Attributes:
        retries: Further attempts after the first one.
        tell: Is told of each failure that another attempt follows, and in words which one it was.
    """

    retries: int = RETRIES
    tell: Callable[[Record, str], None] = lambda record, attempt: None
    _failed: dict[str, Record] = field(default_factory=dict)

    def counted(self, record: Record) -> Record:
        """Return an attempt's record with the number of all attempts at its run; a success keeps the last reason."""
        earlier = self._failed.get(record.spec.digest)
        if earlier is None:
            return record
        reason = record.reason or earlier.reason
        return dataclasses.replace(record, attempts=earlier.attempts + record.attempts, reason=reason)

    def again(self, record: Record) -> bool:
        """Return whether to try a run again, after an attempt whose record is `counted`."""
        self._failed.pop(record.spec.digest, None)
        if record.status != "failed" or record.attempts > self.retries:
            return False
        self._failed[record.spec.digest] = record
        self.tell(record, self.text(record))
        return True

    def text(self, record: Record) -> str:
        """Return which attempt a record is of, in brackets; empty where one is all there is."""
        total = max(self.retries + 1, record.attempts)
        return f" (attempt {record.attempts} of {total})" if record.status == "failed" and total > 1 else ""
