"""Where to send: AE title, address and port of the node, as other systems need them."""

from dataclasses import dataclass

from network.hosts import reachable_addresses
from network.which_peer import is_loopback
from web.settings import WebSettings

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104, compared with, not bound to


@dataclass(frozen=True, slots=True)
class Listening:
    """A port of the node, and the addresses at which it can be reached."""

    ae_title: str
    addresses: tuple[str, ...]
    """The most likely one first."""
    port: int
    is_tls: bool

    @property
    def words(self) -> str:
        """AE title, first address and port, such as `SLICEWIRE at 192.0.2.5:11112`."""
        return f"{self.ae_title} at {_host(self.addresses[0])}:{self.port}"

    @property
    def others(self) -> str:
        """Further addresses, in words; empty if there are none."""
        return ", ".join(self.addresses[1:])

    @property
    def is_local(self) -> bool:
        """True if only this machine can reach it."""
        return all(is_loopback(one) or one == "localhost" for one in self.addresses)


def listenings(settings: WebSettings) -> list[Listening]:
    """Read the ports at which the node takes associations, the one without TLS first.

    Where the configuration has 0, the port that was free at the start.
    """
    configuration = settings.configuration
    wire, title = configuration.wire, configuration.ae_title
    found = []
    if wire.plain != "closed":
        ip = "127.0.0.1" if wire.plain == "loopback" else configuration.scp_ip
        port = settings.port or configuration.scp_port
        found.append(Listening(title, _addresses(ip), port, is_tls=False))
    if wire.tls is not None:
        port = settings.tls_port or wire.tls.port
        found.append(Listening(title, _addresses(configuration.scp_ip), port, is_tls=True))
    return found


def _addresses(ip: str) -> tuple[str, ...]:
    if ip not in _EVERYWHERE:
        return (ip,)
    return tuple(reachable_addresses()) or ("127.0.0.1",)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
