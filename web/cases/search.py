"""Search over all cases by what the ledger knows and what the headers of their instances say.

The ledger has no patient data, so headers are read from files, one for each case, the latest case
first, for a few seconds at most; the next search goes on from there. They are kept in memory.
"""

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from node.ledger.schema import series
from node.ledger.tables.case_numbers import case_numbers, series_of_case
from node.ledger.tables.series import SeriesRow, find_series, latest_series
from web.cases.about import About
from web.cases.cases import Case, Cases, Search, condition_of, matches

_CHUNK = 25
_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """Cases that were found, and how far back they were looked for."""

    cases: list[Case]
    is_search: bool = False
    before: int = 0
    """Number of the last case that was looked at, if there are earlier ones; else 0."""
    back_to: float = 0.0
    """When the last case that was looked at received its latest instance."""


def search_everywhere(
    cases: Cases, search: Search, *, limit: int, before: int = 0, within_s: float = _WITHIN_S
) -> Found:
    """Find at most `limit` cases behind the case `before` (0: from the latest), within `within_s`.

    Every word of the text must be in the header of the case's first instance (patient's name, ID
    and birth date, study date, descriptions, modality, body part); or the text as a whole matches
    AE title, address, person, number or end of a UID.
    """
    end, found = time.monotonic() + within_s, list[Case]()
    with cases.ledger.reading() as connection:
        condition = condition_of(connection, replace(search, text=""))
        rows = latest_series(connection, condition, _key(connection, before))
        chunk: list[SeriesRow] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) < _CHUNK:
                continue
            found += _fitting(cases, connection, chunk, search)
            if len(found) >= limit or time.monotonic() > end:
                return _cut(connection, found, limit, chunk[-1])
            chunk = []
        found += _fitting(cases, connection, chunk, search)
        return _cut(connection, found, limit, None)


def about_matches(about: About, text: str) -> bool:
    """True if every word of `text` is in what is known of a patient and series.

    Neither case nor accents count, as nobody knows how a name was typed.
    """
    dates = [one.replace("-", "") for one in (about.born, about.study_date)]
    known = [
        about.patient_name,
        about.whole_name,
        about.patient_id,
        about.born,
        about.study_date,
        *dates,
    ]
    known += [about.study, about.series, about.modality, about.body_part]
    whole = _plain("\n".join(known))
    return all(word in whole for word in _plain(text).replace(",", " ").replace("^", " ").split())


def _plain(text: str) -> str:
    """`text` without accents and differences of case and width."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _fitting(
    cases: Cases, connection: Connection, rows: Sequence[SeriesRow], search: Search
) -> list[Case]:
    uids = [row.series_instance_uid for row in rows]
    of_rows = series.c.series_instance_uid.in_(uids)
    query = select(series.c.series_instance_uid).where(of_rows, matches(connection, search.text))
    known = set(connection.scalars(query)) if search.text else set(uids)
    about = cases.about_of(connection, [uid for uid in uids if uid not in known])
    known |= {uid for uid, one in about.items() if about_matches(one, search.text)}
    wanted = (row for row in rows if row.series_instance_uid in known)
    return list(cases.fitting(connection, wanted, search.state))


def _cut(connection: Connection, found: list[Case], limit: int, last: SeriesRow | None) -> Found:
    """The first `limit` cases; the search goes on behind the last of them, or behind `last`."""
    if len(found) > limit:
        case = found[limit - 1]
        return Found(found[:limit], True, case.number, case.history.last_at)
    if last is None:
        return Found(found, True)
    uid = last.series_instance_uid
    return Found(found, True, case_numbers(connection, [uid]).get(uid, 0), last.last_at)


def _key(connection: Connection, number: int) -> tuple[float, str] | None:
    """Time and UID of a case, behind which the search begins; None: from the latest case on."""
    uid = series_of_case(connection, number) if number else None
    row = None if uid is None else find_series(connection, uid)
    return None if row is None else (row.last_at, row.series_instance_uid)
