"""Peers of the configuration: their state, and C-ECHO on request."""

from datetime import datetime

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from core.config.routing import Peer
from node.commands import ECHO
from node.ledger.row_states import DeliveryState
from node.ledger.schema import commands, deliveries
from node.ledger.tables.pauses import Pausable, find_pause
from web.api.case_commands import Asked
from web.api.refusals import REFUSALS
from web.asking import ask_node
from web.auth.access import Operator, Viewer
from web.dependencies import LedgerOf, SettingsOf
from web.overview.habits import habits_in_words
from web.overview.peer_states import is_answer
from web.paging import at

router = APIRouter(prefix="/api", tags=["peers"], responses=REFUSALS)


class Echoed(BaseModel):
    """The latest C-ECHO that a person requested."""

    at: datetime | None
    answers: bool
    words: str


class PeerState(BaseModel):
    """A configured peer with its deliveries and its latest C-ECHO."""

    name: str
    ae_title: str
    ip: str
    port: int
    proof: str
    query: bool
    deliveries: dict[str, int]
    """Numbers of undelivered instances by state: waiting, refused, given up."""
    words: str
    """Why the next delivery waits."""
    next_attempt_at: datetime | None
    echo: Echoed | None
    habit: str
    """How the peer sends, as observed (pauses, settle time), and what it is not offered."""
    paused: str = ""
    """Since when the peer is paused and by whom; empty if it is not."""


@router.get("/peers")
def peers(_: Viewer, ledger: LedgerOf, settings: SettingsOf) -> list[PeerState]:
    """List the peers of the configuration with their state."""
    with ledger.reading() as connection:
        habits = habits_in_words(connection, settings.configuration)
        peers = settings.configuration.peers
        return [peer_state(connection, peer, habits.get(peer.name, "")) for peer in peers]


@router.post("/peers/{name}/echo", status_code=202)
def echo(name: str, person: Operator, ledger: LedgerOf, settings: SettingsOf) -> Asked:
    """Ask the node to C-ECHO a peer; `GET /api/commands/NUMBER` has the outcome."""
    if name not in {peer.name for peer in settings.configuration.peers}:
        raise HTTPException(404, "no peer has this name")
    command = ask_node(ledger, person, ECHO, name)
    return Asked(command=command, msg="the node was asked to C-ECHO the peer")


def peer_state(connection: Connection, peer: Peer, habit: str = "") -> PeerState:
    """Read the state of one peer from the ledger."""
    undelivered = connection.execute(
        select(deliveries.c.state, func.count().label("number"))
        .where(
            deliveries.c.state.in_(
                (DeliveryState.WAITING, DeliveryState.REFUSED, DeliveryState.GIVEN_UP)
            ),
            deliveries.c.peer == peer.name,
        )
        .group_by(deliveries.c.state)
    )
    waiting = connection.execute(
        select(deliveries.c.words, deliveries.c.next_attempt_at)
        .where(deliveries.c.state == DeliveryState.WAITING, deliveries.c.peer == peer.name)
        .order_by(deliveries.c.next_attempt_at)
        .limit(1)
    ).first()
    pause = find_pause(connection, Pausable.PEER, peer.name)
    return PeerState(
        name=peer.name,
        ae_title=peer.ae_title,
        ip=peer.ip,
        port=peer.port,
        proof=peer.proof,
        query=peer.query,
        deliveries={row.state: row.number for row in undelivered},
        words="" if waiting is None else waiting.words,
        next_attempt_at=None if waiting is None else at(waiting.next_attempt_at),
        echo=_latest_echo(connection, peer.name),
        habit=habit,
        paused="" if pause is None else pause.words,
    )


def _latest_echo(connection: Connection, name: str) -> Echoed | None:
    asked = (commands.c.verb == ECHO) & (commands.c.target == name)
    done = select(commands).where(asked, commands.c.done_at.is_not(None))
    row = connection.execute(done.order_by(commands.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    return Echoed(at=at(row.done_at), answers=is_answer(row.answer), words=row.answer)
