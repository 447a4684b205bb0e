"""Find the configured peer that a sender is, by its AE title and its address.

Sites assign AE titles by hand, so two systems may have the same one. An AE title alone identifies
no peer: each of the two would get the other's results.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from core.config.routing import Peer
from network.hosts import addresses_of
from network.sender import Sender

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_LOOPBACK = frozenset({ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")})
_WAY_OUT = (
    "give each peer under `peers` its own ip, networks or ae_title, or the rule its destinations "
    "by name; then release the series"
)


@dataclass(frozen=True, slots=True)
class WhichPeer:
    """The peer that a sender is, no peer, or several that it may be."""

    peer: Peer | None
    candidates: tuple[Peer, ...] = ()
    """The peers that the sender may be, if that is ambiguous."""
    words: str = ""
    """Why the sender is ambiguous, and the way out; empty if it is not."""

    @property
    def is_ambiguous(self) -> bool:
        """True if peers have the sender's AE title, but which of them it is stays open."""
        return bool(self.words)


def which_peer(peers: Sequence[Peer], sender: Sender) -> WhichPeer:
    """Find the peer with the sender's AE title and address; of several the one that may call so.

    The AE title alone decides if only one peer has it and the sender is on this machine (perhaps a
    tunnel or a proxy), or the peer's host name cannot be resolved now.
    """
    titled = tuple(peer for peer in peers if peer.ae_title == sender.calling_ae_title)
    fitting = [peer for peer in titled if may_come_from(peer, sender.address)]
    if len(fitting) > 1:
        fitting = [peer for peer in fitting if _may_call(peer, sender)] or fitting
    if len(fitting) == 1:
        return WhichPeer(fitting[0])
    if fitting:
        return WhichPeer(None, tuple(fitting), _several(fitting, sender))
    if len(titled) == 1 and _is_enough(titled[0], sender):
        return WhichPeer(titled[0])
    return WhichPeer(None, titled, _elsewhere(titled, sender)) if titled else WhichPeer(None)


def may_come_from(peer: Peer, address: str) -> bool:
    """True if an address belongs to a peer's `ip` (an address or a host name) or `networks`."""
    found = _parsed(address)
    if found is None:
        return False
    same = _LOOPBACK if found in _LOOPBACK else {found}
    return any(one in network for one in same for network in networks_of(peer))


def networks_of(peer: Peer) -> tuple[Network, ...]:
    """Networks of a peer's `ip` and `networks`; a host name that cannot be resolved has none."""
    own = _parsed(peer.ip)
    hosts = {_parsed(one) for one in addresses_of(peer.ip)} if own is None else {own}
    single = [ipaddress.ip_network(host) for host in hosts if host is not None]
    return (*single, *(_plain(ipaddress.ip_network(one)) for one in peer.networks))


def confusions(peers: Sequence[Peer]) -> list[str]:
    """Pairs of peers of which a sender may be either, each described in words."""
    pairs = combinations(peers, 2)
    return [_confused(*pair) for pair in pairs if _may_be_confused(*pair)]


def is_loopback(address: str) -> bool:
    """True if an address is a loopback address."""
    found = _parsed(address)
    return found is not None and found.is_loopback


def _is_enough(peer: Peer, sender: Sender) -> bool:
    address = _parsed(sender.address)
    return address is None or address.is_loopback or not networks_of(peer)


def _may_call(peer: Peer, sender: Sender) -> bool:
    return not peer.called_ae_titles or sender.called_ae_title in peer.called_ae_titles


def _may_be_confused(one: Peer, other: Peer) -> bool:
    titles, others = set(one.called_ae_titles), set(other.called_ae_titles)
    if one.ae_title != other.ae_title or (titles and others and not titles & others):
        return False
    if one.ip.casefold() == other.ip.casefold():
        return True
    return any(a.overlaps(b) for a in networks_of(one) for b in networks_of(other))


def _confused(one: Peer, other: Peer) -> str:
    places = (", ".join((peer.ip, *peer.networks)) for peer in (one, other))
    first, second = places
    return (
        f"peers {one.name} ({first}) and {other.name} ({second}) cannot be told apart: both have "
        f"ae_title {one.ae_title} and an address in common, expected ip and networks that do not "
        "overlap, another ae_title, or called_ae_titles of their own"
    )


def _several(fitting: Sequence[Peer], sender: Sender) -> str:
    return f"sender {sender} may be {_names(fitting)}: {_WAY_OUT}"


def _elsewhere(titled: Sequence[Peer], sender: Sender) -> str:
    places = "; ".join(
        f"{peer.name} from {', '.join((peer.ip, *peer.networks))}" for peer in titled
    )
    return f"sender {sender} has the AE title of a peer, but not its address ({places}): {_WAY_OUT}"


def _names(peers: Sequence[Peer]) -> str:
    *first, last = (f"peer {peer.name}" for peer in peers)
    return f"{', '.join(first)} or {last}"


def _parsed(address: str) -> _Address | None:
    """Parse an address; an IPv4 address mapped to IPv6 (::ffff:192.0.2.1) becomes IPv4 again."""
    try:
        found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped


def _plain(network: Network) -> Network:
    """The IPv4 network of a range of IPv4 addresses mapped to IPv6."""
    if isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    first = int(network.network_address) & 0xFFFFFFFF
    return ipaddress.ip_network((first, network.prefixlen - 96))
