"""TLS in and out: who may speak it, what is refused, and that nothing stalls."""

import shutil
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.errors import SendError
from network.scu.c_store import PeerAddress, Timeouts, echo, instance_to_send, send
from network.tls import ClientTls
from tests.security.certificates import Authority
from tests.security.conftest import StartReceiver
from tests.support.node_process import wait_until
from tests.support.raw_peer import ABORTED, RawPeer, associate_rq, event_words
from tests.support.receiver import Receiver

LONG = Timeouts(connect_s=60.0, associate_s=60.0, response_s=60.0)
StartTls = Callable[..., Receiver]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom the node trusts."""
    return Authority(tmp_path)


@pytest.fixture
def start_tls(start: StartReceiver, authority: Authority) -> StartTls:
    """Starts a listener with a plain port and a TLS port."""
    certificate, key = authority.sign("node")

    def begin(within_s: float = 60.0, **tls: Any) -> Receiver:
        keys = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
        return start(wire={"tls": keys | {"port": 0} | tls, "associate_timeout_s": within_s})

    return begin


def peer(receiver: Receiver, authority: Authority, **changes: Any) -> PeerAddress:
    """The node's TLS port, as a peer with a good certificate speaks to it."""
    certificate, key = authority.sign("peer")
    keys: dict[str, Any] = {"name": "127.0.0.1", "ca_path": authority.ca_path}
    keys |= {"certificate_path": certificate, "key_path": key}
    address = receiver.listener.tls_address
    assert address is not None
    return PeerAddress(*address, "SLICEWIRE", ClientTls(**(keys | changes)))


def refused(address: PeerAddress) -> str:
    with pytest.raises(SendError) as caught:
        echo(address, "TPS", timeouts=LONG)
    return str(caught.value)


def test_instances_come_by_tls_with_certificates_on_both_sides(
    start_tls: StartTls, authority: Authority, cine_folder: Path
) -> None:
    receiver = start_tls()
    instances = [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))[:5]]
    outcomes = send(instances, peer(receiver, authority), "TPS", timeouts=LONG)
    assert [one.status for one in outcomes] == [0] * 5
    assert len(receiver.files()) >= 5


def test_the_plain_port_goes_on_beside_it(start_tls: StartTls, authority: Authority) -> None:
    receiver = start_tls()
    echo(PeerAddress(*receiver.address, "SLICEWIRE"), "TPS", timeouts=LONG)
    echo(peer(receiver, authority), "TPS", timeouts=LONG)


def test_a_closed_plain_port_leaves_tls_alone(start: StartReceiver, authority: Authority) -> None:
    certificate, key = authority.sign("node")
    tls = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
    receiver = start(wire={"plain": "closed", "tls": tls | {"port": 0}})
    assert receiver.address == receiver.listener.tls_address
    echo(peer(receiver, authority), "TPS", timeouts=LONG)


def test_a_client_without_a_certificate_is_refused_where_one_is_required(
    start_tls: StartTls, authority: Authority
) -> None:
    receiver = start_tls()
    nameless = peer(receiver, authority, certificate_path=None, key_path=None)
    assert "perhaps as it does not accept our certificate" in refused(nameless)
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "peer did not return a certificate" in event_words(receiver, "bound")[0]
    echo(peer(start_tls(require_client_certificate=False), authority, certificate_path=None,
              key_path=None), "TPS", timeouts=LONG)  # fmt: skip


def test_a_client_of_another_authority_is_refused(
    start_tls: StartTls, authority: Authority, tmp_path: Path
) -> None:
    receiver, other = start_tls(), Authority(tmp_path, "theirs")
    certificate, key = other.sign("peer")
    stranger = peer(receiver, authority, certificate_path=certificate, key_path=key)
    assert refused(stranger)
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "its certificate is not accepted" in event_words(receiver, "bound")[0]


def test_an_expired_client_is_refused(start_tls: StartTls, authority: Authority) -> None:
    receiver = start_tls()
    certificate, key = authority.sign("old", days=-1.0)
    assert refused(peer(receiver, authority, certificate_path=certificate, key_path=key))
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "certificate has expired" in event_words(receiver, "bound")[0]


def test_we_do_not_speak_to_a_server_of_another_authority(
    start_tls: StartTls, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "theirs")
    words = refused(peer(start_tls(), authority, ca_path=other.ca_path))
    assert "its certificate is not accepted (self-signed certificate in certificate chain)" in words


def test_we_do_not_speak_to_a_server_of_another_name(
    start_tls: StartTls, authority: Authority
) -> None:
    words = refused(peer(start_tls(), authority, name="tps.example.org"))
    assert "Hostname mismatch" in words


def test_we_do_not_speak_to_an_expired_server(start_tls: StartTls, authority: Authority) -> None:
    certificate, key = authority.sign("old", days=-1.0)
    receiver = start_tls(certificate_path=certificate, key_path=key)
    assert "certificate has expired" in refused(peer(receiver, authority))


def test_a_plain_association_on_the_tls_port_is_ended_with_words(
    start_tls: StartTls, authority: Authority
) -> None:
    receiver = start_tls()
    assert receiver.listener.tls_address is not None
    with RawPeer(receiver.listener.tls_address) as plain:
        plain.send(associate_rq())
        assert plain.answer() != 0x02
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "no TLS with it (" in event_words(receiver, "bound")[0]
    echo(peer(receiver, authority), "TPS", timeouts=LONG)


def test_tls_on_the_plain_port_is_aborted_with_words(
    start_tls: StartTls, authority: Authority
) -> None:
    receiver = start_tls()
    secured = peer(receiver, authority)
    assert "no TLS with it" in refused(PeerAddress(*receiver.address, "SLICEWIRE", secured.tls))
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "PDU of unknown type 0x16" in event_words(receiver, "bound")[0]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_below_1_2_is_refused(
    start_tls: StartTls, authority: Authority, version: ssl.TLSVersion
) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        spoken(start_tls(), authority, lowest=version, highest=version, ciphers="ALL:@SECLEVEL=0")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(
    start_tls: StartTls, authority: Authority, version: ssl.TLSVersion
) -> None:
    found = spoken(start_tls(), authority, lowest=version, highest=version)
    assert found[0] == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert "GCM" in found[1] or "POLY1305" in found[1]


def test_1_3_may_be_asked_for(start_tls: StartTls, authority: Authority) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        spoken(start_tls(minimum_version="1.3"), authority, highest=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    "suite", ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES256-GCM-SHA384"]
)
def test_suites_that_bcp_195_does_not_recommend_are_refused(
    start_tls: StartTls, authority: Authority, suite: str
) -> None:
    with pytest.raises(ssl.SSLError, match="alert handshake failure"):
        spoken(
            start_tls(),
            authority,
            highest=ssl.TLSVersion.TLSv1_2,
            ciphers=f"{suite}:@SECLEVEL=0",
        )


def spoken(
    receiver: Receiver,
    authority: Authority,
    *,
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ciphers: str = "",
) -> tuple[str, str]:
    """Version and suite that a client with its own ideas gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ciphers:
        context.set_ciphers(ciphers)
    context.minimum_version, context.maximum_version = lowest, highest
    context.load_verify_locations(authority.ca_path)
    context.load_cert_chain(*authority.sign("client"))
    assert receiver.listener.tls_address is not None
    with (
        socket.create_connection(receiver.listener.tls_address, 5) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as secured,
    ):
        cipher = secured.cipher()
        return str(secured.version()), cipher[0] if cipher else ""


def test_handshakes_that_stall_hold_up_nobody_and_end(
    start_tls: StartTls, authority: Authority
) -> None:
    receiver = start_tls(within_s=5.0)
    assert receiver.listener.tls_address is not None
    stalled = [socket.create_connection(receiver.listener.tls_address, 60) for _ in range(20)]
    begun = time.monotonic()
    echo(peer(receiver, authority), "TPS", timeouts=LONG)
    assert time.monotonic() - begun < 60  # and not 20 times 5 s
    for connection in stalled:
        assert connection.recv(100) == b""
        connection.close()


def test_a_reset_in_the_handshake_harms_nobody(start_tls: StartTls, authority: Authority) -> None:
    receiver = start_tls()
    assert receiver.listener.tls_address is not None
    for begin in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01" + b"\x00" * 50):
        other = RawPeer(receiver.listener.tls_address)
        other.send(begin)
        other.reset()
    echo(peer(receiver, authority), "TPS", timeouts=LONG)


def test_new_certificates_are_used_without_a_restart(
    start_tls: StartTls, authority: Authority
) -> None:
    receiver = start_tls()
    before = serial(receiver)
    certificate, key = authority.sign("new")
    for new, old in ((certificate, "node.pem"), (key, "node.key")):
        shutil.copy(new, authority.ca_path.with_name(old))
    assert serial(receiver) != before
    echo(peer(receiver, authority), "TPS", timeouts=LONG)


def test_broken_certificates_leave_the_old_ones_in_use(
    start_tls: StartTls, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = start_tls()
    before = serial(receiver)
    authority.ca_path.with_name("node.pem").write_text("half of a")
    assert serial(receiver) == serial(receiver) == before
    assert capsys.readouterr().out.count("the certificates in use stay") == 1
    shutil.copy(authority.sign("new")[1], authority.ca_path.with_name("node.key"))
    shutil.copy(authority.ca_path.with_name("new.pem"), authority.ca_path.with_name("node.pem"))
    assert serial(receiver) != before


def serial(receiver: Receiver) -> str:
    """Which certificate the node shows."""
    assert receiver.listener.tls_address is not None
    return ssl.get_server_certificate(receiver.listener.tls_address, timeout=60)


def test_an_association_by_tls_keeps_the_bounds(start_tls: StartTls, authority: Authority) -> None:
    receiver = start_tls()
    context = ssl.create_default_context(cafile=str(authority.ca_path))
    context.load_cert_chain(*authority.sign("client"))
    assert receiver.listener.tls_address is not None
    with RawPeer(receiver.listener.tls_address) as other:
        other.connection = context.wrap_socket(other.connection, server_hostname="127.0.0.1")
        other.associate()
        other.send(b"\x04\x00\xff\xff\xff\xff")
        assert other.answer() == ABORTED
    wait_until(lambda: event_words(receiver, "bound") != [])
    assert "claims 4294967295 bytes" in event_words(receiver, "bound")[0]


def test_a_large_instance_passes_by_tls(
    start_tls: StartTls, authority: Authority, cine_folder: Path, tmp_path: Path
) -> None:
    receiver = start_tls()
    data_set = pydicom.dcmread(cine_folder / "9.dcm")
    data_set.add_new(0x00091001, "OB", bytes(20_000_000))
    data_set.save_as(tmp_path / "large.dcm")
    large = instance_to_send(tmp_path / "large.dcm")
    outcomes = send([large], peer(receiver, authority), "TPS", timeouts=LONG)
    assert [one.words for one in outcomes if not one.is_stored] == []
