"""What real peers answer to an association request: read after PS3.8, and told in words."""

import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from core.errors import NotOfferedError, SendError
from network.presentation import VERIFICATION
from network.scu.c_store import PeerAddress, Timeouts, echo, instance_to_send, send
from network.scu.dialogue import Dialogue
from network.upper_layer.association import Association
from network.upper_layer.dimse import (
    AFFECTED_CLASS,
    C_ECHO_RQ,
    FIELD,
    MESSAGE_ID,
    Values,
    read_command,
    write_command,
)
from network.upper_layer.messages import Message
from network.upper_layer.negotiation import Context
from tests.sending.raw_scp import COMMAND, LAST, P_DATA, RawScp, fragment, response

CALLING = "SLICEWIRE"
ACCEPTED, REJECTED = 0x02, 0x03


def item(kind: int, value: bytes) -> bytes:
    """An item or sub-item (PS3.8 section 9.3.1)."""
    return struct.pack(">BBH", kind, 0, len(value)) + value


def acceptance(
    *, context: bytes = b"", user: bytes = b"", more: bytes = b"", titles: bytes = bytes(64)
) -> bytes:
    """An A-ASSOCIATE-AC of one context, with something more in each place."""
    syntax = item(0x40, b"1.2.840.10008.1.2.1")
    content = b"\x00\x01\x00\x00" + titles + item(0x10, b"1.2.840.10008.3.1.1.1")
    content += item(0x21, bytes((3, 0, 0, 0)) + context + syntax)
    content += more + item(0x50, user + item(0x51, struct.pack(">L", 16_384)))
    return struct.pack(">BBL", ACCEPTED, 0, len(content)) + content


class Answering(RawScp):
    """Answers the request with bytes of the test's own."""

    def __init__(self, answer: bytes, script: Callable[[RawScp], None] = lambda _: None) -> None:
        self._answer = answer
        super().__init__(script)

    def _accept(self) -> None:
        self.read_pdu()
        self.connection.sendall(self._answer)


LIBERAL = {
    "nothing unusual": acceptance(),
    "an unknown item": acceptance(more=item(0x99, b"what")),
    "an unknown sub-item of the context": acceptance(context=item(0x41, b"what")),
    "an unknown sub-item of the user information": acceptance(user=item(0xA0, b"what")),
    "a long version name": acceptance(user=item(0x55, b"V" * 100)),
    "an implementation class UID that is none": acceptance(user=item(0x52, b"none")),
    "titles with rubbish": acceptance(titles=bytes(range(200, 232)) * 2),
    "a context that was not proposed": acceptance(
        more=item(0x21, bytes((99, 0, 0, 0)) + item(0x40, b"1.2"))
    ),
    "a refused context without a syntax": acceptance(more=item(0x21, bytes((1, 0, 4, 0)))),
    "a refused context with an empty syntax": acceptance(
        more=item(0x21, bytes((1, 0, 4, 0)) + item(0x40, b""))
    ),
    "an implementation class UID that is padded": acceptance(user=item(0x52, b"1.2.3\0")),
}


@pytest.mark.parametrize("name", LIBERAL)
def test_an_answer_as_the_field_writes_it_is_taken(cine_folder: Path, name: str) -> None:
    """Context 3 has the syntax of the file, after one with those that every peer takes."""

    def take(peer: RawScp) -> None:
        message_id, _, _ = peer.read_store()
        peer.say(P_DATA, fragment(response(message_id, 0), COMMAND | LAST, 3))
        peer.take_release()

    peer = Answering(LIBERAL[name], take)
    [outcome] = send([instance_to_send(cine_folder / "9.dcm")], peer.address, CALLING)
    peer.close()
    assert outcome.is_stored, outcome.words


def fixed(kind: int, *fields: int) -> bytes:
    return struct.pack(">BBL", kind, 0, len(fields)) + bytes(fields)


IN_WORDS = {
    fixed(REJECTED, 0, 1, 1, 3): "rejected the association permanently: calling AE title not",
    fixed(REJECTED, 0, 2, 3, 2): "rejected the association for now: local limit exceeded",
    fixed(REJECTED, 0, 1, 9, 9): "rejected the association permanently: reason 9 of source 9",
    fixed(REJECTED, 0, 1): "broke the protocol: a rejection of 8 bytes",
    fixed(REJECTED): "broke the protocol: a rejection of 6 bytes",
    fixed(0x07, 0, 0, 2, 0): "aborted while the association was negotiated",
    fixed(0x42, 1, 2, 3): "broke the protocol: PDU of unknown type 0x42",
    fixed(0x06, 0, 0, 0, 0): "broke the protocol: PDU of type 0x06",
    acceptance()[:6] + acceptance()[6:].replace(b"\x10\x00\x00\x15", b"\x10\x00\xff\xff"): (
        "broke the protocol: an association answer cannot be read"
    ),
    acceptance(user=item(0x54, b"\0\5")): (
        "an association answer cannot be read (an item is too short)"
    ),
}


@pytest.mark.parametrize("answer", IN_WORDS, ids=IN_WORDS.values())
def test_an_answer_that_is_no_acceptance_is_named_however_soon_the_peer_closes(
    answer: bytes,
) -> None:
    peer = Answering(answer)  # whose script ends at once
    with pytest.raises(SendError) as error:
        echo(peer.address, CALLING)
    peer.close()
    assert IN_WORDS[answer] in str(error.value)


def test_a_transfer_syntax_that_was_not_proposed_is_no_acceptance() -> None:
    syntax = item(0x40, b"1.2.826.0.1.3680043.8.498.1")
    peer = Answering(acceptance(more=item(0x21, bytes((1, 0, 0, 0)) + syntax)))
    with pytest.raises(NotOfferedError):
        echo(peer.address, CALLING)
    peer.close()


def test_a_peer_that_asks_without_end_is_waited_for_only_so_long() -> None:
    values: Values = {AFFECTED_CLASS: VERIFICATION, FIELD: C_ECHO_RQ, MESSAGE_ID: 1}
    command = read_command(write_command(values, has_data_set=False))
    request = Message(Context(1, VERIFICATION, "1.2.840.10008.1.2"), command)
    asking = SimpleNamespace(receive=lambda *_, **__: request, send=lambda *_: time.sleep(0.001))
    dialogue = Dialogue(
        cast(Association, asking),
        PeerAddress("127.0.0.1", 104, "PEER"),
        Timeouts(),
        operations=1,
        on_request=None,
    )
    assert dialogue.response(0.2) is None


def test_a_request_of_the_peer_that_nobody_serves_is_answered(cine_folder: Path) -> None:
    """On the association that we asked for, before the response that we wait for."""
    said: list[bytes] = []
    request = response(1, 0).replace(b"\x01\x80", b"\x30\x00").replace(b"\x20\x01", b"\x10\x01")

    def take(peer: RawScp) -> None:
        message_id, _, _ = peer.read_store()
        peer.say(P_DATA, fragment(request, COMMAND | LAST, 3))
        said.append(peer.read_pdu()[1])
        peer.say(P_DATA, fragment(response(message_id, 0), COMMAND | LAST, 3))
        peer.take_release()

    peer = Answering(acceptance(), take)
    [outcome] = send([instance_to_send(cine_folder / "9.dcm")], peer.address, CALLING)
    peer.close()
    assert outcome.is_stored, outcome.words
    assert struct.pack("<HHLH", 0, 0x0900, 2, 0x0211) in said[0]
