"""What happened to a series, retold for people: a heading, a tone and the ledger's own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select

from node.ledger.database import Ledger
from node.ledger.schema import commands
from web.cases.cases import Case

# kind of event: heading and tone (as `Case.tone`)
_HEADINGS = MappingProxyType(
    {
        "waiting": ("Waiting for the rest of it", "waiting"),
        "count": ("The sender was asked how much there is", "quiet"),
        "whole": ("Whole in spite of an association that was aborted", "quiet"),
        "processing": ("Complete: a job was queued", "running"),
        "held": ("Held: a person decides", "held"),
        "kept": ("Stored, not processed", "quiet"),
        "cancelled": ("Given up", "quiet"),
        "no destination": ("No destination for the results", "held"),
        "interrupted": ("The job was interrupted and runs again", "waiting"),
        "done": ("The results are there", "done"),
        "failed": ("The job failed", "failed"),
        "delivered": ("Delivered", "done"),
        "dead letter": ("Could not be delivered", "failed"),
        "proof confirmed": ("The peer proved that it holds the results", "done"),
        "proof missing": ("The peer does not hold all results", "failed"),
        "proof given up": ("The peer never proved that it holds the results", "failed"),
        "proof not offered": ("The peer offers no proof of storage", "quiet"),
        "webhook": ("Nobody could be told by the webhook", "failed"),
    }
)
_ASSOCIATIONS = MappingProxyType(
    {
        "released": ("The sender finished and released its association", "quiet"),
        "aborted": ("The association was cut off", "held"),
    }
)
_PERSON = "person: "


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened."""

    at: float
    heading: str
    words: str
    tone: str
    after_s: float | None
    """Since the one before it."""


def timeline_of(ledger: Ledger, case: Case) -> list[Moment]:
    """Everything that happened to a case, in order, and what a person asked that is still open."""
    moments: list[Moment] = []
    for at, heading, words, tone in (*_told(case), *_open_commands(ledger, case)):
        after_s = at - moments[-1].at if moments else None
        moments.append(Moment(at, heading, words, tone, after_s))
    return moments


def _told(case: Case) -> Iterator[tuple[float, str, str, str]]:
    yield case.first_at, "The first instance came", f"from {case.story.sender}", "quiet"
    for at, kind, words in case.story.events:
        heading, tone = _heading(kind, words)
        yield at, heading, "" if kind == "association" and words in _ASSOCIATIONS else words, tone


def _heading(kind: str, words: str) -> tuple[str, str]:
    outcome = words.split(" ", 1)[0]
    if kind == "association" and outcome in _ASSOCIATIONS:
        return _ASSOCIATIONS[outcome]
    if kind.startswith(_PERSON):
        return f"A person asked: {kind.removeprefix(_PERSON)}", "person"
    return _HEADINGS.get(kind, (kind[:1].upper() + kind[1:], "quiet"))


def _open_commands(ledger: Ledger, case: Case) -> Iterator[tuple[float, str, str, str]]:
    waiting = commands.c.done_at.is_(None) & (commands.c.target == case.story.series_instance_uid)
    with ledger.reading() as connection:
        rows = connection.execute(select(commands).where(waiting).order_by(commands.c.id)).all()
    for row in rows:
        who = f"{row.person} from {row.address}: " if row.person else ""
        words = f"{who}waits for the node to do it"
        yield row.at, f"A person asked: {row.verb}", words, "waiting"
