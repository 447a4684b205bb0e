"""The configuration file as it is now, beside what is in force: differences, or what is wrong."""

from dataclasses import dataclass

from sqlalchemy import select

from core.config.changes import Changes, changes_between
from core.config.settings import Configuration
from core.errors import ConfigurationError
from node.commands import RELOAD
from node.ledger.database import Ledger
from node.ledger.schema import commands
from web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class FileNow:
    """The file that the node was started with, as it is now."""

    configuration: Configuration | None
    """None if it cannot be read."""
    changes: Changes | None
    fault: str = ""
    """Why it cannot be read."""

    @property
    def is_as_running(self) -> bool:
        """True if nothing in the file differs from what is in force."""
        return self.changes is not None and not (self.changes.at_once or self.changes.at_a_restart)


@dataclass(frozen=True, slots=True)
class LatestReload:
    """The node's latest answer to a reload, and when it gave it."""

    at: float
    words: str
    is_refused: bool


def file_now(settings: WebSettings) -> FileNow | None:
    """Read the file; None if the node was started without one to read again."""
    if settings.file is None:
        return None
    try:
        configuration = settings.file.read()
    except ConfigurationError as error:
        return FileNow(None, None, str(error))
    return FileNow(configuration, changes_between(settings.configuration, configuration))


def latest_reload(ledger: Ledger) -> LatestReload | None:
    """Read the node's latest answer to a reload; None if there was none."""
    done = (commands.c.verb == RELOAD) & commands.c.done_at.is_not(None)
    query = select(commands).where(done).order_by(commands.c.id.desc()).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else LatestReload(row.done_at, row.answer, row.is_refused)
