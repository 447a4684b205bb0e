"""Peers and rules: who sends, which pipeline a series gets, where results go."""

from typing import Annotated, Literal

from pydantic import Field

from core.config.retry import Retry
from core.config.values import AeTitle, Name, PeerPort, PipelineName, Seconds, Section
from core.config.wire import AeTitles, Network, PeerTlsOrNot


class Peer(Section):
    """A system that may send from elsewhere than this machine, and to which results can go."""

    name: Name
    ae_title: AeTitle
    ip: Name
    port: PeerPort
    networks: tuple[Network, ...] = ()
    """Address ranges from which it may come, besides `ip`."""
    called_ae_titles: AeTitles = ()
    """AE titles of ours that it may call; none given: any that `wire.called_ae_title` lets."""
    tls: PeerTlsOrNot = None
    """Given, it is spoken to by TLS, and may come by TLS only."""
    associations: Annotated[int, Field(ge=1, le=16)] = 1
    """How many it takes from us at once; several share the instances of a result set."""
    settle_s: Seconds | None = None
    """Instead of `completion.settle_s`, for series that it sends."""
    retry: Retry | None = None
    """Instead of `delivery`'s, for all that it is sent, asked or told."""
    query: bool = False
    """Whether it answers C-FIND (PS3.4 Annex C), so that it can be asked how much there is."""
    query_ae_title: AeTitle | None = None
    query_port: PeerPort | None = None
    """Where it answers C-FIND, when that is not `ae_title` and `port`."""
    proof: Literal["auto", "commitment", "query", "none"] = "auto"
    """How it proves that it holds results; `auto`: storage commitment, else C-FIND, else not."""
    storage_commitment: bool = False
    """Whether it may ask us for storage commitment, and then delete its own copy."""
    occasional: bool = False
    """True for a peer that is there at times only: --check does not call its absence wrong."""


class Rule(Section):
    """Which pipeline a series gets; the first rule that matches counts, alone or with others."""

    pipeline: PipelineName
    called_ae_title: str = "*"
    calling_ae_title: str = "*"
    tags: dict[str, str] = Field(default_factory=dict)
    """DICOM keyword to a value or a pattern with `*` and `?`, compared without regard to case."""
    destinations: tuple[str, ...] = ()
    """Names of peers, or `sender`; empty: the sender if it is a peer, else --scu_ip/--scu_port."""
    also_next: bool = False
    """Whether the next rule that matches counts, too: one series feeds several pipelines."""
