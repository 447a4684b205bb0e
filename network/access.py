"""Decide whether an association request is accepted: any from this machine, else from peers."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.config.routing import Peer
from core.config.settings import Configuration
from network.sender import Sender
from network.upper_layer.associate_pdus import (
    APPLICATION_CONTEXT_NAME,
    AssociatePdu,
    read_associate,
)
from network.which_peer import is_loopback, may_come_from

_VERIFICATION = "1.2.840.10008.1.1"
_VERSION_1 = 0x0001


@dataclass(frozen=True, slots=True)
class Rejection:
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 9.3.4), and the reason in words."""

    result: int
    source: int
    reason: int
    words: str


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """An association that a peer requests."""

    sender: Sender
    abstract_syntaxes: Sequence[str]
    """Abstract syntax of each proposed presentation context."""
    certificate_names: frozenset[str] | None = None
    """Names in the peer's certificate, empty if it presented none; None without TLS."""
    asked: AssociatePdu = field(default_factory=lambda: AssociatePdu("", "", ()))
    """The decoded A-ASSOCIATE-RQ."""


def read_request(
    pdu: bytes, address: str, certificate_names: frozenset[str] | None
) -> AssociationRequest:
    """Read an A-ASSOCIATE-RQ (PS3.8 9.3.2) that came from `address`.

    Raises:
        BoundError: the PDU cannot be read.
    """
    asked = read_associate(pdu)
    sender = Sender(asked.calling_ae_title, asked.called_ae_title, address)
    syntaxes = [context.abstract_syntax for context in asked.contexts]
    return AssociationRequest(sender, syntaxes, certificate_names, asked)


def protocol_rejection(asked: AssociatePdu) -> Rejection | None:
    """The rejection that PS3.8 9.3.4 asks for, whoever the peer is; None if there is none.

    Checked are protocol version (1/2/2), application context name (1/1/2) and blank AE titles
    (1/1/3 and 1/1/7).
    """
    if not asked.protocol_version & _VERSION_1:
        return Rejection(
            1, 2, 2, f"protocol version 0x{asked.protocol_version:04X}, bit 0 is not set"
        )
    if asked.application_context_name != APPLICATION_CONTEXT_NAME:
        return Rejection(1, 1, 2, f"application context name {asked.application_context_name!r}")
    if not asked.calling_ae_title:
        return _calling("calling AE title is blank")
    if not asked.called_ae_title:
        return _called("called AE title is blank")
    return None


def rejection_of(request: AssociationRequest, configuration: Configuration) -> Rejection | None:
    """The rejection that the configuration asks for; None if the association is accepted."""
    wire, sender = configuration.wire, request.sender
    proposed = len(request.abstract_syntaxes)
    if proposed > wire.maximum_contexts:
        return _not_wanted(f"{proposed} presentation contexts, at most {wire.maximum_contexts}")
    if wire.called_ae_title == "known" and not _is_known(sender.called_ae_title, configuration):
        return _called(f"called AE title {sender.called_ae_title!r} is none of ours")
    if is_loopback(sender.address):
        return None
    if wire.verification == "everyone" and set(request.abstract_syntaxes) == {_VERIFICATION}:
        return None
    return _rejection_by_peers(request, configuration.peers)


def local_limit(words: str) -> Rejection:
    """A rejection as too many associations are open: rejected-transient, local-limit-exceeded."""
    return Rejection(2, 3, 2, words)


def _rejection_by_peers(request: AssociationRequest, peers: Sequence[Peer]) -> Rejection | None:
    """None if a peer of this AE title accepts the request, else the first peer's rejection.

    Peers at the sender's address are asked before others with the same AE title.
    """
    sender = request.sender
    named = [peer for peer in peers if peer.ae_title == sender.calling_ae_title]
    if not named:
        return _calling(f"calling AE title {sender.calling_ae_title!r} is no configured peer")
    here = [peer for peer in named if may_come_from(peer, sender.address)]
    rejections = [_rejection_by_peer(request, peer) for peer in here or named]
    return None if None in rejections else rejections[0]


def _rejection_by_peer(request: AssociationRequest, peer: Peer) -> Rejection | None:
    sender = request.sender
    if not may_come_from(peer, sender.address):
        places = ", ".join((peer.ip, *peer.networks))
        return _calling(f"peer {peer.name} is expected from {places}, came from {sender.address}")
    if peer.tls is not None:
        if request.certificate_names is None:
            return _calling(f"peer {peer.name} is expected over TLS, the connection has none")
        if peer.tls.name is not None and peer.tls.name not in request.certificate_names:
            return _calling(f"peer {peer.name} presented no certificate for {peer.tls.name}")
    if peer.called_ae_titles and sender.called_ae_title not in peer.called_ae_titles:
        ours = ", ".join(peer.called_ae_titles)
        return _called(f"peer {peer.name} may call {ours}, called {sender.called_ae_title!r}")
    return None


def _is_known(called: str, configuration: Configuration) -> bool:
    """Whether a called AE title is `ae_title`, one that a peer may call, or one of a rule."""
    patterns = [rule.called_ae_title for rule in configuration.rules if rule.called_ae_title != "*"]
    titles = [title for peer in configuration.peers for title in peer.called_ae_titles]
    return called in (configuration.ae_title, *titles) or any(
        fnmatch.fnmatchcase(called, pattern) for pattern in patterns
    )


def _calling(words: str) -> Rejection:
    return Rejection(1, 1, 3, words)


def _called(words: str) -> Rejection:
    return Rejection(1, 1, 7, words)


def _not_wanted(words: str) -> Rejection:
    return Rejection(1, 1, 1, words)
