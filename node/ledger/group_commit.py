"""Group commit: writes of several threads share one transaction and its commit."""

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
    """Collects the writes that arrive during a transaction into the next one; thread-safe."""

    ledger: Ledger
    is_logged: bool = False
    """True if the rows are also in a synced log, as for `Ledger.logged`."""
    _waiting: list[_Work] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _is_in_step: bool = False

    def run(self, step: Callable[[Connection], Result]) -> Result:
        """Run `step` in a transaction and return its result once that is committed.

        A step may run twice: if another step of the transaction fails, each runs again in its own.
        If the ledger itself fails, all of them fail.

        Raises:
            StorageUnavailableError: the ledger failed.
            Exception: whatever `step` raises.
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
            if len(works) > 1 and self._is_in_step and not _is_ledger_down(error):
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


def _is_ledger_down(error: Exception) -> bool:
    """True if the database itself failed, so that running the steps one by one cannot help."""
    return isinstance(error.__cause__, OperationalError | sqlite3.OperationalError)
