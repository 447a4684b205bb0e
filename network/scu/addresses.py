"""Addresses of the configured peers, with TLS settings and what is offered to them."""

from dataclasses import replace

from core.config.routing import Offer, Peer
from network.optional_items import Items, OptionalItem
from network.scu.peer_address import PeerAddress
from network.tls import ClientTls


def address_of(peer: Peer) -> PeerAddress:
    """Address of a peer for C-STORE and storage commitment."""
    return PeerAddress(
        peer.ip,
        peer.port,
        peer.ae_title,
        tls_of(peer),
        peer.associations,
        leaves_out=_items(peer, "never"),
        keeps=_items(peer, "always"),
    )


def address_for_queries(peer: Peer) -> PeerAddress:
    """Address of a peer for C-FIND."""
    port, ae_title = peer.query_port or peer.port, peer.query_ae_title or peer.ae_title
    return replace(address_of(peer), port=port, ae_title=ae_title, associations=1)


def _items(peer: Peer, offer: Offer) -> Items:
    offers = {
        OptionalItem.WINDOW: peer.negotiation.operations_window,
        OptionalItem.ROLES: peer.negotiation.role_selection,
        OptionalItem.VERSION: peer.negotiation.implementation_version_name,
    }
    return frozenset(item for item, said in offers.items() if said == offer)


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
