"""What comes over the wire, in whatever pieces: the answers, files and events that follow."""

import copy
import struct
import time
from pathlib import Path

import pydicom
import pytest

from node.scp.association_record import AssociationRecord
from tests.receiving.streams import (
    SYNTAXES,
    echo,
    fragments,
    in_syntax,
    message,
    outcome_of,
    status_of,
)
from tests.support.peers import CT, EXPLICIT
from tests.support.raw_peer import (
    ABORTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RELEASED,
    p_data,
    pdu,
    store_command,
)

ABORTED_BY_PROVIDER = bytes((ABORTED, 0, 0, 2, 0))  # PS3.8 Table 9-26


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    return pydicom.dcmread(cine_folder / "9.dcm")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_instance_in_each_syntax(
    tmp_path: Path, instance: pydicom.FileDataset, syntax: str
) -> None:
    found = outcome_of(tmp_path, [*message(instance, syntax), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0
    assert found.ended == ["released"]
    [content] = found.files.values()
    assert content.endswith(in_syntax(instance, syntax))


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_a_command_in_fragments_of_each_size(
    tmp_path: Path, instance: pydicom.FileDataset, size: int
) -> None:
    found = outcome_of(tmp_path, [b"".join(message(instance, command=size)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


@pytest.mark.parametrize("size", [997, 4096, 65_530, 262_000])
def test_a_data_set_in_fragments_of_each_size(
    tmp_path: Path, instance: pydicom.FileDataset, size: int
) -> None:
    found = outcome_of(tmp_path, [b"".join(message(instance, data=size)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


@pytest.mark.parametrize("step", [1, 6, 13, 1000])
def test_a_stream_that_comes_in_pieces(
    tmp_path: Path, instance: pydicom.FileDataset, step: int
) -> None:
    stream = b"".join(message(instance))
    head = [stream[begin : begin + step] for begin in range(0, 600, step)]
    rest = stream[sum(map(len, head)) :]
    assert status_of(outcome_of(tmp_path, [*head, rest, RELEASE_RQ]).answers[0]) == 0


def test_several_fragments_in_a_pdu(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    """Command and data set in one, which PS3.8 Annex E does not forbid."""
    values = [one[6:] for one in message(instance, data=20_000)]
    found = outcome_of(tmp_path, [pdu(P_DATA, b"".join(values)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


def test_instances_that_are_sent_ahead_are_answered_one_after_another(
    tmp_path: Path, cine_folder: Path
) -> None:
    paths = sorted(cine_folder.glob("*.dcm"))[:6]
    stream = b"".join(b"".join(message(pydicom.dcmread(path))) for path in paths)
    found = outcome_of(tmp_path, [stream, RELEASE_RQ], answers=6)
    assert [status_of(one) for one in found.answers[:-1]] == [0] * 6
    assert len(found.files) == 6


def test_verification_between_instances(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    stream = [echo(), *message(instance), echo(), RELEASE_RQ]
    found = outcome_of(tmp_path, stream, answers=3)
    assert [status_of(one) for one in found.answers[:-1]] == [0] * 3
    assert len(found.files) == 1


def test_an_empty_data_set(tmp_path: Path) -> None:
    stream = [p_data(store_command(), COMMAND | LAST), p_data(b"", DATA | LAST), RELEASE_RQ]
    found = outcome_of(tmp_path, stream)
    assert status_of(found.answers[0]) == 0xC000
    assert found.files == {}


BROKEN = {
    "data before a command": (
        [p_data(b"\x00" * 100, DATA | LAST)],
        "a data set without its command set",
    ),
    "a fragment without a header": (
        [pdu(P_DATA, struct.pack(">LB", 1, 1))],
        "a fragment without its header",
    ),
    "a fragment longer than its PDU": (
        [pdu(P_DATA, struct.pack(">LBB", 500, 1, 3) + b"\x00" * 9)],
        "a fragment claims 500 bytes, its PDU has fewer",
    ),
    "rubbish for a command": (
        [p_data(bytes(range(200)), COMMAND | LAST)],
        "its command set is cut off",
    ),
    "an unknown context": (
        [p_data(store_command(), COMMAND | LAST, 99), p_data(b"x", LAST, 99)],
        "a message in presentation context 99, which was not accepted",
    ),
    "a PDU of unknown type": (
        [p_data(store_command(), COMMAND | LAST), pdu(0x42, b"1234")],
        "PDU of unknown type 0x42",
    ),
    "a command set within a data set": (
        [p_data(store_command(), COMMAND | LAST), p_data(store_command(), COMMAND | LAST)],
        "a command set within a data set",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_makes_no_sense_is_aborted_and_named(tmp_path: Path, name: str) -> None:
    stream, words = BROKEN[name]
    found = outcome_of(tmp_path, stream)
    assert (found.answers, found.ended, found.files) == ([ABORTED_BY_PROVIDER], ["aborted"], {})
    [said] = found.words
    assert words in said


def test_a_pdu_with_nothing_in_it_is_passed_over(tmp_path: Path) -> None:
    found = outcome_of(tmp_path, [pdu(P_DATA, b""), RELEASE_RQ], answers=0)
    assert [one[0] for one in found.answers] == [RELEASED]
    assert found.ended == ["released"]


def test_rubbish_for_a_data_set_is_refused(tmp_path: Path) -> None:
    rubbish = p_data(bytes(range(200)), DATA | LAST)
    found = outcome_of(tmp_path, [p_data(store_command(), COMMAND | LAST), rubbish, RELEASE_RQ])
    assert status_of(found.answers[0]) == 0xC000
    assert (found.files, len(found.refused)) == ({}, 1)


def test_an_end_within_a_data_set_is_aborted(tmp_path: Path) -> None:
    found = outcome_of(tmp_path, [p_data(store_command(), COMMAND | LAST), RELEASE_RQ], answers=0)
    assert (found.answers, found.ended) == ([ABORTED_BY_PROVIDER], ["aborted"])


def test_bounds_of_messages(tmp_path: Path) -> None:
    endless = [p_data(b"\x00" * 1000, COMMAND)] * 5
    found = outcome_of(tmp_path / "command", endless, maximum_command_bytes=4096)
    assert found.words[0].endswith("a command set is longer than 4096 bytes")
    data = [p_data(store_command(), COMMAND | LAST), *[p_data(b"\x00" * 200_000, DATA)] * 6]
    found = outcome_of(tmp_path / "data", data, maximum_instance_mb=1)
    assert found.words[0].endswith("a data set is longer than 1 MB")
    assert found.files == {}


REFUSED = {
    "cut short": ("", 0xC000),
    "another instance": ("SOPInstanceUID", 0xA900),
    "another class": ("SOPClassUID", 0xA900),
    "a path for a UID": ("SeriesInstanceUID", 0xC000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(tmp_path: Path, instance: pydicom.FileDataset, name: str) -> None:
    keyword, status = REFUSED[name]
    changed = copy.deepcopy(instance)
    if keyword:
        setattr(changed, keyword, CT if keyword == "SOPClassUID" else "../../x")
    if keyword == "SOPInstanceUID":
        changed.SOPInstanceUID = "1.2.3"
    data = in_syntax(changed, EXPLICIT)[: None if keyword else -1000]
    stream = fragments(store_command(str(instance.SOPInstanceUID)), COMMAND, 1, 1000)
    found = outcome_of(tmp_path, [*stream, *fragments(data, DATA, 1, 50_000), RELEASE_RQ])
    assert status_of(found.answers[0]) == status
    assert len(found.refused) == 1


def test_a_disk_below_its_watermark_is_answered_0xa700(
    tmp_path: Path, instance: pydicom.FileDataset
) -> None:
    stream = [*message(instance), RELEASE_RQ]
    found = outcome_of(tmp_path, stream, minimum_free_mb=10**9)
    assert status_of(found.answers[0]) == 0xA700
    assert found.files == {}


def test_a_release_right_after_the_acceptance_is_recorded_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = AssociationRecord.open

    def take_long(association: AssociationRecord) -> None:
        time.sleep(0.3)
        record(association)

    monkeypatch.setattr(AssociationRecord, "open", take_long)
    assert outcome_of(tmp_path, [RELEASE_RQ], answers=0).ended == ["released"]
