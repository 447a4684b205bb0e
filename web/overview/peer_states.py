"""Whether peers are up, as far as what was exchanged with them tells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from core.config.routing import Peer
from core.config.settings import Configuration
from network.sender import Sender
from network.which_peer import WhichPeer, which_peer
from node.commands import ECHO
from node.completion.routing import DEFAULT_DESTINATION
from node.ledger.database import Ledger
from node.ledger.row_states import DeliveryState
from node.ledger.schema import associations, commands, deliveries
from node.ledger.tables.instances import REJECTED
from web.overview.habits import habits_in_words

UP, DOWN, UNKNOWN = "up", "down", "not known"
ANSWERS = "answers"
"""What the node writes when a peer answered (node/echoes.py)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A peer as the configuration has it."""

    name: str
    ae_title: str
    ip: str
    port: int
    roles: tuple[str, ...]
    """What it is used for, in words."""
    is_configured: bool = True
    """Whether it stands under `peers`, so that it can be asked by its name."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The latest C-ECHO that a person asked for."""

    at: float
    words: str

    @property
    def is_answered(self) -> bool:
        """Whether the peer answered it."""
        return self.words == ANSWERS


@dataclass(frozen=True, slots=True)
class PeerState:
    """A peer, and what is known of it."""

    known: Known
    state: str
    """UP: it exchanged something, and nothing fails; DOWN: what waits for it fails; UNKNOWN."""
    words: str
    """Why it counts as down."""
    sent_at: float | None
    """When it last stored something of ours."""
    came_at: float | None
    """When it last associated."""
    waiting: int
    """Instances on their way to it."""
    dead: int
    """Instances that it refused, or that were given up."""
    next_attempt_at: float | None
    echo: Echo | None
    """What came of the latest C-ECHO."""
    habit: str = ""
    """What was learned of how it sends."""


def peer_states(ledger: Ledger, configuration: Configuration) -> list[PeerState]:
    """Every peer of the configuration, and where results go without one."""
    known = [
        Known(peer.name, peer.ae_title, peer.ip, peer.port, _roles(peer))
        for peer in configuration.peers
    ]
    if configuration.scu_ip is not None and configuration.scu_port is not None:
        place = (configuration.scu_ip, configuration.scu_port)
        roles = ("gets the results of senders that are no peer",)
        known.append(Known(DEFAULT_DESTINATION, configuration.scu_ae, *place, roles, False))
    with ledger.reading() as connection:
        habits = habits_in_words(connection, configuration)
        states = [_state(connection, one, configuration.peers) for one in known]
    return [replace(one, habit=habits.get(one.known.name, "")) for one in states]


def _roles(peer: Peer) -> tuple[str, ...]:
    roles = ["sends, and gets results"]
    roles += ["answers C-FIND"] if peer.query else []
    roles += ["may ask for storage commitment"] if peer.storage_commitment else []
    return (*roles, f"proof: {peer.proof}")


def _state(connection: Connection, known: Known, peers: Sequence[Peer]) -> PeerState:
    sent = deliveries.c.peer == known.name
    stored = sent & (deliveries.c.state == DeliveryState.STORED)
    sent_at = connection.scalar(select(func.max(deliveries.c.finished_at)).where(stored))
    came_at = _came_at(connection, known, peers)
    counts = _counts(connection, known.name)
    failing, echo = _failing(connection, known.name), _latest_echo(connection, known.name)
    state, words = _judged(max(sent_at or 0, came_at or 0), failing, echo)
    return PeerState(
        known=known,
        state=state,
        words=words,
        sent_at=sent_at,
        came_at=came_at,
        waiting=counts.get(DeliveryState.WAITING, 0),
        dead=counts.get(DeliveryState.REFUSED, 0) + counts.get(DeliveryState.GIVEN_UP, 0),
        next_attempt_at=None if failing is None else failing[1],
        echo=echo,
    )


def _came_at(connection: Connection, known: Known, peers: Sequence[Peer]) -> float | None:
    """When it last associated: by its AE title, and its address where others have that title."""
    columns = (
        associations.c.calling_ae_title,
        associations.c.called_ae_title,
        associations.c.address,
    )
    accepted = associations.c.outcome != REJECTED
    rows = connection.execute(
        select(*columns, func.max(associations.c.opened_at).label("at"))
        .where(associations.c.calling_ae_title == known.ae_title, accepted)
        .group_by(*columns)
    ).all()
    if not known.is_configured:
        return max((row.at for row in rows if row.address == known.ip), default=None)
    if sum(peer.ae_title == known.ae_title for peer in peers) > 1:
        rows = [row for row in rows if _is(known, which_peer(peers, Sender(*row[:3])))]
    return max((row.at for row in rows), default=None)


def _is(known: Known, which: WhichPeer) -> bool:
    return which.peer is not None and which.peer.name == known.name


def _judged(
    seen_at: float, failing: tuple[str, float] | None, echo: Echo | None
) -> tuple[str, str]:
    """State and reason; what was tried last counts, and a C-ECHO is tried last when it is later."""
    if echo is not None and not echo.is_answered and echo.at >= seen_at:
        return DOWN, echo.words
    if failing is not None:
        return DOWN, failing[0]
    return (UP if seen_at > 0 or echo is not None else UNKNOWN), ""


def _latest_echo(connection: Connection, name: str) -> Echo | None:
    asked = (commands.c.verb == ECHO) & (commands.c.target == name)
    done = select(commands).where(asked, commands.c.done_at.is_not(None))
    row = connection.execute(done.order_by(commands.c.id.desc()).limit(1)).first()
    return None if row is None else Echo(row.done_at, row.answer)


def _counts(connection: Connection, name: str) -> dict[str, int]:
    rows = connection.execute(
        select(deliveries.c.state, func.count())
        .where(
            deliveries.c.peer == name,
            deliveries.c.state.in_(
                (DeliveryState.WAITING, DeliveryState.REFUSED, DeliveryState.GIVEN_UP)
            ),
        )
        .group_by(deliveries.c.state)
    )
    return {state: int(count) for state, count in rows}


def _failing(connection: Connection, name: str) -> tuple[str, float] | None:
    """What went wrong at the last attempt of what waits, and when the next one is due."""
    row = connection.execute(
        select(deliveries.c.words, deliveries.c.next_attempt_at)
        .where(
            deliveries.c.peer == name,
            deliveries.c.state == DeliveryState.WAITING,
            deliveries.c.attempts > 0,
            deliveries.c.words != "",
        )
        .order_by(deliveries.c.next_attempt_at)
        .limit(1)
    ).first()
    return None if row is None else (row.words, row.next_attempt_at)
