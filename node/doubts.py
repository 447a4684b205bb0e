"""What stands in the way of a series before its geometry is looked at."""

from collections.abc import Sequence

from core.errors import SeriesError
from node.ledger.instances import StoredInstance


def check_undisputed(instances: Sequence[StoredInstance], cut_off: int) -> None:
    """What only a person may pass over: parts of cut-off associations, contradicting contents.

    Raises:
        SeriesError: the first of them, in words.
    """
    different = next((one for one in instances if one.differs), None)
    if different is not None:
        raise SeriesError(
            f"Instance {different.sop_instance_uid} arrived again with other content; both are kept"
        )
    if cut_off:
        raise SeriesError(
            f"{cut_off} of {len(instances)} instances came only through an association that was "
            "aborted, so the end may be missing: send the series again, or release it as it is"
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
