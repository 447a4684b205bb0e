"""Case numbers: the ledger's id of a series' first instance, short and without patient data."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from node.ledger.schema import instances

_LONGEST_NUMBER = 9


def series_by_number(connection: Connection, text: str) -> str | None:
    """The SeriesInstanceUID of the case with the number `text`; None if there is no such case."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return series_of_case(connection, int(text)) if is_number else None


def series_of_case(connection: Connection, number: int) -> str | None:
    """The SeriesInstanceUID of case `number`; None if no series has this number."""
    key = instances.c.id == number
    uid = connection.scalar(select(instances.c.series_instance_uid).where(key))
    if uid is None or _numbers(connection, [uid]).get(uid) != number:
        return None
    return str(uid)


def case_numbers(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    """Case numbers by SeriesInstanceUID; unknown and empty UIDs are left out."""
    return _numbers(connection, [uid for uid in dict.fromkeys(uids) if uid])


def _numbers(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        select(instances.c.series_instance_uid, func.min(instances.c.id))
        .where(instances.c.series_instance_uid.in_(uids))
        .group_by(instances.c.series_instance_uid)
    )
    return {uid: int(number) for uid, number in rows}
