"""Rows of the ledger, page by page, each through an index."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, func, select, tuple_

from node.ledger.database import Ledger
from node.ledger.schema import deliveries, events, instances, jobs, series
from node.ledger.tables.case_numbers import series_by_number
from web.paging import Window

Rows = list[Row[Any]]


def series_rows(ledger: Ledger, window: Window, state: str) -> Rows:
    """Series with the number of their instances and bytes, the latest first."""
    own = instances.c.series_instance_uid == series.c.series_instance_uid
    here = own & instances.c.removed_at.is_(None)
    count = select(func.count()).where(here).scalar_subquery().label("instances")
    size = select(func.coalesce(func.sum(instances.c.size_bytes), 0)).where(here)
    query = select(series, count, size.scalar_subquery().label("size_bytes"))
    query = query.where(series.c.last_at >= window.since)
    key = (series.c.last_at, series.c.series_instance_uid)
    return _rows(ledger, _by_time(_with(query, series.c.state, state), key, window))


def job_rows(ledger: Ledger, window: Window, state: str, series_instance_uid: str) -> Rows:
    """Jobs with the name of their pipeline, without request and result; the latest first."""
    named = ("job_id", "series_instance_uid", "state", "reason", "progress", "step", "attempts")
    times = ("created_at", "started_at", "finished_at", "removed_at", "revision")
    pipeline = jobs.c.request["pipeline"].as_string().label("pipeline")
    columns: list[ColumnElement[Any]] = [jobs.c[name] for name in named + times]
    query: Select[Any] = select(*columns, pipeline).where(jobs.c.created_at >= window.since)
    query = _with(query, jobs.c.state, state)
    query = _with(query, jobs.c.series_instance_uid, series_instance_uid)
    return _rows(ledger, _by_time(query, (jobs.c.created_at, jobs.c.job_id), window))


def delivery_rows(ledger: Ledger, window: Window, state: str, peer: str) -> Rows:
    """Deliveries, one for each instance and peer, the latest first."""
    query = select(deliveries).where(deliveries.c.created_at >= window.since)
    query = _with(_with(query, deliveries.c.state, state), deliveries.c.peer, peer)
    return _rows(ledger, _by_number(query, deliveries, window))


def event_rows(ledger: Ledger, window: Window, kind: str, series_instance_uid: str) -> Rows:
    """Events, the latest first."""
    query = select(events).where(events.c.at >= window.since)
    query = _with(query, events.c.kind, kind)
    query = _with(query, events.c.series_instance_uid, series_instance_uid)
    return _rows(ledger, _by_number(query, events, window))


def uid_of_case(ledger: Ledger, case: str) -> str:
    """The SeriesInstanceUID of a case by its number; any other text is taken for a UID."""
    with ledger.reading() as connection:
        return series_by_number(connection, case) or case


def _with(query: Select[Any], column: ColumnElement[str], value: str) -> Select[Any]:
    return query.where(column == value) if value else query


def _by_time(query: Select[Any], key: tuple[Any, Any], window: Window) -> Select[Any]:
    before = window.after_time()
    if before is not None:
        query = query.where(tuple_(*key) < tuple_(*before))
    return query.order_by(*(column.desc() for column in key)).limit(window.limit)


def _by_number(query: Select[Any], table: Table, window: Window) -> Select[Any]:
    query = query.where(table.c.id < window.after_number())
    return query.order_by(table.c.id.desc()).limit(window.limit)


def _rows(ledger: Ledger, query: Select[Any]) -> Rows:
    with ledger.reading() as connection:
        return list(connection.execute(query))
