"""Transactions of several threads as one: each waits for its own, all share one commit."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from node.ledger.database import Ledger

Result = TypeVar("Result")


@dataclass(slots=True)
class _Work:
    step: Callable[[Connection], Any]
    done: bool = False
    result: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class GroupCommit:
    """Whoever comes while a transaction runs shares the next one; safe for many threads."""

    ledger: Ledger
    is_logged: bool = False
    """Whether what is written is in a synced log, too, as for `Ledger.logged`."""
    _waiting: list[_Work] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _is_in_step: bool = False

    def run(self, step: Callable[[Connection], Result]) -> Result:
        """What `step` answers, once what it wrote is committed.

        A step may be run twice: where another one of its transaction fails each has its own. Where
        the ledger is away all fail at once.

        Raises:
            StorageUnavailableError: the ledger failed; whatever else `step` raises.
        """
        work = _Work(step)
        with self._lock:
            self._waiting.append(work)
        with self._turn:
            if not work.done:
                self._run_all()
        if work.error is not None:
            raise work.error
        return cast(Result, work.result)

    def _run_all(self) -> None:
        with self._lock:
            works, self._waiting = self._waiting, []
        try:
            self._commit(works)
        except Exception as error:  # noqa: BLE001, it is raised where the step came from
            if len(works) > 1 and self._is_in_step and not _is_away(error):
                for work in works:
                    self._run_alone(work)
            else:
                for work in works:
                    work.error = error
        for work in works:
            work.done = True

    def _run_alone(self, work: _Work) -> None:
        try:
            self._commit([work])
        except Exception as error:  # noqa: BLE001, it is raised where the step came from
            work.error = error

    def _commit(self, works: list[_Work]) -> None:
        self._is_in_step = False
        transaction = self.ledger.logged if self.is_logged else self.ledger.writing
        with transaction() as connection:
            for work in works:
                self._is_in_step = True
                work.result = work.step(connection)
                self._is_in_step = False


def _is_away(error: Exception) -> bool:
    """Whether the ledger itself failed: each by itself would wait for it in vain, one by one."""
    return isinstance(error.__cause__, OperationalError | sqlite3.OperationalError)
