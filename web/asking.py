"""Commands of people to the running node, and events that name who did what."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.answers import Asker
from node.commands import ask
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from web.auth.access import Person

_NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


def ask_node(
    ledger: Ledger,
    person: Person,
    verb: str,
    target: str,
    *,
    arguments: Mapping[str, Any] = _NO_ARGUMENTS,
) -> int:
    """Record a command on a series (`run`, `release`, ...), or `echo` on a peer.

    The running node carries it out and records an event with the person's name and the outcome.

    Returns:
        The command's number, with which the node's answer is found.
    """
    return ask(ledger, verb, target, Asker(person.name, person.address), arguments=arguments)


def record_act(
    ledger: Ledger, person: Person, kind: EventKind, words: str, *, series_instance_uid: str = ""
) -> None:
    """Record an event for what a person did without the node, such as a download."""
    told = f"{words}, by {person.name} from {person.address}"
    with ledger.writing() as connection:
        now = ledger.clock()
        record_event(connection, kind, told, now=now, series_instance_uid=series_instance_uid)
