"""All fragments of a message come in one presentation context (PS3.8 E.1)."""

from pathlib import Path

import pydicom
import pytest

from tests.receiving.streams import message, outcome_of, status_of
from tests.support.peers import IMPLICIT
from tests.support.raw_peer import ABORTED, COMMAND, LAST, RELEASE_RQ, p_data

ABORTED_BY_PROVIDER = bytes((ABORTED, 0, 0, 2, 0))  # PS3.8 Table 9-26


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    """One instance of the cine series."""
    return pydicom.dcmread(cine_folder / "9.dcm")


def in_context(context_id: int, one: bytes) -> bytes:
    """A P-DATA-TF of one fragment, in another presentation context."""
    return one[:10] + bytes((context_id,)) + one[11:]


@pytest.mark.parametrize("context_id", [3, 2, 99, 0], ids=str)
@pytest.mark.parametrize("which", ["command", "first", "middle", "last"])
def test_a_fragment_in_another_context_than_its_message_is_aborted(
    tmp_path: Path, instance: pydicom.FileDataset, which: str, context_id: int
) -> None:
    """Else the bytes of one transfer syntax would be read as those of another."""
    stream = message(instance, command=60, data=40_000)
    commands = sum(one[11] & COMMAND for one in stream)
    at = {"command": 1, "first": commands, "middle": commands + 1, "last": len(stream) - 1}[which]
    stream[at] = in_context(context_id, stream[at])
    found = outcome_of(tmp_path, stream)
    assert found.answers == [ABORTED_BY_PROVIDER]
    [words] = found.words
    fault = f"a fragment of presentation context {context_id} in a message of 1"
    assert words.endswith(f"a message cannot be read ({fault})")
    assert (found.files, found.refused, found.ended) == ({}, [], ["aborted"])


def test_each_message_has_a_context_of_its_own(tmp_path: Path, cine_folder: Path) -> None:
    first, second = sorted(cine_folder.glob("*.dcm"))[:2]
    stream = [*message(pydicom.dcmread(first)), *message(pydicom.dcmread(second), IMPLICIT)]
    found = outcome_of(tmp_path, [*stream, RELEASE_RQ], answers=2)
    assert [status_of(one) for one in found.answers[:-1]] == [0, 0]


def test_a_command_that_begins_in_no_context_is_aborted_too(tmp_path: Path) -> None:
    stream = [p_data(b"\x00" * 8, COMMAND, 0), p_data(b"\x00" * 8, COMMAND | LAST, 1)]
    found = outcome_of(tmp_path, stream)
    assert found.answers == [ABORTED_BY_PROVIDER]
    assert "a fragment of presentation context 1 in a message of 0" in found.words[0]
