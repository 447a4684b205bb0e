"""Files of single instances."""

from pathlib import Path

from sqlalchemy import select

from node.ledger.database import Ledger
from node.ledger.schema import instances
from node.ledger.tables.case_numbers import series_of_case


def file_of_instance(ledger: Ledger, case_number: int, instance: int) -> Path | None:
    """The file of a case's instance, by its id in the ledger; None if unknown or removed."""
    with ledger.reading() as connection:
        uid = series_of_case(connection, case_number)
        path = connection.scalar(
            select(instances.c.path).where(
                instances.c.id == instance,
                instances.c.series_instance_uid == uid,
                instances.c.removed_at.is_(None),
            )
        )
    return None if path is None else ledger.storage_path / path
