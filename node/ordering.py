"""Orders whose series is here become jobs, or are held with the reason."""

from collections.abc import Callable, Mapping

import structlog

from core.config import Configuration
from core.config_routing import Rule
from core.errors import OrderError, SeriesError, SlicewireError, StorageUnavailableError
from imaging.frames import read_headers
from imaging.geometry import GeometryRules, place
from imaging.series import check_one_series, promises_image
from node.doubts import check_still_here, doubts_about
from node.ledger.database import Ledger
from node.ledger.events import record_event
from node.ledger.notices import HELD as HELD_NOTICE
from node.ledger.notices import queue_notice
from node.ledger.orders import Order, due_orders, fail_order, hold_order
from node.ledger.series import (
    HELD,
    PROCESSING,
    SeriesRow,
    find_series,
    instances_of,
    is_as_it_was,
    set_state,
)
from node.submission import Submission

log = structlog.get_logger("orders")


class Orders:
    """Judges a series by the rules of the pipeline that was asked for, and by no other's."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        submission: Submission,
        *,
        geometry_rules: Mapping[str, GeometryRules],
        waits_for_files: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`geometry_rules` by kind; an order on a series whose files are to be made is not due."""
        self._configuration = configuration
        self._ledger = ledger
        self._submission = submission
        self._geometry_rules = geometry_rules
        self._waits_for_files = waits_for_files

    def serve_due(self) -> int:
        """Submit or hold every order whose series is here; how many those were.

        Raises:
            StorageUnavailableError: disk or ledger failed; they stay due.
        """
        with self._ledger.reading() as connection:
            due = [
                (one, find_series(connection, one.series_instance_uid))
                for one in due_orders(connection)
            ]
        due = [one for one in due if not self._waits_for_files(one[0].series_instance_uid)]
        for order, row in due:
            if row is not None:
                self._serve(order, row)
        return len(due)

    def _serve(self, order: Order, row: SeriesRow) -> None:
        try:
            words = self._submit(order, row)
        except StorageUnavailableError:
            raise
        except SeriesError as error:
            self._hold(order, row, str(error))
        except SlicewireError as error:
            self._fail(order, row, str(error))
        else:
            self._tell(order, words)

    def _submit(self, order: Order, row: SeriesRow) -> str:
        uid, storage_path = row.series_instance_uid, self._configuration.storage_path
        pipeline = self._configuration.pipelines.get(order.asked.pipeline)
        if pipeline is None:
            raise OrderError(f"there is no pipeline {order.asked.pipeline} any more")
        with self._ledger.reading() as connection:
            instances = instances_of(connection, uid)
            doubts = doubts_about(connection, uid)
        if any(one.made_here for one in instances):
            raise OrderError("made by this node or one like it: never processed")
        check_still_here(instances, doubts.removed)
        here = [one for one in instances if not one.differs]
        paths = [storage_path / one.path for one in here]
        headers = [one for path in paths for one in read_headers(path) if promises_image(one)]
        check_one_series(headers)
        place(headers, self._geometry_rules[pipeline.kind])
        rule = Rule(pipeline=order.asked.pipeline, destinations=order.asked.destinations)
        contents = {one.sop_instance_uid: one.sha256 for one in here}
        return self._submission.submit(row, rule, headers, contents, order=order)

    def _tell(self, order: Order, words: str) -> None:
        """Nothing was done without words: something of the series came meanwhile."""
        if not words:
            return
        uid, now = order.series_instance_uid, self._ledger.clock()
        told = f"asked for by {order.asked.person}: {words}"
        with self._ledger.writing() as connection:
            record_event(connection, PROCESSING, told, now=now, series_instance_uid=uid)
        log.info("order submitted", order=order.uid, words=words)

    def _fail(self, order: Order, row: SeriesRow, words: str) -> None:
        """Not when something of the series came meanwhile: perhaps its file was not made yet."""
        with self._ledger.writing() as connection:
            if is_as_it_was(connection, row):
                fail_order(connection, order, words, self._ledger.clock())

    def _hold(self, order: Order, row: SeriesRow, words: str) -> None:
        """The series itself is held, too, when it came for orders alone: somebody should look."""
        uid, now = row.series_instance_uid, self._ledger.clock()
        with self._ledger.writing() as connection:
            if not is_as_it_was(connection, row):
                return
            hold_order(connection, order.uid, words)
            if row.sender.is_folder:
                set_state(connection, uid, HELD, words)
                queue_notice(connection, HELD_NOTICE, now=now, series_instance_uid=uid, words=words)
            told = f"job {order.uid} ({order.asked.pipeline}): {words}"
            record_event(connection, HELD, told, now=now, series_instance_uid=uid)
        log.warning("order held", order=order.uid, reason=words)
