"""Protocols of sources of instances, such as associations and folders.

A source has a row in `associations`, stores its instances under that row (`InstanceStore.receive`),
and at its end makes its series due for judgement (`SeriesCompletion.source_ended`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from network.sender import Sender


@dataclass(frozen=True, slots=True)
class SourceEnd:
    """The end of a source of instances."""

    association: int
    """Its row in `associations`."""
    outcome: str
    """`released`: all instances were received; `aborted`: some may be missing."""
    at: float
    """Seconds since 1970."""


class InstanceSource(Protocol):
    """A source of instances: an association, a folder or an upload."""

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        """Make the series of the source due for judgement, and record the requests on them.

        Called in the transaction that records the end, and again if that transaction fails.

        Returns:
            The SeriesInstanceUIDs.
        """


class FileSource(InstanceSource, Protocol):
    """A source whose instances are in files until the node imports them (`importer.py`)."""

    @property
    def sender(self) -> Sender:
        """The sender that is recorded for the instances."""

    def find(self) -> Sequence[Path]:
        """Find the files to store.

        Raises:
            RequestedJobError: there is no such series, or more than one.
            OSError: files cannot be read.
        """

    def clear(self) -> None:
        """Remove files that exist only for the node, once they are imported or refused."""
