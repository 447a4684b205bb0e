"""A sender is told by AE title and address; where that names several peers, none is chosen."""

from typing import Any

import pytest

from core.config.settings import Configuration
from network.sender import Sender
from network.which_peer import WhichPeer, confusions, which_peer
from node.preflight import node_findings

A = {"name": "a", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
B = {"name": "b", "ae_title": "TPS", "ip": "192.0.2.2", "port": 104}


def asked(
    *peers: dict[str, Any], address: str, calling: str = "TPS", called: str = "SLICEWIRE"
) -> WhichPeer:
    configuration = Configuration.model_validate({"peers": peers})
    return which_peer(configuration.peers, Sender(calling, called, address))


def name(which: WhichPeer) -> str:
    if which.is_ambiguous:
        assert which.peer is None
        return "?"
    return which.peer.name if which.peer else ""


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.1", "a"),
        ("192.0.2.2", "b"),
        ("::ffff:192.0.2.2", "b"),
        ("192.0.2.3", "?"),
        ("127.0.0.1", "?"),
        ("", "?"),
    ],
)
def test_of_two_peers_with_one_ae_title_the_address_tells(address: str, found: str) -> None:
    assert name(asked(A, B, address=address)) == found
    assert name(asked(B, A, address=address)) == found


@pytest.mark.parametrize(
    ("own", "address", "found"),
    [
        ({"networks": ["198.51.100.0/24"]}, "198.51.100.9", "b"),
        ({"networks": ["::ffff:198.51.100.0/120"]}, "198.51.100.9", "b"),
        ({"networks": ["2001:db8::/32"]}, "2001:db8::9", "b"),
        ({"networks": ["fe80::/10"]}, "fe80::9%eth0", "b"),
        ({"ip": "::ffff:192.0.2.9"}, "192.0.2.9", "b"),
        ({"ip": "localhost"}, "127.0.0.1", "b"),
        ({"ip": "127.0.0.1"}, "::1", "b"),
        ({"ip": "127.0.0.2"}, "127.0.0.2", "b"),
        ({"ip": "127.0.0.2"}, "127.0.0.1", "?"),
        ({"networks": ["192.0.0.0/16"]}, "192.0.2.1", "?"),
        ({"ip": "192.0.2.1"}, "192.0.2.1", "?"),
    ],
)
def test_ranges_host_names_and_loopback_addresses_tell(
    own: dict[str, Any], address: str, found: str
) -> None:
    assert name(asked(A, B | own, address=address)) == found


def test_a_title_that_one_peer_has_is_enough_on_this_machine_and_nowhere_else() -> None:
    assert name(asked(A, address="127.0.0.1")) == "a"
    assert name(asked(A, address="127.8.8.8")) == "a"
    assert name(asked(A, address="::1")) == "a"
    assert name(asked(A, address="203.0.113.1")) == "?"
    assert name(asked(A, address="127.0.0.1", calling="OTHER")) == ""


def test_a_host_name_that_cannot_be_resolved_now_does_not_make_a_stranger() -> None:
    lost = A | {"ip": "nowhere.invalid"}
    assert name(asked(lost, address="192.0.2.1")) == "a"
    assert name(asked(lost, B, address="192.0.2.2")) == "b"
    assert name(asked(lost, B, address="192.0.2.1")) == "?"


def test_at_one_address_the_called_ae_titles_tell() -> None:
    blur, unet = A | {"called_ae_titles": ["BLUR"]}, A | {"name": "b", "called_ae_titles": ["UNET"]}
    assert name(asked(blur, unet, address="192.0.2.1", called="UNET")) == "b"
    assert name(asked(blur, unet, address="192.0.2.1", called="BLUR")) == "a"
    assert name(asked(blur, unet, address="192.0.2.1", called="OTHER")) == "?"


def test_words_name_the_peers_that_it_may_be_and_the_way_out() -> None:
    words = asked(A, B | {"ip": "192.0.2.1"}, address="192.0.2.1").words
    assert words.startswith("sender TPS@192.0.2.1 to SLICEWIRE may be peer a or peer b: give each")
    assert "its own ip, networks or ae_title" in words
    assert "a from 192.0.2.1; b from 192.0.2.2" in asked(A, B, address="127.0.0.1").words


@pytest.mark.parametrize(
    ("first", "second", "is_confused"),
    [
        ({}, {}, False),
        ({}, {"ip": "192.0.2.1"}, True),
        ({}, {"ip": "192.0.2.1", "port": 105}, True),
        ({}, {"ip": "192.0.2.1", "ae_title": "OTHER"}, False),
        ({}, {"networks": ["192.0.2.0/24"]}, True),
        ({"networks": ["10.0.0.0/8"]}, {"networks": ["10.1.0.0/16"]}, True),
        ({"networks": ["10.0.0.0/16"]}, {"networks": ["10.1.0.0/16"]}, False),
        ({"networks": ["2001:db8::/32"]}, {"networks": ["10.1.0.0/16"]}, False),
        ({"ip": "nowhere.invalid"}, {"ip": "NOWHERE.invalid"}, True),
        ({"ip": "127.0.0.1"}, {"ip": "localhost"}, True),
        ({"called_ae_titles": ["X"]}, {"ip": "192.0.2.1", "called_ae_titles": ["Y"]}, False),
    ],
)
def test_check_tells_which_peers_cannot_be_told_apart(
    first: dict[str, Any], second: dict[str, Any], is_confused: bool
) -> None:
    configuration = Configuration.model_validate({"peers": [A | first, B | second]})
    assert bool(confusions(configuration.peers)) == is_confused
    assert bool(confusions(configuration.peers[::-1])) == is_confused


def test_a_configuration_with_peers_that_cannot_be_told_apart_is_wrong_in_check(
    tmp_path: Any,
) -> None:
    here = {"ip": "127.0.0.1", "port": 9}
    values = {"storage_path": tmp_path, "peers": [A | here, B | here]}
    configuration = Configuration.model_validate(values)
    found = {part: wrong for part, _, wrong in node_findings(configuration, try_port=False)}
    assert found["peers"].startswith(
        "peers a (127.0.0.1) and b (127.0.0.1) cannot be told apart: both have ae_title TPS"
    )
