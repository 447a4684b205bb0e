"""Decisions of a person on held series: releases, and choices between several contents.

A release is answered after the series was judged again, so that the answer says what happened.
"""

from sqlalchemy import Connection

from core.hold_reasons import HoldReason, held_words, hold_for, released_words
from node.answers import Answer, Asker
from node.ledger.event_kinds import EventKind
from node.ledger.requests.cancellations import rejudge_held_requests
from node.ledger.requests.releases import judge_again, release, waits_for_person
from node.ledger.requests.withdrawals import withdraw_jobs
from node.ledger.row_states import SeriesState
from node.ledger.tables.contents import (
    Choice,
    choice_of,
    record_choice,
    several_contents,
    use_content,
)
from node.ledger.tables.events import events_of
from node.ledger.tables.series import SeriesRow


def why_not_released(row: SeriesRow) -> str:
    """Say why a held series cannot be released; empty if it can."""
    if row.is_releasable:
        return ""
    holds = [hold_for(HoldReason(reason), words) for reason, words in row.holds.items()]
    reason = row.reason or held_words(holds, is_releasable=False)
    if HoldReason.CONTENT_DISPUTED in row.holds:
        return f"not released, as a content must be chosen (--take newest or first): {reason}"
    return f"not released, as a release cannot pass over this: {reason}"


def release_series(connection: Connection, row: SeriesRow, now: float) -> Answer | None:
    """Release a held series to run as it is; None if nothing of it is held."""
    if not waits_for_person(connection, row):
        return None
    why_not = why_not_released(row)
    if why_not:
        return Answer(why_not, is_refused=True)
    release(connection, row, now)
    rejudge_held_requests(connection, row.series_instance_uid)
    return Answer("released by a person", is_awaited=True)


def why_not_taken(connection: Connection, row: SeriesRow) -> str:
    """Say why there is no choice between contents of a series; empty if there is."""
    if row.state in (SeriesState.ARRIVING, SeriesState.SETTLING):
        return "nothing taken: the series is still being received, try again when it is decided"
    if not several_contents(connection, row.series_instance_uid):
        return "nothing taken: no instance of it was received with several contents"
    return ""


def take_content(
    connection: Connection, row: SeriesRow, which: str, *, asker: Asker, now: float
) -> Answer:
    """Use the `newest` or `first` content of a series; withdraw results of the other."""
    why_not = why_not_taken(connection, row)
    if why_not:
        return Answer(why_not, is_refused=True)
    uid, contents = row.series_instance_uid, several_contents(connection, row.series_instance_uid)
    is_known = all(not one.is_disputed and not one.taken(which).differs for one in contents)
    if is_known:
        return Answer(f"the {which} content is in use already", is_refused=True)
    unused = use_content(connection, contents, which, now)
    before = choice_of(connection, uid)
    differences = row.holds.get(HoldReason.CONTENT_DISPUTED, before.differences if before else "")
    choice = Choice(which, len(contents), differences, now, asker.person, asker.address)
    record_choice(connection, uid, choice)
    jobs, unsent = withdraw_jobs(connection, uid, unused, words=str(choice), now=now)
    if row.state == SeriesState.HELD:
        release(connection, row, now)
    else:
        judge_again(connection, uid, now)
    rejudge_held_requests(connection, uid)
    words = f"the {which} content of {len(contents)} instances counts from now on"
    words += f", {jobs} jobs on the other withdrawn" if jobs else ""
    words += f", {unsent} instances not sent" if unsent else ""
    return Answer(words, is_awaited=True)


def outcome_of(connection: Connection, row: SeriesRow, begun_at: float) -> Answer | None:
    """Return what came of a person's decision on a series; None until it was judged again."""
    if row.state == SeriesState.SETTLING and row.ready_at is not None and row.ready_at <= begun_at:
        return None
    if row.state in (SeriesState.ARRIVING, SeriesState.SETTLING):
        words = "more instances came meanwhile: the series is judged again when they are complete"
        return Answer(words, is_refused=True)
    if row.state == SeriesState.CANCELLED:
        return Answer(f"cancelled meanwhile: {row.reason}", is_refused=True)
    if row.state == SeriesState.HELD:
        return Answer(f"held: {row.reason}", is_refused=True)
    told = [
        words
        for at, kind, words in events_of(connection, row.series_instance_uid)
        if at >= begun_at and kind in (EventKind.PROCESSING, EventKind.KEPT)
    ]
    held = [f"still held: {words}" for words in row.holds.values()]
    passed = [words] if (words := released_words(row.released)) else []
    return Answer("; ".join([*passed, *(told or [row.state]), *held]))
