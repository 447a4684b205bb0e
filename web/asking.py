"""What a person asks of the running node: a row that it carries out, an event with the name."""

from node.answers import Asker
from node.commands import ask
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from web.auth.access import Person


def ask_node(ledger: Ledger, person: Person, verb: str, target: str) -> int:
    """Ask for `release`, `retry`, `resend` or `cancel` of a series, or `echo` of a peer.

    Answers the command's number, under which `answer_of` finds what the node answered. The node
    records who asked, and what came of it, as an event.
    """
    return ask(ledger, verb, target, Asker(person.name, person.address))


def record_act(
    ledger: Ledger, person: Person, kind: EventKind, words: str, *, series_instance_uid: str = ""
) -> None:
    """An event for what a person did without the node's help, such as a download."""
    told = f"{words}, by {person.name} from {person.address}"
    with ledger.writing() as connection:
        now = ledger.clock()
        record_event(connection, kind, told, now=now, series_instance_uid=series_instance_uid)
