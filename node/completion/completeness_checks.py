"""Checks whether a series is complete and its contents agree, before its geometry is judged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from core.errors import SeriesError
from core.hold_reasons import Hold, HoldReason, hold_for
from imaging.geometry.placement import RULES_2D, place
from imaging.instances.content_differences import compare_contents
from imaging.instances.header import Header
from network.sender import Sender
from node.ledger.tables.contents import (
    FIRST,
    NEWEST,
    Choice,
    Contents,
    choice_of,
    disputed_contents,
)
from node.ledger.tables.instances import StoredInstance
from node.ledger.tables.refusals import refused_words
from node.ledger.tables.series import count_removed
from node.ledger.views.cut_off import cut_off_of


@dataclass(frozen=True, slots=True)
class CompletenessChecks:
    """Findings of the ledger that a series may be incomplete, or its contents disputed."""

    cut_off: int
    """Number of instances received only over associations that may have been cut off."""
    removed: int
    """Number of instances whose files retention removed."""
    refused: str
    """Instances that were refused and not received since, in words; empty: none."""
    ended: str = ""
    """How the latest association that may have been cut off ended."""
    whole: tuple[str, ...] = ()
    """Why other aborted associations count as complete, in words; geometry must agree."""
    disputed: tuple[Contents, ...] = ()
    """SOP Instance UIDs with several contents of which no person has chosen one."""
    choice: Choice | None = None
    """The latest choice of a person between such contents."""
    missing: str = ""
    """How many instances the sender has that were not received, in words; empty: none."""


def completeness_of(
    connection: Connection, series_instance_uid: str, settle_s: Callable[[Sender], float]
) -> CompletenessChecks:
    """Read the findings on a series; `settle_s` gives the settle time in seconds of a sender."""
    cut_off = cut_off_of(connection, series_instance_uid, settle_s)
    return CompletenessChecks(
        cut_off=cut_off.count,
        ended=cut_off.reason,
        whole=cut_off.whole,
        removed=count_removed(connection, series_instance_uid),
        refused=refused_words(connection, series_instance_uid),
        disputed=tuple(disputed_contents(connection, series_instance_uid)),
        choice=choice_of(connection, series_instance_uid),
    )


def completeness_holds(
    instances: Sequence[StoredInstance], checks: CompletenessChecks, storage_path: Path
) -> Iterator[Hold]:
    """Yield the holds of an incomplete or disputed series; reads files of disputed contents."""
    if checks.disputed:
        words = _disputed_words(checks.disputed, storage_path)
        yield hold_for(HoldReason.CONTENT_DISPUTED, words)
    if checks.missing:
        yield hold_for(HoldReason.INSTANCES_MISSING, checks.missing)
    if checks.refused:
        yield hold_for(HoldReason.INSTANCES_REFUSED, checks.refused)
    if checks.cut_off:
        words = (
            f"{checks.cut_off} of {len(instances)} instances were received only over an aborted "
            f"association{f' ({checks.ended})' if checks.ended else ''}, so the end may be missing"
        )
        yield hold_for(HoldReason.CUT_OFF, words, helps="send the rest or the whole series again")


def unequal_positions(headers: Sequence[Header], checks: CompletenessChecks) -> Hold | None:
    """Check the positions of a series that counts as complete despite an aborted association.

    Returns:
        A hold where a position is missing or has fewer images than others; else None.
    """
    if not checks.whole:
        return None
    try:
        lengths = [len(phase) for phase in place(headers, RULES_2D).phases]
    except SeriesError as error:
        return error.hold
    if len(set(lengths)) == 1:
        return None
    words = (
        f"{'; '.join(checks.whole)}, but only {min(lengths)} of {max(lengths)} positions have "
        f"{len(lengths)} images"
    )
    return hold_for(HoldReason.INSTANCES_MISSING, words)


def check_not_removed(instances: Sequence[StoredInstance], removed: int) -> None:
    """Check that retention removed no files of the series.

    Raises:
        SeriesError: files were removed; a release cannot pass over this.
    """
    if removed:
        raise SeriesError(
            f"{removed} of {removed + len(instances)} instances were removed by retention since "
            "they were received",
            HoldReason.INSTANCES_REMOVED,
        )


def _disputed_words(disputed: Sequence[Contents], storage_path: Path) -> str:
    """Describe contents that differ within the series, or from another series with the same UID."""
    again = [one for one in disputed if len(one.by_first_reception) > 1]
    elsewhere = [one for one in disputed if len(one.by_first_reception) == 1 and one.elsewhere]
    found = [_again_words(again, storage_path)] if again else []
    if elsewhere:
        found.append(
            f"{len(elsewhere)} instances were received before in another series under the same "
            f"SOPInstanceUID with different content, such as {elsewhere[0].sop_instance_uid} in "
            f"series {elsewhere[0].elsewhere}"
        )
    return "; ".join([*(found or [_again_words(disputed, storage_path)]), "all contents are kept"])


def _again_words(disputed: Sequence[Contents], storage_path: Path) -> str:
    """Name the attributes that differ between the first and the newest content, without values."""
    pairs = [
        (storage_path / one.taken(FIRST).path, storage_path / one.taken(NEWEST).path)
        for one in disputed
        if one.taken(FIRST).id != one.taken(NEWEST).id
    ]
    found = compare_contents(pairs)
    most = max(len(one.by_first_reception) for one in disputed)
    several = f", up to {most} contents of one" if most > 2 else ""
    return (
        f"{len(disputed)} instances were received again with different content{several}, such as "
        f"{disputed[0].sop_instance_uid}: {found or 'no attribute could be compared'}"
    )
