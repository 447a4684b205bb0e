"""Command sets and their fragments: read as pynetdicom writes them, cut to what a peer takes."""

import struct
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.dimse_messages import N_ACTION_RSP, N_EVENT_REPORT_RSP
from pynetdicom.dimse_primitives import N_ACTION, N_EVENT_REPORT
from pynetdicom.dsutils import encode

from core.errors import BoundError
from core.priority import Priority
from network.upper_layer.dimse import CommandSet, read_command, write_response
from network.upper_layer.pdus import COMMAND, P_DATA, fragments_of, p_data_pdus, pdu
from tests.support.peers import MR
from tests.support.raw_peer import store_command

PUSH_MODEL, WELL_KNOWN = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


def test_a_store_request_is_read_as_pynetdicom_writes_it() -> None:
    found = read_command(store_command("1.2.3"))
    assert (found.field, found.message_id, found.has_data_set) == (0x0001, 1, True)
    assert (found.sop_class_uid, found.sop_instance_uid) == (MR, "1.2.3")


USUAL = store_command("1.2.3")
READ_AS_USUAL = {
    "an element twice": USUAL + USUAL[-14:],
    "an unknown element": USUAL + struct.pack("<HHL", 0, 0x5000, 0),
    "another group": USUAL + struct.pack("<HHL", 8, 5, 0),
    "the originator of a C-MOVE": USUAL
    + struct.pack("<HHL", 0, 0x1030, 6)
    + b"MOVER "
    + struct.pack("<HHLH", 0, 0x1031, 2, 7),
    "no group length": USUAL[12:],
    "a wrong group length": USUAL[:8] + b"\xff\xff\xff\xff" + USUAL[12:],
}


@pytest.mark.parametrize("name", READ_AS_USUAL)
def test_what_does_not_matter_is_passed_over(name: str) -> None:
    assert read_command(READ_AS_USUAL[name]) == read_command(USUAL)


@pytest.mark.parametrize("written", [b"", b"\0\0\0\7\2\0\0\0\x63\0"], ids=["none", "99"])
def test_a_priority_that_is_missing_or_has_no_meaning_is_medium(written: bytes) -> None:
    command = read_command(USUAL.replace(b"\0\0\0\7\2\0\0\0\2\0", written))
    assert Priority.on_the_wire(read_command(USUAL).priority) is Priority.LOW
    assert Priority.on_the_wire(command.priority) is Priority.MEDIUM
    assert replace(command, priority=2) == read_command(USUAL)


@pytest.mark.parametrize("length", [*range(1, 60), len(USUAL) - 1])
def test_a_command_set_that_is_cut_off_is_none(length: int) -> None:
    with pytest.raises(BoundError, match="a message cannot be read"):
        read_command(USUAL[:length])


@pytest.mark.parametrize("longest", [40, 41])
def test_a_response_is_cut_to_what_the_peer_takes(longest: int) -> None:
    command = write_response(read_command(USUAL), 0xA700, "no room")
    pdus = memoryview(p_data_pdus(command, 1, COMMAND, longest))
    content, control = b"", []
    while pdus:
        size = 6 + int.from_bytes(pdus[2:6], "big")
        assert size <= 46
        for fragment in fragments_of(pdus[:size]):
            content += bytes(fragment.content)
            assert len(fragment.content) % 2 == 0
            control.append(fragment.control)
        pdus = pdus[size:]
    assert content == command
    assert control == [1] * (len(control) - 1) + [3]


@pytest.mark.parametrize(
    "content", [struct.pack(">LB", 1, 1), struct.pack(">LBB", 500, 1, 3) + bytes(9), bytes(6)]
)
def test_a_fragment_that_is_none_is_told(content: bytes) -> None:
    with pytest.raises(BoundError, match="a fragment"):
        list(fragments_of(memoryview(pdu(P_DATA, content))))


def theirs(primitive: N_ACTION | N_EVENT_REPORT) -> bytes:
    """The same response as pynetdicom writes it, without the group length."""
    message = N_ACTION_RSP() if isinstance(primitive, N_ACTION) else N_EVENT_REPORT_RSP()
    message.primitive_to_message(primitive)
    command: Dataset = message.command_set
    command.CommandDataSetType = 0x0101
    del command.CommandGroupLength
    return encode(command, True, True) or b""


@pytest.mark.parametrize("status", [0x0000, 0x0115])
def test_responses_of_storage_commitment_are_those_of_pynetdicom(status: int) -> None:
    action, report = N_ACTION(), N_EVENT_REPORT()
    action.ActionTypeID, report.EventTypeID = 1, 2
    for one in (action, report):
        one.MessageIDBeingRespondedTo, one.Status = 7, status
        one.AffectedSOPClassUID, one.AffectedSOPInstanceUID = UID(PUSH_MODEL), UID(WELL_KNOWN)
    for field, type_id, primitive in ((0x0130, 1, action), (0x0100, 2, report)):
        request = CommandSet(
            field=field,
            has_data_set=True,
            message_id=7,
            sop_class_uid=PUSH_MODEL,
            sop_instance_uid=WELL_KNOWN,
            type_id=type_id,
        )
        assert write_response(request, status)[12:] == theirs(primitive)
