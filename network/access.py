"""Who may open an association: anybody on this machine, and the configured peers."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.config.routing import Peer
from core.config.settings import Configuration
from network.associate_pdus import APPLICATION_CONTEXT_NAME, AssociatePdu, read_associate
from network.sender import Sender
from network.which_peer import is_loopback, may_come_from

_VERIFICATION = "1.2.840.10008.1.1"
_VERSION_1 = 0x0001


@dataclass(frozen=True, slots=True)
class Rejection:
    """The fields of an A-ASSOCIATE-RJ (PS3.8 Table 9-21), and the words for us."""

    result: int
    source: int
    reason: int
    words: str


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """What a peer asks for."""

    sender: Sender
    abstract_syntaxes: Sequence[str]
    """One for each presentation context."""
    certificate_names: frozenset[str] | None = None
    """What the peer's certificate bears, empty where it showed none; None: not by TLS."""
    asked: AssociatePdu = field(default_factory=lambda: AssociatePdu("", "", ()))
    """All that the peer says."""


def read_request(
    pdu: bytes, address: str, certificate_names: frozenset[str] | None
) -> AssociationRequest:
    """What an A-ASSOCIATE-RQ (PS3.8 section 9.3.2) from `address` asks for.

    Raises:
        BoundError: it cannot be read.
    """
    asked = read_associate(pdu)
    sender = Sender(asked.calling_ae_title, asked.called_ae_title, address)
    syntaxes = [context.abstract_syntax for context in asked.contexts]
    return AssociationRequest(sender, syntaxes, certificate_names, asked)


def protocol_rejection(asked: AssociatePdu) -> Rejection | None:
    """Why the protocol itself forbids an association (PS3.8 Table 9-21); None: it does not."""
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
    """Why an association is rejected; None when it may be opened."""
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
    """There are too many associations now: rejected-transient, local-limit-exceeded."""
    return Rejection(2, 3, 2, words)


def _rejection_by_peers(request: AssociationRequest, peers: Sequence[Peer]) -> Rejection | None:
    """That of the first peer of this AE title, rather of one at this address; None from one."""
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
            return _calling(f"peer {peer.name} is expected by TLS, came without")
        if peer.tls.name is not None and peer.tls.name not in request.certificate_names:
            return _calling(f"peer {peer.name} showed no certificate of {peer.tls.name}")
    if peer.called_ae_titles and sender.called_ae_title not in peer.called_ae_titles:
        ours = ", ".join(peer.called_ae_titles)
        return _called(f"peer {peer.name} may call {ours}, called {sender.called_ae_title!r}")
    return None


def _is_known(called: str, configuration: Configuration) -> bool:
    """`ae_title`, those that peers may call, and those that rules are for."""
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
