"""Completion: when a series is whole, whether it can run, and as which job.

An association that ended makes its series due after a settle time. What then stands in the way
(a part that came through a cut-off association, contradicting instances, geometry) holds the series
with the reason in words; nothing runs on a part of a patient.
"""

from collections.abc import Mapping, Sequence

import structlog

from core.config import Configuration
from core.errors import SeriesError, SlicewireError, explain_fault
from imaging.geometry import GeometryRules, place
from imaging.header import read_header
from imaging.series import check_one_series, promises_image
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.instances import StoredInstance, close_association
from node.ledger.series import (
    HELD,
    KEPT,
    PROCESSING,
    SeriesRow,
    count_cut_off,
    due_series,
    instances_of,
    series_of_association,
    set_state,
    settle,
)
from node.routing import Router
from node.submission import Submission

log = structlog.get_logger("completion")


class Tracker:
    """Decides what becomes of series; every decision is a row and an event in the ledger."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        router: Router,
        *,
        geometry_rules: Mapping[str, GeometryRules],
    ) -> None:
        """`geometry_rules` by kind of pipeline: the pipelines' own, so that both agree."""
        self._configuration = configuration
        self._storage_path = configuration.storage_path
        self._ledger = ledger
        self._router = router
        self._geometry_rules = geometry_rules
        self._submission = Submission(configuration, ledger, router)

    def association_ended(self, association: int, outcome: str) -> None:
        """Record the end of an association; its series are looked at after the settle time."""
        now = self._ledger.clock()
        ready_at = now + self._configuration.completion.settle_s
        with self._ledger.writing() as connection:
            close_association(connection, association, outcome, now)
            for uid in series_of_association(connection, association):
                settle(connection, uid, association, ready_at)
                record_event(connection, "association", outcome, now=now, series_instance_uid=uid)

    def examine_due(self) -> int:
        """Decide on every series whose settle time is over; how many that were."""
        with self._ledger.reading() as connection:
            due = due_series(connection, self._ledger.clock())
        for row in due:
            self._examine(row)
        return len(due)

    def _examine(self, row: SeriesRow) -> None:
        uid = row.series_instance_uid
        with self._ledger.reading() as connection:
            instances = instances_of(connection, uid)
            cut_off = count_cut_off(connection, uid)
        try:
            state, words = self._decide(row, instances, cut_off)
        except SlicewireError as error:
            state, words = HELD, str(error)
        except Exception as error:  # noqa: BLE001, one series must not stop the others
            state, words = HELD, explain_fault(error)
        with self._ledger.writing() as connection:
            if state != PROCESSING:
                set_state(connection, uid, state, words)
            now = self._ledger.clock()
            record_event(connection, state, words, now=now, series_instance_uid=uid)
        tell = log.warning if state == HELD else log.info
        tell(f"series {state}", series_instance_uid=uid, reason=words)

    def _decide(
        self, row: SeriesRow, instances: Sequence[StoredInstance], cut_off: int
    ) -> tuple[str, str]:
        if any(instance.made_here for instance in instances):
            return KEPT, "made by this node or one like it: stored, never processed"
        if not row.released_by_person:
            _check_undisputed(instances, cut_off)
        paths = [self._storage_path / one.path for one in instances if not one.differs]
        headers = [header for header in map(read_header, paths) if promises_image(header)]
        if not headers:
            return KEPT, "no images: stored, not processed"
        check_one_series(headers)
        rule = self._router.find_rule(row.sender, [header.path for header in headers])
        if rule is None:
            return KEPT, "no rule of the configuration matches: stored, not processed"
        kind = self._configuration.pipelines[rule.pipeline].kind
        place(headers, self._geometry_rules[kind])
        contents = {one.sop_instance_uid: one.sha256 for one in instances if not one.differs}
        return PROCESSING, self._submission.submit(row, rule, headers, contents)


def _check_undisputed(instances: Sequence[StoredInstance], cut_off: int) -> None:
    """What only a person may pass over: parts of cut-off associations, contradicting contents."""
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
