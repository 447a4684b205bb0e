"""Associations of one instance each, from a sender with little cost: bytes on a socket."""

import socket
import struct
import time
from collections.abc import Iterator

from pynetdicom import build_context
from pynetdicom.dsutils import split_dataset

from network.scu.outgoing import InstanceToSend
from network.upper_layer.dimse import store_request
from tests.support.raw_peer import (
    ACCEPTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RELEASED,
    RawPeer,
    associate_rq,
    p_data,
)

_FRAGMENT_BYTES = 16_000  # which every receiver takes


def send_one_each(instances: list[InstanceToSend], port: int) -> list[float]:
    """Milliseconds from each connection to its release response, for stored instances."""
    request = _request(instances[0])
    messages = [_message(one) for one in instances]
    milliseconds = []
    for message in messages:
        begun = time.perf_counter()
        if _sent(port, request, message):
            milliseconds.append(1000 * (time.perf_counter() - begun))
    return milliseconds


def _request(first: InstanceToSend) -> bytes:
    context = build_context(first.sop_class_uid, [first.transfer_syntax_uid])
    return associate_rq([context], calling="BENCH")


def _message(instance: InstanceToSend) -> bytes:
    return b"".join(_pdus(instance))


def _pdus(instance: InstanceToSend) -> Iterator[bytes]:
    command = store_request(1, instance.sop_class_uid, instance.sop_instance_uid)
    yield p_data(command, COMMAND | LAST)
    _, begin = split_dataset(instance.path)
    data_set = instance.path.read_bytes()[begin:]
    for at in range(0, len(data_set), _FRAGMENT_BYTES):
        control = DATA | (LAST if at + _FRAGMENT_BYTES >= len(data_set) else 0)
        yield p_data(data_set[at : at + _FRAGMENT_BYTES], control)


def _sent(port: int, request: bytes, message: bytes) -> bool:
    with RawPeer(("127.0.0.1", port)) as peer:
        peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.send(request)
        if peer.answer() != ACCEPTED:
            return False
        peer.send(message)
        if peer.answer() != P_DATA or not _is_success(peer.last):
            return False
        peer.send(RELEASE_RQ)
        return peer.answer() == RELEASED


def _is_success(answer: bytes) -> bool:
    """True if the status of a C-STORE response is 0x0000 (PS3.7 Table 9.3-2)."""
    at = answer.index(struct.pack("<HHL", 0, 0x0900, 2)) + 8
    return answer[at : at + 2] == b"\0\0"
