"""What a person asks of the node, with who asked in the log of events."""

from node.commands import ask
from node.ledger.database import Ledger
from node.ledger.events import record_event
from web.access import Person


def ask_for(ledger: Ledger, verb: str, series_instance_uid: str, person: Person) -> int:
    """Write a command, and who wants it; answers the command's id."""
    with ledger.writing() as connection:
        words = f"{person.name} from {person.address} asks: {verb}"
        now, uid = ledger.clock(), series_instance_uid
        record_event(connection, "person", words, now=now, series_instance_uid=uid)
    return ask(ledger, verb, series_instance_uid)
