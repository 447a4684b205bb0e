"""Certificates in the configuration: inherited, checked, and when they expire."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from core.config.file import read_configuration
from core.config.settings import Configuration
from core.errors import ConfigurationError
from network.certificates import certificates, expiring, validity
from network.scu.addresses import address_for_queries, address_of
from node.ledger.views.status import status_lines
from tests.security.certificates import Authority
from tests.security.conftest import StartReceiver

OWN = {"certificate_path": "node.pem", "key_path": "node.key", "ca_path": "ca.pem"}
PEER = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.7", "port": 104}


def configured(tls: Any, **own: Any) -> Configuration:
    keys = {"wire": {"tls": OWN | own}, "peers": [PEER | {"tls": tls, "query_port": 105}]}
    return Configuration.model_validate(keys)


def test_a_peers_tls_has_the_nodes_certificates_where_it_names_none() -> None:
    peer = configured(True, minimum_version="1.3").peers[0]
    for address in (address_of(peer), address_for_queries(peer)):
        tls = address.tls
        assert tls is not None
        assert (tls.name, tls.ca_path, tls.certificate_path, tls.key_path) == (
            "192.0.2.7",
            Path("ca.pem"),
            Path("node.pem"),
            Path("node.key"),
        )
        assert tls.minimum_version == "1.3"


def test_a_peers_own_certificates_win() -> None:
    given = {"name": "tps.org", "ca_path": "b.pem", "certificate_path": "c", "key_path": "d"}
    tls = address_of(configured(given).peers[0]).tls
    assert tls is not None
    assert (tls.name, tls.ca_path, tls.certificate_path) == ("tps.org", Path("b.pem"), Path("c"))


@pytest.mark.parametrize("tls", [None, False])
def test_a_peer_without_tls_is_spoken_to_without(tls: Any) -> None:
    assert address_of(configured(tls).peers[0]).tls is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wire: {plain: closed}", "wire.tls: is missing"),
        ("wire: {tls: {certificate_path: a, key_path: b}}", "wire.tls.ca_path: is missing"),
        ("wire: {tls: {certificate_path: a}}", "wire.tls.key_path is missing"),
        (
            "peers: [{name: a, ae_title: A, ip: b, port: 1, tls: {key_path: x}}]",
            "tls.certificate_path and tls.key_path: both or neither",
        ),
        (
            "peers: [{name: a, ae_title: A, ip: b, port: 1, networks: [10.0.0.0/99]}]",
            "expected an address or a range such as 192.0.2.0/24",
        ),
        ("wire: {maximum_contexts: 129}", "wire.maximum_contexts is 129"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(path, {})
    assert words in str(caught.value)


def secured(certificate: Path, key: Path, authority: Authority) -> Configuration:
    tls = {"certificate_path": certificate, "key_path": key, "ca_path": authority.ca_path}
    return Configuration.model_validate({"wire": {"tls": tls | {"port": 0}}})


def test_the_expiry_is_what_the_certificate_says(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for days in (-3.0, 10.0, 9000.0, 20_000.0):  # the last one's year is after 2049
        certificate, _ = authority.sign(f"days{days}", days=days)
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
        expected = (read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp())
        assert validity(certificate.read_text()) == expected


def test_an_authority_that_follows_may_wait_in_the_same_file(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    in_use, _ = authority.sign("in_use", days=90.5)
    next_one, _ = authority.sign("next", days=400.0)
    authority.ca_path.write_text(in_use.read_text() + next_one.read_text())
    [own, both] = certificates(secured(*authority.sign("node", days=90.5), authority))
    assert (own.is_unusable, both.is_unusable) == (False, False)
    authority.ca_path.write_text(next_one.read_text())
    assert certificates(secured(*authority.sign("node", days=90.5), authority))[1].is_unusable


def test_status_tells_when_certificates_expire(tmp_path: Path, start: StartReceiver) -> None:
    authority = Authority(tmp_path)
    good = secured(*authority.sign("good", days=90.5), authority)
    assert expiring(good) == []
    receiver = start()
    lines = status_lines(receiver.ledger, good.model_copy(
        update={"storage_path": receiver.storage_path}))  # fmt: skip
    day = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90.5)
    path = good.wire.tls.certificate_path if good.wire.tls else None
    assert f"certificate {path}: expires {day:%Y-%m-%d}, in 90 days" in lines


@pytest.mark.parametrize(("days", "words"), [(5.0, ", in 5 days, renew it"), (-1.0, ", renew it")])
def test_a_certificate_that_expires_soon_is_to_be_renewed(
    tmp_path: Path, days: float, words: str
) -> None:
    authority = Authority(tmp_path)
    [due] = expiring(secured(*authority.sign("due", days=days), authority))
    assert due.words.endswith(words)


def test_a_certificate_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("node")
    for content in (b"", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"):
        certificate.write_bytes(content)
        found = certificates(secured(certificate, key, authority))
        assert found[0].words == f"certificate {certificate}: cannot be read"
        assert found[0].is_due


def test_a_node_does_not_start_with_certificates_that_do_not_work(
    tmp_path: Path, start: StartReceiver
) -> None:
    authority = Authority(tmp_path)
    certificate, _ = authority.sign("node")
    _, other_key = authority.sign("other")
    with pytest.raises(ConfigurationError) as caught:
        start(wire=secured(certificate, other_key, authority).wire.model_dump())
    assert str(caught.value).startswith(f"Certificate {certificate} with key {other_key} cannot")
