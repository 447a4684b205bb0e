"""The history of a case for people: headings, tones and the words of the ledger's events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select

from node.ledger.database import Ledger
from node.ledger.event_kinds import PERSON, EventKind
from node.ledger.row_states import AssociationOutcome
from node.ledger.schema import commands
from web.cases.cases import Case

# heading and tone (as `Case.tone`)
_HEADINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        EventKind.ASSOCIATION: ("An association ended", "quiet"),
        EventKind.FOLDER: ("The folder was read", "quiet"),
        EventKind.REFUSED: ("An instance was refused", "held"),
        EventKind.REJECTED: ("An association was rejected", "failed"),
        EventKind.BOUND: ("A connection exceeded a limit and was closed", "failed"),
        EventKind.PEER: ("Less is offered to a peer", "quiet"),
        EventKind.WAITING: ("Waiting for the rest of the series", "waiting"),
        EventKind.COUNT: ("The sender was asked for its number of instances", "quiet"),
        EventKind.WHOLE: ("Complete, although an association was aborted", "quiet"),
        EventKind.PROCESSING: ("Complete: a job was queued", "running"),
        EventKind.HELD: ("Held: a person decides", "held"),
        EventKind.KEPT: ("Stored, not processed", "quiet"),
        EventKind.NOT_DONE: ("The requested job cannot be done", "failed"),
        EventKind.NO_DESTINATION: ("No destination for the results", "held"),
        EventKind.DONE: ("The results are ready", "done"),
        EventKind.WARNING: ("The job warns", "held"),
        EventKind.FAILED: ("The job failed", "failed"),
        EventKind.WORKER_DIED: ("A worker process died at the job", "waiting"),
        EventKind.DELIVERED: ("Delivered", "done"),
        EventKind.NOT_DELIVERED: ("Not all of it was delivered", "waiting"),
        EventKind.DEAD_LETTER: ("Could not be delivered", "failed"),
        EventKind.PROOF_CONFIRMED: ("The peer proved that it holds the results", "done"),
        EventKind.PROOF_SENT_AGAIN: ("Instances that the peer lacks are sent again", "waiting"),
        EventKind.PROOF_MISSING: ("The peer does not hold all results", "failed"),
        EventKind.PROOF_NOT_OFFERED: ("The peer offers no proof of storage", "quiet"),
        EventKind.PROOF_GIVEN_UP: ("The peer never proved that it holds the results", "failed"),
        EventKind.COMMITMENT: ("A peer asked for storage commitment", "quiet"),
        EventKind.COMMITMENT_GIVEN_UP: ("The report of storage commitment was given up", "failed"),
        EventKind.REMOVED: ("Files were removed by retention", "quiet"),
        EventKind.WEBHOOK: ("The webhook could not be delivered", "failed"),
        EventKind.CONFIGURATION: ("The configuration file was read again", "quiet"),
        EventKind.DISK: ("Disk space", "held"),
        EventKind.CLOCK: ("The clock was set", "quiet"),
        EventKind.SIGNED_IN: ("A person signed in", "person"),
        EventKind.SIGNED_OUT: ("A person signed out", "person"),
        EventKind.WRONG_PASSWORD: ("A password was wrong", "person"),
    }
)
_ASSOCIATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        AssociationOutcome.RELEASED: ("The sender finished and released its association", "quiet"),
        AssociationOutcome.ABORTED: ("The association was cut off", "held"),
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a case's history."""

    at: float
    heading: str
    words: str
    tone: str
    after_s: float | None
    """Seconds since the entry before; None for the first."""


def timeline_of(ledger: Ledger, case: Case) -> list[Moment]:
    """The history of a case in order of time, then the commands that still wait for the node."""
    moments: list[Moment] = []
    for at, heading, words, tone in (*_told(case), *_open_commands(ledger, case)):
        after_s = at - moments[-1].at if moments else None
        moments.append(Moment(at, heading, words, tone, after_s))
    return moments


def _told(case: Case) -> Iterator[tuple[float, str, str, str]]:
    yield case.first_at, "The first instance was received", f"from {case.history.sender}", "quiet"
    for at, kind, words in case.history.events:
        heading, tone = heading_of(kind, words)
        yield (
            at,
            heading,
            "" if kind == EventKind.ASSOCIATION and words in _ASSOCIATIONS else words,
            tone,
        )


def heading_of(kind: str, words: str = "") -> tuple[str, str]:
    """Heading and tone of an event; a kind that is unknown is its own heading."""
    outcome = words.split(" ", 1)[0]
    if kind == EventKind.ASSOCIATION and outcome in _ASSOCIATIONS:
        return _ASSOCIATIONS[outcome]
    if kind.startswith(PERSON):
        return f"A person asked: {kind.removeprefix(PERSON)}", "person"
    return _HEADINGS.get(kind, (kind[:1].upper() + kind[1:], "quiet"))


def _open_commands(ledger: Ledger, case: Case) -> Iterator[tuple[float, str, str, str]]:
    waiting = commands.c.done_at.is_(None) & (commands.c.target == case.history.series_instance_uid)
    with ledger.reading() as connection:
        rows = connection.execute(select(commands).where(waiting).order_by(commands.c.id)).all()
    for row in rows:
        who = f"{row.person} from {row.address}: " if row.person else ""
        words = f"{who}waiting for the node"
        yield row.at, f"A person asked: {row.verb}", words, "waiting"
