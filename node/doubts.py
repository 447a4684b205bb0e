"""What stands in the way of a series before its geometry is looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from core.errors import SeriesError
from imaging.geometry import RULES_2D, place
from imaging.header import Header
from node.ledger.cut_off import cut_off_of
from node.ledger.instances import Sender, StoredInstance
from node.ledger.refusals import refused_words
from node.ledger.series import count_removed


@dataclass(frozen=True, slots=True)
class Doubts:
    """What the ledger knows against a series being whole."""

    cut_off: int
    """Instances of associations that were not released, and may lack their end."""
    removed: int
    refused: str
    """What was refused and has not come since, in words."""
    ended: str = ""
    """How the latest association that may lack its end was ended."""
    whole: tuple[str, ...] = ()
    """Why others that were not released count as whole, in words; geometry must agree."""


def doubts_about(
    connection: Connection, series_instance_uid: str, settle_s: Callable[[Sender], float]
) -> Doubts:
    """What stands against a series; `settle_s` is how long a sender is silent once it is done."""
    cut_off = cut_off_of(connection, series_instance_uid, settle_s)
    return Doubts(
        cut_off=cut_off.count,
        ended=cut_off.reason,
        whole=cut_off.whole,
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
            f"was aborted{f' {doubts.ended}' if doubts.ended else ''}, so the end may be missing: "
            "send the rest or the whole series again, or release it as it is"
        )


def check_even(headers: Sequence[Header], doubts: Doubts) -> None:
    """A part that counts as whole without a release: as many images at each position.

    Raises:
        SeriesError: there are not, so that some may be missing.
        GeometryError: the images have no common geometry, or a gap.
    """
    if not doubts.whole:
        return
    lengths = [len(phase) for phase in place(headers, RULES_2D).phases]
    if len(set(lengths)) > 1:
        raise SeriesError(
            f"{'; '.join(doubts.whole)}, but {max(lengths)} positions have images, and only "
            f"{min(lengths)} of them {len(lengths)}: send the rest, or release the series as it is"
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
