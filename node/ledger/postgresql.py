"""Engine of a PostgreSQL ledger, whose every wait for the server has an end.

The server's own time limits do not help if the server itself is frozen (a suspended virtual
machine, a disk that hangs): its system still confirms every packet, and nothing is answered.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumper
from sqlalchemy import URL, Engine, create_engine, event

_CONNECT_WITHIN_S = 5
_STATEMENT_WITHIN_S = 30
_LOCK_WITHIN_S = 10
_AT_ONCE_S = 3.0  # for what a server that works does at once: begin, a test of the connection
WRITE_WITHIN_S = 15.0
"""Limit of a statement that writes; longer than a wait for the writers' lock."""
MIGRATE_WITHIN_S = 24 * 3600.0
"""Limit of a statement that migrates tables, which may have millions of rows."""
READ_WITHIN_S = 35.0
"""Limit of a statement that reads; longer than the server's own limit."""
_KEEPALIVE = {"idle": 5, "interval": 5, "count": 4}
_PASSING = ("starting up", "shutting down", "not accepting connections", "in recovery mode")
_Result = TypeVar("_Result")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer in time."""

    limit_s = WRITE_WITHIN_S
    """Longest wait for the server's answer to one statement within a transaction."""

    def wait(self, gen: PQGen[_Result], *arguments: Any, **options: Any) -> _Result:
        """Consume a generator that talks with the server, within the time that it has.

        Raises:
            psycopg.OperationalError: the server did not answer in time.
        """
        is_within = self.info.transaction_status != TransactionStatus.IDLE
        within_s = self.limit_s if is_within else _AT_ONCE_S
        return super().wait(_bounded(gen, within_s, self.close), *arguments, **options)


def postgresql_engine(url: URL) -> Engine:
    """Make an engine that tests connections before use and limits the time of every statement."""
    limits = {"lock_timeout": _LOCK_WITHIN_S, "statement_timeout": _STATEMENT_WITHIN_S}
    options = [f"-c {name}={within_s * 1000}" for name, within_s in limits.items()]
    # so that the server lets go of the writers' lock of a node that it cannot reach any more
    options += [f"-c tcp_keepalives_{name}={value}" for name, value in _KEEPALIVE.items()]
    arguments = {
        "connect_timeout": _CONNECT_WITHIN_S,
        "autocommit": True,  # transactions begin in `dialects.py`, with their isolation
        "options": " ".join(options),
        "keepalives_idle": _KEEPALIVE["idle"],
        "tcp_user_timeout": _STATEMENT_WITHIN_S * 1000,
    }
    engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_size=20)
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _prepare)
    return engine


def is_absent(error: Exception) -> bool:
    """True if no server answered, or one that starts or stops; not if it answered with a refusal.

    A refusal, as of a wrong password, stays one until a person changes something.
    """
    original = getattr(error, "orig", error)
    if not isinstance(original, psycopg.OperationalError) or original.sqlstate is not None:
        return False
    words = str(original)
    return "FATAL" not in words or any(one in words for one in _PASSING)


def _bounded(gen: PQGen[_Result], within_s: float, close: Callable[[], None]) -> PQGen[_Result]:
    """Pass a generator on until the time is over; psycopg resumes it ten times a second."""
    until = time.monotonic() + within_s
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > until:
                close()
                raise psycopg.OperationalError(f"the server has not answered for {within_s:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: _Result = end.value
        return result


def _connect(_dialect: object, _record: object, arguments: Any, keywords: Any) -> BoundedConnection:
    return BoundedConnection.connect(*arguments, **keywords)


class _WithoutNul(StrDumper):
    """Replaces NUL, which peers may send and PostgreSQL's text type does not allow."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _prepare(connection: Any, _record: object) -> None:
    connection.adapters.register_dumper(str, _WithoutNul)
