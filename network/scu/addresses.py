"""Addresses and TLS settings of the configured peers."""

from core.config.routing import Peer
from network.scu.association import PeerAddress
from network.tls import ClientTls


def address_of(peer: Peer) -> PeerAddress:
    """Address of a peer for C-STORE and storage commitment."""
    return PeerAddress(peer.ip, peer.port, peer.ae_title, tls_of(peer), peer.associations)


def address_for_queries(peer: Peer) -> PeerAddress:
    """Address of a peer for C-FIND."""
    port, ae_title = peer.query_port or peer.port, peer.query_ae_title or peer.ae_title
    return PeerAddress(peer.ip, port, ae_title, tls_of(peer))


def tls_of(peer: Peer) -> ClientTls | None:
    """TLS settings of a peer; None if it is spoken to without TLS."""
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
