"""Pause and resume pipelines and peers: what runs or is sent ends, and nothing more begins."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from core.config.settings import Configuration
from core.config.values import PIPELINE_ALIASES
from core.errors import RequestedJobError
from node.answers import Answer, Command
from node.completion.routing import DEFAULT_DESTINATION
from node.ledger.database import Ledger
from node.ledger.row_states import DeliveryState, JobState, ProofState
from node.ledger.schema import deliveries, jobs, proofs
from node.ledger.tables.pauses import (
    Pausable,
    all_pauses,
    end_pause,
    find_pause,
    record_pause,
)

PAUSE, RESUME = "pause", "resume"


def pause_target(
    configuration: Configuration, ledger: Ledger, what: Pausable, name: str
) -> tuple[str, Mapping[str, Any]]:
    """Check what a person wants to pause or resume; return the command's target and arguments.

    Raises:
        RequestedJobError: there is no such pipeline or peer; the words list what there is.
    """
    with ledger.reading() as connection:
        paused = [one.name for one in all_pauses(connection) if one.what == what]
    known = list(dict.fromkeys([*_configured(configuration, what), *paused]))
    name = PIPELINE_ALIASES.get(name, name) if what == Pausable.PIPELINE else name
    if name not in known:
        raise RequestedJobError(f"{what}: expected one of {', '.join(known) or 'none'}")
    return name, {"what": str(what)}


def why_not_paused(connection: Connection, verb: str, what: Pausable, name: str) -> str:
    """Say why a pipeline or peer cannot be paused or resumed; empty if it can be."""
    found = find_pause(connection, what, name)
    if verb == PAUSE:
        return "" if found is None else f"{found.words} already"
    return f"{what} {name} is not paused" if found is None else ""


def pause(connection: Connection, command: Command) -> Answer:
    """Pause a pipeline or a peer; what it runs, or is sent, ends."""
    what, name = _target(command)
    refusal = why_not_paused(connection, PAUSE, what, name)
    if refusal:
        return Answer(refusal, is_refused=True)
    record_pause(connection, what, name, asker=command.asker, now=command.now)
    if what == Pausable.PIPELINE:
        words = "what runs of it ends, no other job of it begins"
    else:
        words = "what is being sent to it ends, nothing else is sent"
    return Answer(f"{what} {name} is paused: {words}; {waiting_words(connection, what, name)}")


def resume(connection: Connection, command: Command) -> Answer:
    """Resume a pipeline or a peer; what waits for a peer is tried as if it were new."""
    what, name = _target(command)
    refusal = why_not_paused(connection, RESUME, what, name)
    if refusal:
        return Answer(refusal, is_refused=True)
    words = waiting_words(connection, what, name)
    end_pause(connection, what, name)
    if what == Pausable.PEER:
        _try_anew(connection, name, command.now)
    return Answer(f"{what} {name} is resumed; {words}")


def waiting_words(connection: Connection, what: Pausable, name: str) -> str:
    """Say how much waits for a pipeline or a peer."""
    if what == Pausable.PIPELINE:
        waiting = (jobs.c.pipeline == name) & (jobs.c.state == JobState.QUEUED)
        return f"jobs that wait for it: {_count(connection, waiting)}"
    waiting = (deliveries.c.peer == name) & (deliveries.c.state == DeliveryState.WAITING)
    return f"instances that wait for it: {_count(connection, waiting)}"


def _count(connection: Connection, condition: Any) -> int:
    return connection.scalar(select(func.count()).where(condition)) or 0


def _try_anew(connection: Connection, peer: str, now: float) -> None:
    """Let the time of a pause count for no attempt: nothing is given up because of it."""
    waiting = (deliveries.c.peer == peer) & (deliveries.c.state == DeliveryState.WAITING)
    fresh = {"created_at": now, "next_attempt_at": now, "attempts": 0}
    connection.execute(update(deliveries).where(waiting).values(**fresh, failures=0))
    to_ask = (proofs.c.peer == peer) & (proofs.c.state == ProofState.WAITING)
    connection.execute(update(proofs).where(to_ask).values(**fresh))
    asked = (proofs.c.peer == peer) & (proofs.c.state == ProofState.ASKED)
    connection.execute(update(proofs).where(asked).values(created_at=now))


def _target(command: Command) -> tuple[Pausable, str]:
    return Pausable(command.arguments["what"]), command.target


def _configured(configuration: Configuration, what: Pausable) -> list[str]:
    if what == Pausable.PIPELINE:
        return list(configuration.pipelines)
    has_default = configuration.scu_ip is not None
    names = [peer.name for peer in configuration.peers]
    return [*names, DEFAULT_DESTINATION] if has_default else names
