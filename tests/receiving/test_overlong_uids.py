"""An instance whose UIDs are too long is refused in words that fit, and the association goes on."""

import copy
import struct
from pathlib import Path

import pydicom
import pytest

from tests.support.peers import MR, encoded
from tests.support.raw_peer import COMMAND, DATA, LAST, RELEASE_RQ, RELEASED, RawPeer, p_data
from tests.support.receiver import Receiver

FRAGMENT_BYTES = 16_000
STATUS, COMMENT, INSTANCE = 0x0900, 0x0902, 0x1000


def command_of(sop_instance_uid: str) -> bytes:
    """The command set of a C-STORE-RQ, which pynetdicom would not write."""
    numbers = {0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1}
    values = {key: struct.pack("<H", number) for key, number in numbers.items()}
    for key, uid in ((0x0002, MR), (INSTANCE, sop_instance_uid)):
        values[key] = uid.encode() + b"\x00" * (len(uid) % 2)
    elements = b"".join(
        struct.pack("<HHL", 0, key, len(values[key])) + values[key] for key in sorted(values)
    )
    return struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements


def send(peer: RawPeer, content: bytes, control: int) -> None:
    for at in range(0, len(content), FRAGMENT_BYTES):
        last = LAST if at + FRAGMENT_BYTES >= len(content) else 0
        peer.send(p_data(content[at : at + FRAGMENT_BYTES], control | last))


def stored(peer: RawPeer, instance: pydicom.Dataset, sop_instance_uid: str) -> dict[int, bytes]:
    """C-STORE an instance; returns the elements of the response."""
    send(peer, command_of(sop_instance_uid), COMMAND)
    send(peer, encoded(instance), DATA)
    assert peer.answer() == 0x04
    content, at, values = peer.last[6:], 0, {}
    while at < len(content):
        _, number, length = struct.unpack_from("<HHL", content, at)
        values[number] = content[at + 8 : at + 8 + length]
        at += 8 + length
    return values


def status_of(response: dict[int, bytes]) -> int:
    return int.from_bytes(response[STATUS], "little")


@pytest.mark.parametrize("length", [65, 66, 300, 60_000])
@pytest.mark.parametrize("everywhere", [True, False])
def test_an_overlong_uid_of_a_request_is_0xc000_with_its_length(
    receiver: Receiver, cine_folder: Path, length: int, *, everywhere: bool
) -> None:
    instance = pydicom.dcmread(cine_folder / "9.dcm")
    overlong = copy.deepcopy(instance)
    uid = "1." + "2" * (length - 2)
    if everywhere:
        overlong.SOPInstanceUID = uid
    with RawPeer(receiver.address).associate() as peer:
        response = stored(peer, overlong, uid)
        assert status_of(response) == 0xC000
        words = f"AffectedSOPInstanceUID has {length} characters, at most 64"
        assert response[COMMENT].decode().strip() == words
        assert len(response[COMMENT]) <= 64
        assert INSTANCE not in response
        assert status_of(stored(peer, instance, str(instance.SOPInstanceUID))) == 0
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    [refusal] = receiver.refused
    assert words in refusal.words
    assert refusal.series_instance_uid == instance.SeriesInstanceUID
    assert len(receiver.files()) == 1


@pytest.mark.parametrize("length", [65, 66, 300, 60_000])
@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_an_overlong_uid_of_a_data_set_is_0xc000_with_what_was_expected(
    receiver: Receiver, cine_folder: Path, keyword: str, length: int
) -> None:
    instance = pydicom.dcmread(cine_folder / "9.dcm")
    overlong = copy.deepcopy(instance)
    setattr(overlong, keyword, "1." + "2" * (length - 2))
    with RawPeer(receiver.address).associate() as peer:
        response = stored(peer, overlong, str(instance.SOPInstanceUID))
        assert status_of(response) == 0xC000
        words = f"{keyword}: expected a UID of at most 64 characters"
        assert response[COMMENT].decode().strip() == words
        assert status_of(stored(peer, instance, str(instance.SOPInstanceUID))) == 0
    assert len(receiver.files()) == 1


@pytest.mark.parametrize("uid", ["1.2.3/4", "..", "1.2.3.", "1.2.x"])
def test_a_uid_of_other_characters_is_0xc000_and_not_repeated_in_words(
    receiver: Receiver, cine_folder: Path, uid: str
) -> None:
    instance = pydicom.dcmread(cine_folder / "9.dcm")
    with RawPeer(receiver.address).associate() as peer:
        response = stored(peer, instance, uid)
    assert status_of(response) == 0xC000
    assert response[COMMENT].decode().strip() == "AffectedSOPInstanceUID is not digits and dots"
