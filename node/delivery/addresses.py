"""Where a destination of results is now."""

from core.config.settings import Configuration
from network.scu.addresses import address_of
from network.scu.association import PeerAddress
from node.completion.routing import current_destination
from node.ledger.requests.jobs import Destination


def address_now(configuration: Configuration, destination: Destination) -> PeerAddress:
    """Where a destination of a job is now: its address may have been put right meanwhile."""
    for peer in configuration.peers:
        if peer.name == destination.peer:
            return address_of(peer)
    now_at = current_destination(configuration, destination)
    return PeerAddress(now_at.ip, now_at.port, now_at.ae_title)
