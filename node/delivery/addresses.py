"""Current address of a destination of results."""

from core.config.settings import Configuration
from network.scu.addresses import address_of
from network.scu.association import PeerAddress
from node.completion.routing import current_destination
from node.ledger.requests.jobs import Destination


def address_now(configuration: Configuration, destination: Destination) -> PeerAddress:
    """Address of a job's destination by the present configuration."""
    for peer in configuration.peers:
        if peer.name == destination.peer:
            return address_of(peer)
    now_at = current_destination(configuration, destination)
    return PeerAddress(now_at.ip, now_at.port, now_at.ae_title)
