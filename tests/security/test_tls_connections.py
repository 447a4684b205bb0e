"""TLS connections while they are pending, and while they are written to."""

import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.config.wire import Wire
from network.tls import ClientTls
from network.upper_layer.association import Association, NotTakenError
from network.upper_layer.messages import MessageBounds
from network.upper_layer.negotiation import Agreement
from network.upper_layer.pdu_reader import PduReader
from network.upper_layer.pdus import longest_pdus
from tests.security.certificates import Authority
from tests.security.conftest import StartReceiver
from tests.support.raw_peer import ACCEPTED, RawPeer, associate_rq


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the node trusts."""
    return Authority(tmp_path)


def test_connections_that_negotiate_tls_at_once_all_get_in(
    start: StartReceiver, authority: Authority
) -> None:
    """Each is one of its own while it is pending, although TLS replaces its socket."""
    certificate, key = authority.sign("node")
    keys = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
    receiver = start(wire={"tls": keys | {"port": 0}, "associate_timeout_s": 30})
    address = receiver.listener.tls_address
    assert address is not None
    tls = ClientTls("127.0.0.1", authority.ca_path, *authority.sign("peer"))
    peers = []
    for _ in range(10):
        peers.append(RawPeer(address))
        time.sleep(0.02)  # the listener has wrapped it
    for one in peers:
        one.connection = tls.negotiate(one.connection)
        one.send(associate_rq())
    assert [one.answer() for one in peers] == [ACCEPTED] * 10
    for one in peers:
        one.connection.close()


def _read_slowly(connection: socket.socket, tls: ClientTls) -> None:
    with suppress(OSError), tls.negotiate(connection) as theirs:
        while theirs.recv(16_384):
            time.sleep(0.01)


def test_a_peer_that_takes_a_record_at_a_time_holds_an_answer_for_only_so_long(
    authority: Authority,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("node"))
    tls = ClientTls("127.0.0.1", authority.ca_path)
    one, other = socket.socketpair()
    slow = threading.Thread(target=_read_slowly, args=(other, tls))
    slow.start()
    ours = context.wrap_socket(one, server_side=True)
    association = Association(
        ours,
        PduReader(ours, longest_pdus(Wire()), timeout_s=1.0),
        Agreement("TPS", "SLICEWIRE", {}),
        bounds=MessageBounds(),
        write_timeout_s=0.5,
    )
    with pytest.raises(NotTakenError):
        association.write(bytes(30_000_000))
    association.close()
    slow.join()
