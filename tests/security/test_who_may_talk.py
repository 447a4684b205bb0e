"""Configured peers from their addresses, strangers rejected with the standard's reason."""

from typing import Any

import pytest
from pynetdicom import AE, build_context

from core.config.settings import Configuration
from network import access as policy
from network.access import AssociationRequest, Rejection, rejection_of
from network.sender import Sender
from node.ledger.schema import associations
from tests.security.conftest import StartReceiver
from tests.support.node_process import wait_until
from tests.support.peers import CT, MR
from tests.support.raw_peer import REJECTED, RawPeer, associate_rq, event_words
from tests.support.receiver import Receiver

VERIFICATION = "1.2.840.10008.1.1"
PEER = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.7", "port": 104}


def configured(*, wire: dict[str, Any] | None = None, **peer: Any) -> Configuration:
    return Configuration.model_validate({"wire": wire or {}, "peers": [PEER | peer]})


def asked(
    calling: str = "TPS",
    address: str = "192.0.2.7",
    *,
    called: str = "SLICEWIRE",
    classes: tuple[str, ...] = (CT,),
    names: frozenset[str] | None = None,
) -> AssociationRequest:
    return AssociationRequest(Sender(calling, called, address), classes, names)


def reason(rejection: Rejection | None) -> tuple[int, int, int] | None:
    return None if rejection is None else (rejection.result, rejection.source, rejection.reason)


@pytest.mark.parametrize(
    ("calling", "address", "words"),
    [
        ("TPS", "192.0.2.7", ""),
        ("TPS", "::ffff:192.0.2.7", ""),
        ("ANYBODY", "127.0.0.1", ""),
        ("ANYBODY", "127.8.8.8", ""),
        ("ANYBODY", "::1", ""),
        ("OTHER", "192.0.2.7", "calling AE title 'OTHER' is no configured peer"),
        ("tps", "192.0.2.7", "calling AE title 'tps' is no configured peer"),
        ("TPS", "192.0.2.8", "peer tps is expected from 192.0.2.7, came from 192.0.2.8"),
    ],
)
def test_only_configured_peers_may_send_from_elsewhere(
    calling: str, address: str, words: str
) -> None:
    rejection = rejection_of(asked(calling, address), configured())
    assert (rejection.words if rejection else "") == words
    assert reason(rejection) == ((1, 1, 3) if words else None)


@pytest.mark.parametrize(
    ("address", "is_let_in"),
    [
        ("198.51.100.0", True),
        ("198.51.100.255", True),
        ("198.51.101.0", False),
        ("2001:db8::17", True),
        ("2001:db9::17", False),
        ("192.0.2.7", True),
    ],
)
def test_a_peer_may_come_from_its_networks_too(address: str, is_let_in: bool) -> None:
    networks = ["198.51.100.0/24", "2001:db8::/32"]
    rejection = rejection_of(asked(address=address), configured(networks=networks))
    assert (rejection is None) == is_let_in


def test_two_peers_may_share_an_ae_title() -> None:
    other = PEER | {"name": "second", "ip": "192.0.2.9"}
    both = Configuration.model_validate({"peers": [PEER, other]})
    assert rejection_of(asked(address="192.0.2.9"), both) is None


def test_a_called_ae_title_may_be_any_unless_configured_otherwise() -> None:
    assert rejection_of(asked(called="WHATEVER"), configured()) is None
    known = configured(wire={"called_ae_title": "known"})
    assert reason(rejection_of(asked(called="WHATEVER"), known)) == (1, 1, 7)
    assert rejection_of(asked(called="SLICEWIRE"), known) is None


def test_a_rules_called_ae_title_is_known() -> None:
    rules = [{"called_ae_title": "BLUR*", "pipeline": "blur"}, {"pipeline": "blur"}]
    known = Configuration.model_validate({"rules": rules, "wire": {"called_ae_title": "known"}})
    assert rejection_of(asked("X", "127.0.0.1", called="BLUR3"), known) is None
    assert reason(rejection_of(asked("X", "127.0.0.1", called="UNET"), known)) == (1, 1, 7)


def test_a_peer_may_be_kept_to_some_of_our_ae_titles() -> None:
    kept = configured(called_ae_titles=["BLUR"])
    assert rejection_of(asked(called="BLUR"), kept) is None
    assert reason(rejection_of(asked(called="SLICEWIRE"), kept)) == (1, 1, 7)


def test_verification_may_be_open_to_everyone_while_storage_is_not() -> None:
    everyone = configured(wire={"verification": "everyone"})
    assert rejection_of(asked("X", "203.0.113.1", classes=(VERIFICATION,)), everyone) is None
    for classes in ((VERIFICATION, CT), (CT,), ()):
        assert reason(rejection_of(asked("X", "203.0.113.1", classes=classes), everyone)) == (
            1,
            1,
            3,
        )
    assert rejection_of(asked("X", "203.0.113.1", classes=(VERIFICATION,)), configured())


def test_a_peer_with_tls_may_not_come_without() -> None:
    secured = configured(tls={"name": "tps.example.org"})
    assert reason(rejection_of(asked(), secured)) == (1, 1, 3)
    assert reason(rejection_of(asked(names=frozenset()), secured)) == (1, 1, 3)
    assert reason(rejection_of(asked(names=frozenset({"other.org"})), secured)) == (1, 1, 3)
    assert rejection_of(asked(names=frozenset({"tps.example.org"})), secured) is None


def test_more_contexts_than_allowed_are_rejected_from_anywhere() -> None:
    few = configured(wire={"maximum_contexts": 2})
    assert rejection_of(asked(address="127.0.0.1", classes=(CT, MR)), few) is None
    assert reason(rejection_of(asked(address="127.0.0.1", classes=(CT,) * 3), few)) == (1, 1, 1)


def test_a_stranger_is_rejected_on_the_wire_and_the_event_recorded(
    start: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "is_loopback", lambda _: False)
    receiver = start()
    for _ in range(3):
        with RawPeer(receiver.address) as stranger:
            stranger.send(associate_rq(calling="STRANGER"))
            assert stranger.answer() == REJECTED
            assert tuple(stranger.last[1:]) == (1, 1, 3)  # result, source, reason
    wait_until(lambda: rejections(receiver) != [])
    words = "calling AE title 'STRANGER' is no configured peer"
    assert rejections(receiver) == [words]  # once a minute, however often it is tried
    assert event_words(receiver, "rejected") == [words]


def test_one_association_too_many_is_rejected_for_now(start: StartReceiver) -> None:
    receiver = start(wire={"maximum_associations": 3, "maximum_associations_per_address": 2})
    entity = AE(ae_title="TPS")
    opened = [entity.associate(*receiver.address, contexts=[build_context(CT)]) for _ in range(2)]
    assert [one.is_established for one in opened] == [True, True]
    with RawPeer(receiver.address) as third:
        third.send(associate_rq())
        assert third.answer() == REJECTED
        assert tuple(third.last[1:]) == (2, 3, 2)  # result, source, reason
    wait_until(lambda: event_words(receiver, "rejected") != [])
    assert event_words(receiver, "rejected") == [
        "2 associations are open from 127.0.0.1, as many as are allowed"
    ]
    opened[0].release()

    def is_let_in() -> bool:
        one = entity.associate(*receiver.address, contexts=[build_context(CT)])
        return one.is_established

    wait_until(is_let_in)
    entity.shutdown()


def rejections(receiver: Receiver) -> list[str]:
    with receiver.ledger.reading() as connection:
        rows = connection.execute(associations.select()).all()
    return [row.reason for row in rows if row.outcome == "rejected"]
