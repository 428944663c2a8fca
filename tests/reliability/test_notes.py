"""What notes of a storm must not say, said."""

import re

import pytest

from tests.reliability.notes import Note, check_nothing_is_done_twice

ENDED = [Note(1, "began", "a"), Note(1, "ended", "a")]
RECORDED = Note(0, "recorded", "a")
DIES = Note(1, "dies", "b", "begin")
AGAIN = Note(2, "began", "a")
OTHERS = [Note(3, "began", f"other-{number}") for number in range(20)]


@pytest.mark.parametrize(
    "found",
    [
        [*ENDED, DIES, AGAIN, Note(2, "ended", "a"), RECORDED],
        [*ENDED, RECORDED, DIES, AGAIN],
        [*ENDED, DIES, RECORDED, AGAIN, Note(2, "dies", "a", "begin"), Note(3, "began", "a")],
        [*ENDED, Note(0, "driver-dies", "-", "seen"), AGAIN, Note(2, "ended", "a"), RECORDED],
    ],
)
def test_a_run_is_made_again_after_a_death(found: list[Note]) -> None:
    check_nothing_is_done_twice(found)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([*ENDED, AGAIN], "after it had ended"),
        ([*ENDED, RECORDED, AGAIN], "after its record was written"),
        ([*ENDED, RECORDED, Note(3, "dies", "b", "begin"), AGAIN], "after its record was written"),
        ([*ENDED, RECORDED, *OTHERS, DIES, AGAIN], "after its record was written"),
        ([*ENDED, RECORDED, DIES, AGAIN, Note(3, "began", "a")], "after its record was written"),
        ([*ENDED, RECORDED, DIES, Note(0, "driver-dies", "-", "seen"), AGAIN], "after its record was written"),
        ([*ENDED, RECORDED, DIES, AGAIN, Note(2, "ended", "a"), RECORDED], "a second time"),
    ],
)
def test_a_run_is_not_made_twice_without_one(found: list[Note], said: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        check_nothing_is_done_twice(found)
