"""Commands of people to the running node: written as rows, which the node carries out."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from node.answers import Answer, Asker, Command
from node.completion.releasing import outcome_of, why_not_released, why_not_taken
from node.completion.running import outcome_of_run, why_not_run
from node.delivery.resending import why_not_resent
from node.ledger.database import Ledger
from node.ledger.event_kinds import asked_by_person
from node.ledger.requests.releases import waits_for_person
from node.ledger.schema import commands
from node.ledger.tables.events import record_event
from node.ledger.tables.series import find_series
from node.verbs import ON_NO_CASE, RELEASE, RESEND, RUN, TAKES, VERBS

RELOAD = "reload"
"""Takes what changed in the configuration file; node/reloading.py answers it."""
ECHO = "echo"
ANSWERS = "answers"
"""Answer to an echo command if the peer answered; other answers say why it did not."""
_NOBODY = Asker()
_NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


def ask(
    ledger: Ledger,
    verb: str,
    target: str,
    asker: Asker = _NOBODY,
    *,
    arguments: Mapping[str, Any] = _NO_ARGUMENTS,
) -> int:
    """Write a command for the running node, on a series, a pipeline or a peer; return its id."""
    with ledger.writing() as connection:
        row = {"at": ledger.clock(), "verb": verb, "target": target, "answer": ""}
        row |= {"person": asker.person, "address": asker.address}
        row |= {"arguments": dict(arguments)}
        key = connection.execute(insert(commands).values(**row)).inserted_primary_key
    return 0 if key is None else int(key[0])


def answer_to(ledger: Ledger, command: int) -> Answer | None:
    """Return the node's answer to a command; None while there is none.

    Raises:
        LookupError: there is no command with this id.
    """
    with ledger.reading() as connection:
        row = connection.execute(select(commands).where(commands.c.id == command)).first()
    if row is None:
        raise LookupError(command)
    return Answer(row.answer, row.is_refused) if row.done_at is not None else None


def has_begun(ledger: Ledger, command: int) -> bool:
    """True if the node has begun a command whose effect it waits for before it answers."""
    with ledger.reading() as connection:
        query = select(commands.c.begun_at).where(commands.c.id == command)
        return connection.scalar(query) is not None


def why_not(ledger: Ledger, verb: str, series_instance_uid: str) -> str:
    """Say why a command would be refused at present; empty if it would not."""
    with ledger.reading() as connection:
        row = find_series(connection, series_instance_uid)
        if row is None:
            return ""
        if verb == RUN:
            return why_not_run(connection, row)
        if verb == RESEND:
            return why_not_resent(connection, series_instance_uid)
        if verb in TAKES.values():
            return why_not_taken(connection, row)
        is_held = verb == RELEASE and waits_for_person(connection, row)
        return why_not_released(row) if is_held else ""


def carry_out(ledger: Ledger, verbs: Collection[str] = tuple(VERBS)) -> int:
    """Carry out every waiting command of these verbs, oldest first; return how many.

    Completion judges a released series first, so that a release is answered in a later round.
    """
    undone = commands.c.done_at.is_(None) & commands.c.verb.in_(verbs)
    with ledger.reading() as connection:
        waiting = connection.execute(select(commands).where(undone).order_by(commands.c.id)).all()
    for row in waiting:
        with ledger.writing() as connection:
            if row.begun_at is None:
                _begin(connection, row, ledger.clock())
            else:
                _await(connection, row, ledger.clock())
    return sum(row.begun_at is None for row in waiting)


def _begin(connection: Connection, row: Row[Any], now: float) -> None:
    asker, uid = Asker(row.person, row.address), "" if row.verb in ON_NO_CASE else row.target
    command = Command(row.id, uid, asker, now, row.arguments, row.target)
    answer = VERBS[row.verb](connection, command)
    words = f"{answer.words}{asker.words}"
    kind = asked_by_person(row.verb)
    record_event(connection, kind, words, now=now, series_instance_uid=uid)
    if answer.is_awaited:
        begun = update(commands).where(commands.c.id == row.id)
        connection.execute(begun.values(begun_at=now, answer=answer.words))
    else:
        _answer(connection, row, answer, now)


def _await(connection: Connection, row: Row[Any], now: float) -> None:
    series = find_series(connection, row.target)
    if series is None:
        return
    if row.verb == RUN:
        outcome = outcome_of_run(connection, series, row.id, row.begun_at)
    else:
        outcome = outcome_of(connection, series, row.begun_at)
    if outcome is not None:
        words = f"{row.answer}; {outcome.words}"
        _answer(connection, row, replace(outcome, words=words), now)


def _answer(connection: Connection, row: Row[Any], answer: Answer, now: float) -> None:
    values = {"done_at": now, "answer": answer.words, "is_refused": answer.is_refused}
    connection.execute(update(commands).where(commands.c.id == row.id).values(**values))
