"""Peers and rules: who may send, which pipeline a series gets, and where results go."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from core.config.retry import Retry
from core.config.values import AeTitle, Name, PeerPort, PipelineName, Seconds, Section
from core.config.wire import AeTitles, Network, PeerTlsOrNot
from core.priority import PriorityName


def _from_yes_or_no(value: Any) -> Any:
    """Read true as `always` and false as `never`."""
    return {True: "always", False: "never"}.get(value, value) if isinstance(value, bool) else value


Offer = Annotated[Literal["auto", "always", "never"], BeforeValidator(_from_yes_or_no)]
"""`auto`: offered until the peer turns out not to stand it."""


class Negotiation(Section):
    """What is optional in the association requests that a peer gets (PS3.7 D.3.3)."""

    operations_window: Offer = "auto"
    """Asynchronous operations window: several C-STORE requests may be open at once."""
    role_selection: Offer = "auto"
    """SCP/SCU role selection: for reports of storage commitment."""
    implementation_version_name: Offer = "auto"


class Peer(Section):
    """A remote system that may send series and receive results."""

    name: Name
    ae_title: AeTitle
    ip: Name
    port: PeerPort
    networks: tuple[Network, ...] = ()
    """Address ranges that the peer may connect from, besides `ip`."""
    called_ae_titles: AeTitles = ()
    """AE titles of ours that the peer may call; empty: any that `wire.called_ae_title` allows."""
    tls: PeerTlsOrNot = None
    """If given, associations with the peer use TLS in both directions."""
    associations: Annotated[int, Field(ge=1, le=16)] = 1
    """Associations that the node may open to the peer at once, to send the instances of one job."""
    negotiation: Negotiation = Negotiation()
    settle_s: Seconds | None = None
    """Replaces `completion.settle_s` for series that the peer sends."""
    retry: Retry | None = None
    """Replaces the retry settings of `delivery` for everything sent to or asked of the peer."""
    query: bool = False
    """True if the peer answers C-FIND (PS3.4 Annex C), to count the instances of a series."""
    query_ae_title: AeTitle | None = None
    query_port: PeerPort | None = None
    """Where the peer answers C-FIND, if not at `ae_title` and `port`."""
    proof: Literal["auto", "commitment", "query", "none"] = "auto"
    """Proof that the peer holds results; `auto`: storage commitment, else C-FIND, else none."""
    storage_commitment: bool = False
    """True if the peer may request storage commitment of the node, and then delete its copy."""
    resend_results: bool = False
    """True: a peer that sends a whole series again gets its results once more."""
    occasional: bool = False
    """True for a peer that is not always online: --check does not report it as wrong."""


class Rule(Section):
    """Rule that gives a series a pipeline; the first match counts, with others by `also_next`."""

    pipeline: PipelineName
    called_ae_title: str = "*"
    calling_ae_title: str = "*"
    tags: dict[str, str] = Field(default_factory=dict)
    """DICOM keyword to a value or a pattern with `*` and `?`; case does not matter."""
    destinations: tuple[str, ...] = ()
    """Names of peers, or `sender`; empty: the sender if it is a peer, else --scu_ip/--scu_port."""
    also_next: bool = False
    """True if the next matching rule counts too, so that a series gets several pipelines."""
    priority: Literal["sender", PriorityName] = "sender"
    """Which jobs go first; `sender`: Priority (0000,0700) as the sender gave it with C-STORE."""
