"""What real peers write into an association request: read after PS3.8, and not more strictly."""

import struct
from collections.abc import Callable

import pytest
from pynetdicom import build_context
from pynetdicom.pdu import A_ASSOCIATE_AC

from tests.support.peers import EXPLICIT, IMPLICIT, MR
from tests.support.raw_peer import (
    ACCEPTED,
    COMMAND,
    LAST,
    P_DATA,
    REJECTED,
    RELEASE_RQ,
    RELEASED,
    RawPeer,
    associate_rq,
    p_data,
)
from tests.support.receiver import Receiver

VERIFICATION = "1.2.840.10008.1.1"
CONTEXTS = [build_context(VERIFICATION, [IMPLICIT]), build_context(MR, [EXPLICIT])]
REQUEST = associate_rq(CONTEXTS)
CALLED, CALLING, RESERVED, ITEMS = slice(10, 26), slice(26, 42), slice(42, 74), 74


def item(kind: int, value: bytes) -> bytes:
    """An item or sub-item (PS3.8 section 9.3.1)."""
    return struct.pack(">BBH", kind, 0, len(value)) + value


def with_length(pdu: bytes) -> bytes:
    return pdu[:2] + struct.pack(">L", len(pdu) - 6) + pdu[6:]


def put(where: slice, value: bytes) -> bytes:
    return REQUEST[: where.start] + value + REQUEST[where.stop :]


def in_user_information(sub_item: bytes) -> bytes:
    at = REQUEST.rindex(b"\x50\x00")
    value = REQUEST[at + 4 :] + sub_item
    return with_length(REQUEST[:at] + item(0x50, value))


def in_each_context(sub_item: bytes) -> bytes:
    content, at = b"", ITEMS
    while at < len(REQUEST):
        kind, length = REQUEST[at], struct.unpack_from(">H", REQUEST, at + 2)[0]
        value = REQUEST[at + 4 : at + 4 + length]
        content += item(kind, value + (sub_item if kind == 0x20 else b""))
        at += 4 + length
    return with_length(REQUEST[:ITEMS] + content)


def numbered(first: int, second: int) -> bytes:
    """With these context IDs in place of 1 and 3."""
    found, at = bytearray(REQUEST), ITEMS
    for context_id in (first, second):
        at = found.index(b"\x20\x00", at)
        found[at + 4] = context_id
        at += 4
    return bytes(found)


def without_sub_item(*kinds: int) -> bytes:
    """Without these sub-items of the user information, which is the last item."""
    begin = REQUEST.rindex(b"\x50\x00")
    content, at = b"", begin + 4
    while at < len(REQUEST):
        end = at + 4 + struct.unpack_from(">H", REQUEST, at + 2)[0]
        content += b"" if REQUEST[at] in kinds else REQUEST[at:end]
        at = end
    return with_length(REQUEST[:begin] + item(0x50, content))


def with_contexts(*proposed: tuple[str, str], name: str = "1.2.840.10008.3.1.1.1") -> bytes:
    """With these abstract and transfer syntaxes, and this application context name."""
    content = item(0x10, name.encode())
    for number, (abstract, syntax) in enumerate(proposed):
        uids = item(0x30, abstract.encode()) + item(0x40, syntax.encode())
        content += item(0x20, bytes((2 * number + 1, 0, 0, 0)) + uids)
    return with_length(REQUEST[:ITEMS] + content + REQUEST[REQUEST.rindex(b"\x50\x00") :])


def of_class(uid: str) -> bytes:
    return struct.pack(">H", len(uid)) + uid.encode()


LIBERAL = {
    "an unknown item": with_length(REQUEST + item(0x99, b"what")),
    "an empty unknown item": with_length(REQUEST + item(0x7F, b"")),
    "an unknown item before all others": with_length(
        REQUEST[:ITEMS] + item(0x00, b"x") + REQUEST[ITEMS:]
    ),
    "an unknown sub-item of a context": in_each_context(item(0x41, b"private")),
    "an unknown sub-item of the user information": in_user_information(item(0xA0, b"private")),
    "an unknown user identity type": in_user_information(
        item(0x58, bytes((9, 1, 0, 4)) + b"user" + bytes(2))
    ),
    "a long version name": in_user_information(item(0x55, b"V" * 200)),
    "a version name that is not ASCII": in_user_information(item(0x55, b"M\xfcnchen")),
    "an implementation class UID that is none": in_user_information(item(0x52, b"none")),
    "no implementation class UID": without_sub_item(0x52),
    "nothing in the user information": without_sub_item(0x51, 0x52, 0x55),
    "UIDs that are padded": with_contexts(
        (VERIFICATION + "\0", IMPLICIT + "\0"),
        (MR + "\0", EXPLICIT + "\0"),
        name="1.2.840.10008.3.1.1.1\0",
    ),
    "the same transfer syntaxes twice": in_each_context(
        (item(0x40, IMPLICIT.encode()) + item(0x40, EXPLICIT.encode())) * 2
    ),
    "extended negotiation": in_user_information(item(0x56, of_class(MR) + b"\1\0\1")),
    "extended negotiation of a wrong length": in_user_information(item(0x56, b"\xff\xff1.2")),
    "both roles of every class": in_user_information(
        item(0x54, of_class(VERIFICATION) + b"\1\1") + item(0x54, of_class(MR) + b"\1\1")
    ),
    "an identity that is to be confirmed": in_user_information(
        item(0x58, bytes((2, 1, 0, 4)) + b"user" + bytes((0, 4)) + b"word")
    ),
    "a window that is cut off": in_user_information(item(0x53, b"\0\1")),
    "an empty window": in_user_information(item(0x53, b"")),
    "an empty role selection": in_user_information(item(0x54, b"")),
    "a role selection with one role": in_user_information(item(0x54, of_class(MR) + b"\1")),
    "a role selection of a longer UID than it has": in_user_information(
        item(0x54, struct.pack(">H", 99) + MR.encode() + b"\1\1")
    ),
    "a window without a limit": in_user_information(item(0x53, bytes(4))),
    "titles that end with NULs": put(CALLED, b"SLICEWIRE".ljust(16, b"\0")),
    "a title with rubbish behind a NUL": put(CALLING, b"TPS\0????????????"),
    "a title that is not ASCII": put(CALLING, b"STRAHLENG\xc4NGE".ljust(16)),
    "a title in UTF-8": put(CALLING, "GERÄT".encode().ljust(16)),
    "other bits of the protocol version": put(slice(6, 8), b"\x80\x03"),
    "reserved bytes with something in them": put(RESERVED, bytes(range(32))),
    "even context IDs": numbered(2, 4),
    "the highest context IDs": numbered(254, 255),
}


def echo(context_id: int) -> bytes:
    uid = VERIFICATION.encode() + b"\0"
    elements = struct.pack("<HHL", 0, 2, len(uid)) + uid
    for number, value in ((0x0100, 0x0030), (0x0110, 1), (0x0800, 0x0101)):
        elements += struct.pack("<HHLH", 0, number, 2, value)
    return p_data(elements, COMMAND | LAST, context_id)


@pytest.mark.parametrize("name", LIBERAL)
def test_a_request_as_the_field_writes_it_is_accepted(receiver: Receiver, name: str) -> None:
    request = LIBERAL[name]
    with RawPeer(receiver.address) as peer:
        peer.send(request)
        assert peer.answer() == ACCEPTED
        assert peer.last[4:68] == request[10:74]  # titles and reserved bytes, as they came
        results = contexts_of(peer.last)
        assert [result for _, result in results] == [0, 0]
        peer.send(echo(results[0][0]))
        assert peer.answer() == P_DATA
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED


def contexts_of(content: bytes) -> list[tuple[int, int]]:
    """Context ID and result of each item of an A-ASSOCIATE-AC."""
    found, at = [], 68
    while at < len(content):
        if content[at] == 0x21:
            found.append((content[at + 4], content[at + 6]))
        at += 4 + struct.unpack_from(">H", content, at + 2)[0]
    return found


REJECTIONS: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "a blank calling AE title": (put(CALLING, b" " * 16), (1, 1, 3)),
    "a calling AE title of NULs": (put(CALLING, bytes(16)), (1, 1, 3)),
    "a blank called AE title": (put(CALLED, b" " * 16), (1, 1, 7)),
    "a called AE title of NULs": (put(CALLED, bytes(16)), (1, 1, 7)),
    "a foreign application context": (
        REQUEST.replace(b"1.2.840.10008.3.1.1.1", b"1.2.840.10008.3.1.1.2"),
        (1, 1, 2),
    ),
    "another protocol version": (put(slice(6, 8), b"\0\2"), (1, 2, 2)),
}


@pytest.mark.parametrize("name", REJECTIONS)
def test_a_request_that_the_standard_rejects_is_rejected(receiver: Receiver, name: str) -> None:
    request, fields = REJECTIONS[name]
    with RawPeer(receiver.address) as peer:
        peer.send(request)
        assert peer.answer() == REJECTED
        assert tuple(peer.last[1:]) == fields  # result, source, reason (PS3.8 Table 9-21)


CONTEXT_RESULTS: dict[str, tuple[Callable[[], bytes], list[tuple[int, int]]]] = {
    "an unknown SOP class": (
        lambda: associate_rq([build_context("1.2.3.4", [IMPLICIT]), *CONTEXTS[:1]]),
        [(1, 3), (3, 0)],
    ),
    "a zero-width space behind a UID": (
        lambda: with_contexts((VERIFICATION + "\u200b", IMPLICIT), (MR, EXPLICIT)),
        [(1, 3), (3, 0)],
    ),
    "an unknown transfer syntax": (
        lambda: associate_rq([build_context(MR, ["1.2.3.4"]), *CONTEXTS[:1]]),
        [(1, 4), (3, 0)],
    ),
    "the same class twice": (
        lambda: associate_rq([build_context(MR, [IMPLICIT]), build_context(MR, [EXPLICIT])]),
        [(1, 0), (3, 0)],
    ),
}


@pytest.mark.parametrize("name", CONTEXT_RESULTS)
def test_each_context_has_a_result_of_its_own(receiver: Receiver, name: str) -> None:
    request, results = CONTEXT_RESULTS[name]
    with RawPeer(receiver.address) as peer:
        peer.send(request())
        assert peer.answer() == ACCEPTED
        assert contexts_of(peer.last) == results


def test_an_acceptance_is_read_by_pynetdicom(receiver: Receiver) -> None:
    with RawPeer(receiver.address) as peer:
        peer.send(REQUEST)
        assert peer.answer() == ACCEPTED
    answer = A_ASSOCIATE_AC()
    answer.decode(struct.pack(">BBL", ACCEPTED, 0, len(peer.last)) + peer.last)
    found = answer.to_primitive()
    assert (found.calling_ae_title, found.called_ae_title) == ("TPS", "SLICEWIRE")
    assert found.maximum_length_received == 262_144
    contexts = found.presentation_context_definition_results_list
    assert [(one.context_id, one.result) for one in contexts] == [(1, 0), (3, 0)]
