"""The same bytes by our own data path and by pynetdicom: the same answers, files and events."""

import copy
import struct
import time
from pathlib import Path

import pydicom
import pytest
from pynetdicom.association import Association
from pynetdicom.dsutils import encode

from node.scp.service import Listener
from tests.receiving.data_paths import (
    ECHO,
    SYNTAXES,
    both,
    fragments,
    in_syntax,
    message,
    outcome_of,
    status_of,
)
from tests.support.peers import CT, EXPLICIT
from tests.support.raw_peer import (
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    p_data,
    pdu,
    store_command,
)


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    return pydicom.dcmread(cine_folder / "9.dcm")


def echo() -> bytes:
    command = pydicom.Dataset()
    command.AffectedSOPClassUID, command.CommandField = "1.2.840.10008.1.1", 0x0030
    command.MessageID, command.CommandDataSetType = 9, 0x0101
    return p_data(encode(command, True, True) or b"", COMMAND | LAST, ECHO)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_instance_in_each_syntax(
    tmp_path: Path, instance: pydicom.FileDataset, syntax: str
) -> None:
    found = both(tmp_path, [*message(instance, syntax), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0
    assert found.ended == ["released"]
    [content] = found.files.values()
    assert content.endswith(in_syntax(instance, syntax))


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_a_command_in_fragments_of_each_size(
    tmp_path: Path, instance: pydicom.FileDataset, size: int
) -> None:
    found = both(tmp_path, [b"".join(message(instance, command=size)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


@pytest.mark.parametrize("size", [997, 4096, 65_530, 262_000])
def test_a_data_set_in_fragments_of_each_size(
    tmp_path: Path, instance: pydicom.FileDataset, size: int
) -> None:
    found = both(tmp_path, [b"".join(message(instance, data=size)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


@pytest.mark.parametrize("step", [1, 6, 13, 1000])
def test_a_stream_that_comes_in_pieces(
    tmp_path: Path, instance: pydicom.FileDataset, step: int
) -> None:
    stream = b"".join(message(instance))
    head = [stream[begin : begin + step] for begin in range(0, 600, step)]
    rest = stream[sum(map(len, head)) :]
    assert status_of(both(tmp_path, [*head, rest, RELEASE_RQ]).answers[0]) == 0


def test_several_fragments_in_a_pdu(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    """Command and data set in one, which PS3.8 Annex E does not forbid."""
    values = [one[6:] for one in message(instance, data=20_000)]
    found = both(tmp_path, [pdu(P_DATA, b"".join(values)), RELEASE_RQ])
    assert status_of(found.answers[0]) == 0


def test_instances_that_are_sent_ahead_are_answered_one_after_another(
    tmp_path: Path, cine_folder: Path
) -> None:
    paths = sorted(cine_folder.glob("*.dcm"))[:6]
    stream = b"".join(b"".join(message(pydicom.dcmread(path))) for path in paths)
    found = both(tmp_path, [stream, RELEASE_RQ], answers=6)
    assert [status_of(one) for one in found.answers[:-1]] == [0] * 6
    assert len(found.files) == 6


def test_verification_between_instances(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    stream = [echo(), *message(instance), echo(), RELEASE_RQ]
    ours = outcome_of("own", tmp_path, stream, answers=3)
    theirs = outcome_of("pynetdicom", tmp_path, stream, answers=3)
    assert sorted(map(str, ours.answers)) == sorted(map(str, theirs.answers))
    assert ours.files == theirs.files


def test_an_empty_data_set(tmp_path: Path) -> None:
    stream = [p_data(store_command(), COMMAND | LAST), p_data(b"", DATA | LAST), RELEASE_RQ]
    found = both(tmp_path, stream)
    assert status_of(found.answers[0]) == 0xC000
    assert found.files == {}


BROKEN = {
    "data before a command": [p_data(b"\x00" * 100, DATA | LAST)],
    "a fragment without a header": [pdu(P_DATA, struct.pack(">LB", 1, 1))],
    "a fragment longer than its PDU": [pdu(P_DATA, struct.pack(">LBB", 500, 1, 3) + b"\x00" * 9)],
    "a PDU with nothing in it": [pdu(P_DATA, b""), RELEASE_RQ],
    "rubbish for a command": [p_data(bytes(range(200)), COMMAND | LAST)],
    "an unknown context": [p_data(store_command(), COMMAND | LAST, 99), p_data(b"x", LAST, 99)],
    "rubbish for a data set": [
        p_data(store_command(), COMMAND | LAST),
        p_data(bytes(range(200)), DATA | LAST),
        RELEASE_RQ,
    ],
    "a PDU of unknown type": [p_data(store_command(), COMMAND | LAST), pdu(0x42, b"1234")],
    "an end within a data set": [p_data(store_command(), COMMAND | LAST), RELEASE_RQ],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_makes_no_sense(tmp_path: Path, name: str) -> None:
    found = both(tmp_path, BROKEN[name], answers=name == "rubbish for a data set")
    assert found.files == {}


def test_bounds_of_messages(tmp_path: Path) -> None:
    endless = [p_data(b"\x00" * 1000, COMMAND)] * 5
    found = both(tmp_path / "command", endless, maximum_command_bytes=4096)
    assert found.words[0].endswith("a command set is longer than 4096 bytes")
    data = [p_data(store_command(), COMMAND | LAST), *[p_data(b"\x00" * 200_000, DATA)] * 6]
    found = both(tmp_path / "data", data, maximum_instance_mb=1)
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
    found = both(tmp_path, [*stream, *fragments(data, DATA, 1, 50_000), RELEASE_RQ])
    assert status_of(found.answers[0]) == status
    assert len(found.refused) == 1


def test_a_disk_below_its_watermark(tmp_path: Path, instance: pydicom.FileDataset) -> None:
    found = both(tmp_path, [*message(instance), RELEASE_RQ], minimum_free_mb=10**9)
    assert found.answers


def test_a_release_right_after_the_acceptance_is_recorded_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Listener._record_open

    def take_long(listener: Listener, association: Association) -> int:
        time.sleep(0.3)
        return record(listener, association)

    monkeypatch.setattr(Listener, "_record_open", take_long)
    assert both(tmp_path, [RELEASE_RQ], answers=0).ended == ["released"]
