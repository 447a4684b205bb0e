"""Reload: takes what changed in the configuration file without a restart.

A person's command, a signal and a program write a row of `commands`, which a round answers here.
Running jobs and open associations keep what they began with.
"""

from collections.abc import Callable
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Row, select, update

from core.config.changes import Changes, changes_between
from core.config.settings import Configuration
from core.errors import ConfigurationError, StorageUnavailableError
from node.answers import Answer, Asker
from node.clock import shorten_waits
from node.commands import RELOAD
from node.completion.looking_again import look_again_at_kept
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.schema import commands
from node.ledger.tables.events import record_event

ReadAgain = Callable[[Configuration], Configuration]
"""Reads and checks the file, given the configuration in force; raises ConfigurationError."""

CommandRow = Row[Any]

log = structlog.get_logger("configuration")


class FollowsConfiguration(Protocol):
    """A part that takes another configuration while it works."""

    def follow(self, configuration: Configuration, /) -> None:
        """Use `configuration` for everything that begins from now on."""


class Reloading:
    """Answers commands to reload, and hands the new configuration to every part of the node."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, read_again: ReadAgain | None
    ) -> None:
        """Store the parts; without `read_again` every reload is refused."""
        self.configuration = configuration
        """The configuration in force."""
        self._ledger = ledger
        self._read_again = read_again
        self._started_at = ledger.clock()
        self._parts: list[FollowsConfiguration] = []

    def add(self, *parts: FollowsConfiguration) -> None:
        """Let parts follow every later change, in this order."""
        self._parts += parts

    def answer_next(self) -> bool:
        """Answer the reload that waits longest; True if there was one."""
        waiting = commands.c.done_at.is_(None) & (commands.c.verb == RELOAD)
        query = select(commands).where(waiting).order_by(commands.c.id).limit(1)
        with self._ledger.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return False
        if row.at < self._started_at:
            self._answer(row, Answer("the node was started since, and has read the file"))
        else:
            self._reload(row)
        return True

    def _reload(self, row: CommandRow) -> None:
        """Read the file, take what can be taken, and answer with what it was, or why nothing."""
        if self._read_again is None:
            self._answer(row, Answer("this node has no file to read again", is_refused=True))
            return
        try:
            changes = changes_between(self.configuration, self._read_again(self.configuration))
        except ConfigurationError as error:
            self._answer(row, Answer(f"nothing was changed: {error}", is_refused=True))
            return
        self._answer(row, Answer(changes.words), changes)

    def _answer(self, row: CommandRow, answer: Answer, changes: Changes | None = None) -> None:
        """Record the answer and its changes; if that fails, everything stays as it was."""
        present, now, asker = (
            self.configuration,
            self._ledger.clock(),
            Asker(row.person, row.address),
        )
        kind = EventKind.PERSON_RELOAD if row.person else EventKind.CONFIGURATION
        words = f"{answer.words}{asker.words or f', by {row.target}'}"
        done = {"done_at": now, "answer": answer.words, "is_refused": answer.is_refused}
        try:
            with self._ledger.writing() as connection:
                connection.execute(update(commands).where(commands.c.id == row.id).values(**done))
                record_event(connection, kind, words, now=now)
                if changes is not None and changes.at_once:
                    self._follow(changes.configuration)
                    _look_again(connection, changes, now)
        except StorageUnavailableError:
            self._follow(present)
            raise
        (log.error if answer.is_refused else log.info)("read again", reason=words)

    def _follow(self, configuration: Configuration) -> None:
        self.configuration = configuration
        for part in self._parts:
            part.follow(configuration)


def _look_again(connection: Connection, changes: Changes, now: float) -> None:
    """Let what waits be judged anew by the configuration that was just taken."""
    shorten_waits(connection, changes.configuration, now)
    look_again_at_kept(connection, changes.configuration, now)
