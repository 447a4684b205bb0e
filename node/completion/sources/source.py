"""What every source of instances does, whoever brings them and however.

A source has a row in `associations`, stores its instances by `Inbox.receive` under that row, and at
its end says what becomes of the series that it brought (`Tracker.source_ended`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from network.sender import Sender


@dataclass(frozen=True, slots=True)
class SourceEnd:
    """How a source of instances ended."""

    association: int
    """Its row in `associations`."""
    outcome: str
    """`released`: it brought all that it was to bring; `aborted`: it was cut off."""
    at: float


class InstanceSource(Protocol):
    """Instances that come together: an association, a folder, an upload."""

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        """Make its series due for judgement and record what is asked of them.

        Called once, in the transaction that records the end; may be called again where that fails.

        Returns:
            The SeriesInstanceUIDs.
        """


class FileSource(InstanceSource, Protocol):
    """A source whose instances lie in files until the node reads them (`importer.py`)."""

    @property
    def sender(self) -> Sender:
        """Who is recorded as their sender."""

    def find(self) -> Sequence[Path]:
        """The files of the instances that are to be stored.

        Raises:
            OrderError: they are not what was asked for.
            OSError: they cannot be read.
        """

    def clear(self) -> None:
        """Remove files that were made for the node alone, once they are read or refused."""
