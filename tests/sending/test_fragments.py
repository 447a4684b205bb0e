"""What goes out is what pynetdicom would send, in PDUs that the peer takes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import UID
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF

from core.errors import BoundError, SendError
from network.upper_layer.dimse import read_command, store_request
from network.upper_layer.p_data import Extent, PDataBuffer
from tests.sending.raw_scp import response

CT, INSTANCE = "1.2.840.10008.5.1.4.1.1.2", "1.2.826.0.1.3680043.8.498.12"
SIZE = 4096 - 6
PER_BUFFER = 262_144 // (4096 + 6)


@pytest.fixture
def open_file(tmp_path: Path) -> Iterator[int]:
    """Two megabytes in which every place looks different."""
    path = tmp_path / "bytes"
    path.write_bytes(b"".join(number.to_bytes(4, "big") for number in range(500_000)))
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def pdus(stream: bytes) -> list[tuple[int, int, bytes]]:
    """Context ID, message control header and fragment of each, as pynetdicom reads them."""
    found, at = [], 0
    while at < len(stream):
        length = int.from_bytes(stream[at + 2 : at + 6], "big")
        pdu = P_DATA_TF()
        pdu.decode(stream[at : at + 6 + length])
        for item in pdu.presentation_data_value_items:
            value = item.presentation_data_value
            assert item.presentation_context_id is not None
            assert value is not None
            found.append((item.presentation_context_id, value[0], value[1:]))
        at += 6 + length
    return found


def sent(buffer: PDataBuffer, extent: Extent, command: bytes = b"cmmd", context: int = 7) -> bytes:
    return b"".join(bytes(piece) for piece in buffer.pdus(extent, command, context))


@pytest.mark.parametrize(
    "length",
    [0, 1, 2, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 5 * SIZE + 3, PER_BUFFER * SIZE - 1,
     PER_BUFFER * SIZE, PER_BUFFER * SIZE + 1, 2 * PER_BUFFER * SIZE, 1_999_000],
)  # fmt: skip
def test_every_length_comes_out_whole(open_file: int, length: int) -> None:
    buffer = PDataBuffer(4096)
    found = pdus(sent(buffer, Extent(open_file, 132, 132 + length)))
    assert found[0] == (7, 0x03, b"cmmd")
    assert b"".join(content for _, _, content in found[1:]) == os.pread(open_file, length, 132)
    assert [control for _, control, _ in found[1:]] == [0] * (len(found) - 2) + [0x02]
    assert all(len(content) == SIZE for _, _, content in found[1:-1])


@pytest.mark.parametrize("maximum", [128, 129, 4096, 16_384, 262_144, 1 << 24, 0xFFFFFFFF, 0])
def test_no_pdu_is_longer_than_the_peer_takes(open_file: int, maximum: int) -> None:
    stream = sent(PDataBuffer(maximum), Extent(open_file, 0, 1_500_000))
    found = pdus(stream)
    assert maximum == 0 or all(len(content) + 6 <= maximum for _, _, content in found)
    assert all(len(content) % 2 == 0 for _, _, content in found)
    assert b"".join(part for _, control, part in found if control in (0, 2)) == os.pread(
        open_file, 1_500_000, 0
    )


def test_a_buffer_serves_one_instance_after_the_other(open_file: int) -> None:
    buffer = PDataBuffer(4096)
    for context, length in ((1, 3 * SIZE + 10), (3, 7 * SIZE), (3, 10), (1, 7 * SIZE)):
        found = pdus(sent(buffer, Extent(open_file, 50, 50 + length), context=context))
        assert {one for one, _, _ in found} == {context}
        assert b"".join(part for _, _, part in found[1:]) == os.pread(open_file, length, 50)


def test_a_command_set_longer_than_a_pdu_is_cut(open_file: int) -> None:
    command = store_request(1, CT, "1." + "2" * 60)
    found = pdus(sent(PDataBuffer(128), Extent(open_file, 0, 10), command))
    assert [control for _, control, _ in found] == [0x01, 0x03, 0x02]
    assert found[0][2] + found[1][2] == command


def test_a_file_that_became_shorter_is_told(open_file: int) -> None:
    with pytest.raises(OSError, match="became shorter"):
        sent(PDataBuffer(4096), Extent(open_file, 0, 2_000_001))


def test_a_peer_that_takes_next_to_nothing_is_named() -> None:
    with pytest.raises(SendError, match="takes PDUs of 127 bytes, at least 128"):
        PDataBuffer(127)


@pytest.mark.parametrize("uid", [INSTANCE, "1.2.3", "1.2.03"])
def test_requests_are_those_of_pynetdicom(uid: str) -> None:
    request = C_STORE()
    request.MessageID, request.Priority = 4711, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(CT), UID(uid)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    message.command_set.CommandDataSetType = 0x0001
    del message.command_set.CommandGroupLength
    expected = encode(message.command_set, True, True) or b""
    assert store_request(4711, CT, uid)[12:] == expected


@pytest.mark.parametrize("uid", ["1." + "2" * 63, "1.2.é"])
def test_a_uid_that_no_peer_could_take_is_not_sent(uid: str) -> None:
    with pytest.raises(ValueError, match=r"65 characters|ascii"):
        store_request(1, CT, uid)


@pytest.mark.parametrize(("status", "comment"), [(0, None), (0xA700, "no room"), (0xC123, "odd")])
def test_answers_of_pynetdicom_are_understood(status: int, comment: str | None) -> None:
    answer = C_STORE()
    answer.MessageIDBeingRespondedTo = 99
    answer.AffectedSOPClassUID, answer.AffectedSOPInstanceUID = UID(CT), UID(INSTANCE)
    answer.Status = status
    if comment is not None:
        setattr(answer, "ErrorComment", comment)  # noqa: B010, it is annotated as None
    message = C_STORE_RSP()
    message.primitive_to_message(answer)
    found = read_command(encode(message.command_set, True, True) or b"")
    assert (found.responded_id, found.status, found.comment) == (99, status, comment or "")


@pytest.mark.parametrize("length", range(0, 42))
def test_half_an_answer_is_none(length: int) -> None:
    with pytest.raises(BoundError, match="a message cannot be read"):
        read_command(response(1, 0)[:length])
