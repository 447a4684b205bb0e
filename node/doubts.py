"""What stands in the way of a series before its geometry is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from core.errors import SeriesError
from node.ledger.instances import StoredInstance
from node.ledger.refusals import refused_words
from node.ledger.series import count_cut_off, count_removed


@dataclass(frozen=True, slots=True)
class Doubts:
    """What the ledger knows against a series being whole."""

    cut_off: int
    """Instances that never came through an association that was released."""
    removed: int
    refused: str
    """What was refused and has not come since, in words."""


def doubts_about(connection: Connection, series_instance_uid: str) -> Doubts:
    """What stands against a series."""
    return Doubts(
        cut_off=count_cut_off(connection, series_instance_uid),
        removed=count_removed(connection, series_instance_uid),
        refused=refused_words(connection, series_instance_uid),
    )


def check_undisputed(instances: Sequence[StoredInstance], doubts: Doubts) -> None:
    """What only a person may pass over: cut off or refused parts, contradicting contents.

    Raises:
        SeriesError: the first of them, in words.
    """
    different = next((one for one in instances if one.differs), None)
    if different is not None:
        raise SeriesError(
            f"Instance {different.sop_instance_uid} arrived again with other content; both are kept"
        )
    if doubts.refused:
        raise SeriesError(f"{doubts.refused}: send them again, or release the series as it is")
    if doubts.cut_off:
        raise SeriesError(
            f"{doubts.cut_off} of {len(instances)} instances came only through an association that "
            "was aborted, so the end may be missing: send the series again, or release it as it is"
        )


def check_still_here(instances: Sequence[StoredInstance], removed: int) -> None:
    """What nobody can pass over: instances whose files retention removed.

    Raises:
        SeriesError: how many those are.
    """
    if removed:
        raise SeriesError(
            f"{removed} of {removed + len(instances)} instances were removed since they came, by "
            "retention: send the whole series again"
        )
