"""What stands in the way of a series before its geometry is looked at."""

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
    """What the ledger knows against a series being whole, and against its content."""

    cut_off: int
    """Instances of associations that were not released, and may lack their end."""
    removed: int
    refused: str
    """What was refused and has not come since, in words."""
    ended: str = ""
    """How the latest association that may lack its end was ended."""
    whole: tuple[str, ...] = ()
    """Why others that were not released count as whole, in words; geometry must agree."""
    disputed: tuple[Contents, ...] = ()
    """Where several contents came under one SOP Instance UID and no person has decided."""
    choice: Choice | None = None
    """What a person took of such contents before."""
    missing: str = ""
    """What its sender has more of it than is here, in words."""


def completeness_of(
    connection: Connection, series_instance_uid: str, settle_s: Callable[[Sender], float]
) -> CompletenessChecks:
    """What stands against a series; `settle_s` is how long a sender is silent once it is done."""
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


def holds_about(
    instances: Sequence[StoredInstance], checks: CompletenessChecks, storage_path: Path
) -> Iterator[Hold]:
    """What only a person may pass over, or decide; files are read where contents are disputed."""
    if checks.disputed:
        words = _disputed_words(checks.disputed, storage_path)
        yield hold_for(HoldReason.CONTENT_DISPUTED, words)
    if checks.missing:
        yield hold_for(HoldReason.INSTANCES_MISSING, checks.missing)
    if checks.refused:
        yield hold_for(HoldReason.INSTANCES_REFUSED, checks.refused)
    if checks.cut_off:
        words = (
            f"{checks.cut_off} of {len(instances)} instances came only through an association that "
            f"was aborted{f' {checks.ended}' if checks.ended else ''}, so the end may be missing"
        )
        yield hold_for(HoldReason.CUT_OFF, words, helps="send the rest or the whole series again")


def uneven(headers: Sequence[Header], checks: CompletenessChecks) -> Hold | None:
    """Why a part that counts as whole without a release is not; None where nothing says so.

    Every position must have as many images as the others, and none may be missing between them.
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
        f"{'; '.join(checks.whole)}, but {max(lengths)} positions have images, and only "
        f"{min(lengths)} of them {len(lengths)}"
    )
    return hold_for(HoldReason.INSTANCES_MISSING, words)


def check_still_here(instances: Sequence[StoredInstance], removed: int) -> None:
    """What nobody can pass over: instances whose files retention removed.

    Raises:
        SeriesError: how many those are.
    """
    if removed:
        raise SeriesError(
            f"{removed} of {removed + len(instances)} instances were removed since they came, by "
            "retention",
            HoldReason.INSTANCES_REMOVED,
        )


def _disputed_words(disputed: Sequence[Contents], storage_path: Path) -> str:
    """What came again within the series, and what another series holds under the same UID."""
    again = [one for one in disputed if len(one.in_the_order_they_came) > 1]
    elsewhere = [one for one in disputed if len(one.in_the_order_they_came) == 1 and one.elsewhere]
    found = [_again_words(again, storage_path)] if again else []
    if elsewhere:
        found.append(
            f"{len(elsewhere)} instances came before in another series under the same SOP Instance "
            f"UID with other content, such as {elsewhere[0].sop_instance_uid} in series "
            f"{elsewhere[0].elsewhere}"
        )
    return "; ".join([*(found or [_again_words(disputed, storage_path)]), "all contents are kept"])


def _again_words(disputed: Sequence[Contents], storage_path: Path) -> str:
    """Which attributes differ between the first and the newest content; no values."""
    pairs = [
        (storage_path / one.taken(FIRST).path, storage_path / one.taken(NEWEST).path)
        for one in disputed
        if one.taken(FIRST).id != one.taken(NEWEST).id
    ]
    found = compare_contents(pairs)
    most = max(len(one.in_the_order_they_came) for one in disputed)
    several = f", {most} contents of some" if most > 2 else ""
    return (
        f"{len(disputed)} instances arrived again with other content{several}, such as "
        f"{disputed[0].sop_instance_uid}: {found or 'no attribute could be compared'}"
    )
