"""Where the configured peers are, and how they are spoken to."""

from core.config import Configuration
from core.config_routing import Peer
from node.ledger.jobs import Destination
from node.requestor import PeerAddress
from node.routing import current_destination
from node.tls import ClientTls


def address_of(peer: Peer) -> PeerAddress:
    """Where a peer stores, and answers storage commitment."""
    return PeerAddress(peer.ip, peer.port, peer.ae_title, tls_of(peer), peer.associations)


def address_for_queries(peer: Peer) -> PeerAddress:
    """Where a peer answers C-FIND."""
    port, ae_title = peer.query_port or peer.port, peer.query_ae_title or peer.ae_title
    return PeerAddress(peer.ip, port, ae_title, tls_of(peer))


def address_now(configuration: Configuration, destination: Destination) -> PeerAddress:
    """Where a destination of a job is now: its address may have been put right meanwhile."""
    for peer in configuration.peers:
        if peer.name == destination.peer:
            return address_of(peer)
    now_at = current_destination(configuration, destination)
    return PeerAddress(now_at.ip, now_at.port, now_at.ae_title)


def tls_of(peer: Peer) -> ClientTls | None:
    """None: without."""
    settings = peer.tls
    if settings is None:
        return None
    return ClientTls(
        name=settings.name or peer.ip,
        ca_path=settings.ca_path,
        certificate_path=settings.certificate_path,
        key_path=settings.key_path,
        minimum_version=settings.minimum_version,
    )
