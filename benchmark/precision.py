"""The precision of a run's training steps: which it is, and what tables say of it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from benchmark.record import Record
from benchmark.spec import AskedPrecision, Precision


def chosen(asked: AskedPrecision, suite: Precision, device: torch.device) -> Precision:
    """Return the precision of a run: the one asked for, or on CUDA the suite's where the device computes in it."""
    if asked != "auto":
        return asked
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return suite if able else "float32"


def passes(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context, to be entered once a step, in which a method trains; float32 needs none."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, dtype=torch.bfloat16)


def phrase(records: Iterable[Record]) -> str:
    """Return the sentence of a caption about the precisions of its runs; nothing where all is in float32."""
    found = _trained_in(records)
    if found in ([], ["float32"]):
        return ""
    mixed = "; notes say which, and their times do not compare" if len(found) > 1 else ""
    return f"Training steps in {' and '.join(found)}, evaluation in float32{mixed}. "


def note(records: Iterable[Record], *, among: Iterable[Record]) -> str:
    """Return what precisions records are of, if those that they stand among are of several; else nothing."""
    return f"trained in {' and '.join(_trained_in(records))}" if len(_trained_in(among)) > 1 else ""


def _trained_in(records: Iterable[Record]) -> list[str]:
    """Return the precisions of runs; records that do not name one are of float32."""
    return sorted({record.environment.get("precision", "float32") for record in records if record.environment})
