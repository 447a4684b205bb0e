"""Number of instances that the sender has: it can delay a series, never start it early."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from core.config.routing import Peer
from core.config.sections import Completion
from core.config.settings import Configuration
from core.errors import SendError
from network.scu.c_find import count_instances
from network.sender import Sender
from network.which_peer import which_peer
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.series import SeriesRow

CountInstances = Callable[[Peer, SeriesRow], int | None]
"""Called to count a series at a peer; None if the peer does not know it; raises SendError."""

log = structlog.get_logger("completion")


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """Answer of a sender to the question how many instances a series has."""

    peer: str
    expected: int | None
    """Number of instances; None: unknown."""
    words: str
    """Why the number is unknown."""


def settle_s(configuration: Configuration, sender: Sender) -> float:
    """Return the settle time in seconds of a sender; the longest of the peers that it may be."""
    which = which_peer(configuration.peers, sender)
    peers = which.candidates if which.peer is None else (which.peer,)
    usual = configuration.completion.settle_s
    return max((usual if one.settle_s is None else one.settle_s for one in peers), default=usual)


def explicit_settle_s(configuration: Configuration, sender: Sender) -> float | None:
    """Return the settle time in seconds that the peers' configuration gives; None: the default."""
    which = which_peer(configuration.peers, sender)
    peers = which.candidates if which.peer is None else (which.peer,)
    return max((one.settle_s for one in peers if one.settle_s is not None), default=None)


def peer_to_ask(configuration: Configuration, sender: Sender) -> Peer | ExpectedCount | None:
    """Return the peer that can count a sender's series; an unknown count if several may be it."""
    which = which_peer(configuration.peers, sender)
    if which.peer is not None:
        return which.peer if which.peer.query else None
    if any(peer.query for peer in which.candidates):
        return ExpectedCount(sender.calling_ae_title, None, f"no peer was asked: {which.words}")
    return None


def c_find_count(configuration: Configuration) -> CountInstances:
    """Return a function that counts the instances of a series at a peer by C-FIND."""

    def count(peer: Peer, row: SeriesRow) -> int | None:
        return count_instances(
            peer,
            configuration.ae_title,
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
        )

    return count


def ask_for_count(count: CountInstances, peer: Peer, row: SeriesRow) -> ExpectedCount:
    """Ask the sender of a series how many instances it has."""
    try:
        expected = count(peer, row)
    except SendError as error:
        log.warning("sender not asked", peer=peer.name, reason=str(error))
        return ExpectedCount(peer.name, None, f"{peer.name} could not be asked: {error}")
    words = "" if expected is not None else f"{peer.name} does not find the series"
    return ExpectedCount(peer.name, expected, words)


def record_expected_count(
    connection: Connection, uid: str, expected_count: ExpectedCount, now: float
) -> None:
    """Record the sender's answer as an event, so that later questions can be settled."""
    words = expected_count.words or f"{expected_count.peer} has {expected_count.expected} instances"
    record_event(connection, EventKind.COUNT, words, now=now, series_instance_uid=uid)


def missing_words(expected_count: ExpectedCount, here: int) -> str:
    """Say how many instances are missing, in words; empty if none are known to be."""
    if expected_count.expected is None or expected_count.expected <= here:
        return ""
    return f"{here} of {expected_count.expected} instances that {expected_count.peer} has are here"


def waited_long_enough(row: SeriesRow, settings: Completion, now: float) -> bool:
    """True if a series has waited long enough for its missing instances."""
    since = now if row.incomplete_since is None else row.incomplete_since
    return now - since >= settings.wait_for_rest_s
