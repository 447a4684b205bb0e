"""Whether peers are up, derived from the last exchanges with them."""

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
from node.ledger.tables.pauses import Pausable, pauses_of
from web.overview.habits import habits_in_words

UP, DOWN, UNKNOWN = "up", "down", "not known"
ANSWERS = "answers"
"""The node's answer to an `echo` command when the peer answered (node/echoes.py)."""


def is_answer(words: str) -> bool:
    """True if the node's answer says that the peer answered, perhaps without something optional."""
    return words.partition(",")[0] == ANSWERS


@dataclass(frozen=True, slots=True)
class Known:
    """A peer as configured."""

    name: str
    ae_title: str
    ip: str
    port: int
    roles: tuple[str, ...]
    """What the peer is used for, in words."""
    is_configured: bool = True
    """True if it is listed under `peers`, so that a C-ECHO can be requested by its name."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The latest C-ECHO that a person requested."""

    at: float
    words: str

    @property
    def is_answered(self) -> bool:
        """True if the peer answered."""
        return is_answer(self.words)


@dataclass(frozen=True, slots=True)
class PeerState:
    """A peer with its state, its last exchanges and its deliveries."""

    known: Known
    state: str
    """UP: something was exchanged, and nothing fails; DOWN: deliveries or C-ECHO fail; UNKNOWN."""
    words: str
    """Why the peer counts as down."""
    sent_at: float | None
    """When the peer last stored an instance that we sent."""
    came_at: float | None
    """When the peer last opened an association to us."""
    waiting: int
    """Number of instances that wait to be delivered to the peer."""
    dead: int
    """Number of instances that the peer refused, or that were given up."""
    next_attempt_at: float | None
    echo: Echo | None
    """The latest requested C-ECHO; None if there was none."""
    habit: str = ""
    """How the peer sends, as observed, and what it is not offered, in words."""
    paused: str = ""
    """Since when the peer is paused and by whom; empty if it is not."""


def peer_states(ledger: Ledger, configuration: Configuration) -> list[PeerState]:
    """States of all configured peers, and of the default destination if there is one."""
    known = [
        Known(peer.name, peer.ae_title, peer.ip, peer.port, _roles(peer))
        for peer in configuration.peers
    ]
    if configuration.scu_ip is not None and configuration.scu_port is not None:
        place = (configuration.scu_ip, configuration.scu_port)
        roles = ("gets the results of senders that are not configured as peers",)
        known.append(Known(DEFAULT_DESTINATION, configuration.scu_ae, *place, roles, False))
    with ledger.reading() as connection:
        habits = habits_in_words(connection, configuration)
        states = [_state(connection, one, configuration.peers) for one in known]
        pauses = pauses_of(connection, Pausable.PEER)
    paused = {name: one.words for name, one in pauses.items()}
    return [
        replace(one, habit=habits.get(name, ""), paused=paused.get(name, ""))
        for one in states
        for name in [one.known.name]
    ]


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
    """Time of the last association: by AE title, and by address if peers share the title."""
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
    """State and reason; the later of the last exchange and the last C-ECHO counts."""
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
    """Why the next waiting delivery failed before, and when its next attempt is due."""
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
