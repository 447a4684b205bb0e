"""How much of a series its sender has: it can hold a series back, never start one early."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.config.routing import Peer
from core.config.sections import Completion
from core.config.settings import Configuration
from core.errors import SendError
from network.scu.c_find import count_instances
from network.sender import Sender
from network.which_peer import which_peer
from node.ledger.tables.series import SeriesRow

CountInstances = Callable[[Peer, SeriesRow], int | None]
"""What a peer has of a series; None when it does not know it; raises SendError."""

log = structlog.get_logger("completion")


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """What the sender of a series said when it was asked."""

    peer: str
    expected: int | None
    """None: it did not say."""
    words: str
    """Why it did not say."""


def settle_s(configuration: Configuration, sender: Sender) -> float:
    """The quiet time for what a sender brings: the longest of the peers that it may be."""
    which = which_peer(configuration.peers, sender)
    peers = which.candidates if which.peer is None else (which.peer,)
    usual = configuration.completion.settle_s
    return max((usual if one.settle_s is None else one.settle_s for one in peers), default=usual)


def explicit_settle_s(configuration: Configuration, sender: Sender) -> float | None:
    """The settle time that the configuration names for a sender; None: the usual one."""
    which = which_peer(configuration.peers, sender)
    peers = which.candidates if which.peer is None else (which.peer,)
    return max((one.settle_s for one in peers if one.settle_s is not None), default=None)


def peer_to_ask(configuration: Configuration, sender: Sender) -> Peer | ExpectedCount | None:
    """The peer that can say how much of a series there is; words where none can be chosen."""
    which = which_peer(configuration.peers, sender)
    if which.peer is not None:
        return which.peer if which.peer.query else None
    if any(peer.query for peer in which.candidates):
        return ExpectedCount(sender.calling_ae_title, None, f"nobody was asked: {which.words}")
    return None


def counting(configuration: Configuration) -> CountInstances:
    """Counts by C-FIND."""

    def count(peer: Peer, row: SeriesRow) -> int | None:
        return count_instances(
            peer,
            configuration.ae_title,
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
        )

    return count


def ask(count: CountInstances, peer: Peer, row: SeriesRow) -> ExpectedCount:
    """Ask the sender of a series how much of it there is."""
    try:
        expected = count(peer, row)
    except SendError as error:
        log.warning("sender not asked", peer=peer.name, reason=str(error))
        return ExpectedCount(peer.name, None, f"{peer.name} could not be asked: {error}")
    words = "" if expected is not None else f"{peer.name} does not find the series"
    return ExpectedCount(peer.name, expected, words)


def missing_words(expected_count: ExpectedCount, here: int) -> str:
    """How much is missing, in words; empty when nothing is known to be."""
    if expected_count.expected is None or expected_count.expected <= here:
        return ""
    return f"{here} of {expected_count.expected} instances that {expected_count.peer} has are here"


def is_over(row: SeriesRow, settings: Completion, now: float) -> bool:
    """Whether the rest was waited for long enough."""
    since = now if row.incomplete_since is None else row.incomplete_since
    return now - since >= settings.wait_for_rest_s
