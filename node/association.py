"""Who may open an association: anybody on this machine, and the configured peers."""

import ipaddress
from collections.abc import Sequence

from core.config_routing import Peer
from node.hosts import addresses_of
from node.ledger.instances import Sender


def why_not(sender: Sender, peers: Sequence[Peer]) -> str:
    """Why an association is rejected, in words; empty when it is accepted."""
    if _is_loopback(sender.address):
        return ""
    named = [peer for peer in peers if peer.ae_title == sender.calling_ae_title]
    if not named:
        return f"calling AE title {sender.calling_ae_title!r} is no configured peer"
    if not any(sender.address in addresses_of(peer.ip) for peer in named):
        return f"peer {named[0].name} is expected from {named[0].ip}, came from {sender.address}"
    return ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
