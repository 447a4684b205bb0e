"""Address of a peer, and the timeouts for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from network.optional_items import NO_ITEMS, Items
from network.tls import ClientTls


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Host, port, AE title and TLS settings of a peer; `ip` may be a host name."""

    ip: str
    port: int
    ae_title: str
    tls: ClientTls | None = None
    associations: int = 1
    """Number of associations that the peer accepts from this side at once."""
    leaves_out: Items = NO_ITEMS
    """What is not offered to the peer."""
    keeps: Items = NO_ITEMS
    """What is offered to the peer whatever it does."""
    learn: Callable[[Items], None] | None = field(default=None, compare=False, repr=False)
    """Called with items without which the peer answers, and with which it did not."""

    def __str__(self) -> str:
        return f"{self.ae_title} at {self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may take, in seconds."""

    connect_s: float = 10.0
    associate_s: float = 30.0
    """From the connection to the answer to A-ASSOCIATE, and to A-RELEASE."""
    response_s: float = 120.0
    """From the end of a request to its response, and for any write to the network."""
