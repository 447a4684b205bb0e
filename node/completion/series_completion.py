"""Completion: decides when a series is complete, whether jobs run on it, and which.

The end of an association makes its series due after a settle time. A due series is held with its
reasons if instances may be missing, contents contradict each other, or geometry does not suit.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from core.config.routing import Peer
from core.config.settings import Configuration
from core.errors import (
    HeldError,
    SlicewireError,
    StorageUnavailableError,
    explain_fault,
    hold_of,
)
from core.hold_reasons import HoldReason, hold_for
from imaging.geometry.placement import GeometryRules
from node.completion.completeness_checks import (
    CompletenessChecks,
    check_not_removed,
    completeness_of,
)
from node.completion.decisions import Decisions
from node.completion.expected_count import (
    CountInstances,
    ExpectedCount,
    ask_for_count,
    c_find_count,
    missing_words,
    peer_to_ask,
    record_expected_count,
    settle_s,
    waited_long_enough,
)
from node.completion.judgement import Judged, Judgement
from node.completion.refused import record_refusals
from node.completion.routing import Router
from node.completion.settle_time import is_too_soon
from node.completion.sources.association import AssociationSource
from node.completion.sources.source import InstanceSource, SourceEnd
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.group_commit import GroupCommit
from node.ledger.requests.due import due_series, orphans, settle_orphans
from node.ledger.requests.releases import record_holds
from node.ledger.requests.requests import requests_of, wants_by_name_alone
from node.ledger.row_states import NoticeKind, SeriesState
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import StoredInstance, close_association
from node.ledger.tables.notices import queue_notice
from node.ledger.tables.series import (
    SeriesRow,
    instances_of,
    is_unchanged,
    set_state,
    wait_for_rest,
)
from node.scp.refusals import Refusal

_MOST_ASKED = 64  # peers at once, how many instances a series has

log = structlog.get_logger("completion")


class SeriesCompletion(Follower):
    """Decides on due series; records every decision as rows and events in the ledger."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        router: Router,
        *,
        geometry_rules: Mapping[str, GeometryRules],
        count: CountInstances | None = None,
        pool: Executor | None = None,
        waits_for_files: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Store the parts.

        Args:
            configuration: of the whole node.
            ledger: where decisions are recorded.
            router: finds rules and destinations.
            geometry_rules: the pipelines' own rules, by kind.
            count: counts the instances of a series at a peer; by default C-FIND.
            pool: runs `count`; by default with a thread for each peer that is asked.
            waits_for_files: True for a SeriesInstanceUID of which files are not made yet.
        """
        self._ledger = ledger
        self._ends = GroupCommit(ledger)
        self._router, self._geometry_rules = router, geometry_rules
        self._waits_for_files = waits_for_files
        self._own_count = count
        self._pool = pool or ThreadPoolExecutor(_MOST_ASKED, thread_name_prefix="counting")
        self._asking: dict[str, Future[None]] = {}
        self.follow(configuration)

    def follow(self, configuration: Configuration) -> None:
        """Judge by `configuration` from now on; raises as `Router`."""
        router, rules = self._router.following(configuration), self._geometry_rules
        self._judgement = Judgement(configuration, router, geometry_rules=rules)
        self._decisions = Decisions(configuration, self._ledger)
        self._count = self._own_count or c_find_count(configuration)
        super().follow(configuration)

    def association_ended(
        self, association: int, outcome: str, refused: Sequence[Refusal] = ()
    ) -> None:
        """Record the end of an association; its series are judged after the settle time."""
        source = AssociationSource(self._configuration)
        self.source_ended(source, association, outcome, refused)

    def source_ended(
        self,
        source: InstanceSource,
        association: int,
        outcome: str,
        refused: Sequence[Refusal] = (),
    ) -> Sequence[str]:
        """Record the end of `source` and make its series due.

        Args:
            source: the source that ended.
            association: its row in `associations`.
            outcome: `released` if all its instances were received.
            refused: instances of the source that were not stored.

        Returns:
            The SeriesInstanceUIDs.
        """

        def step(connection: Connection) -> Sequence[str]:
            end = SourceEnd(association, outcome, self._ledger.clock())
            close_association(connection, association, outcome, end.at)
            uids = source.conclude(connection, end)
            record_refusals(connection, refused, uids, end.at)
            return uids

        return self._ends.run(step)

    def examine_due(self) -> int:
        """Decide on every series whose settle time is over; return how many.

        Peers are asked in other threads, so that a slow peer delays no other series.
        """
        now = self._ledger.clock()
        with self._ledger.reading() as connection:
            due, alone = due_series(connection, now), orphans(connection)
        due = [row for row in due if not self._waits_for_files(row.series_instance_uid)]
        if alone:
            with self._ledger.writing() as connection:
                ready_at = now + self._configuration.completion.settle_s
                settle_orphans(connection, now=now, ready_at=ready_at)
        self._asking = {name: one for name, one in self._asking.items() if not one.done()}
        settings = self._configuration.completion
        return sum(self._begin(row) for row in due if not is_too_soon(self._ledger, row, settings))

    def _begin(self, row: SeriesRow) -> bool:
        """Examine a series, or ask its sender first; False while that is asked about another."""
        is_whole = row.released_by_person or self._is_by_name(row)
        peer = None if is_whole else peer_to_ask(self._configuration, row.sender)
        if not isinstance(peer, Peer):
            self._examine(row, peer)
            return True
        if peer.name in self._asking:
            return False
        self._asking[peer.name] = self._pool.submit(self._ask_and_examine, peer, row)
        return True

    def _is_by_name(self, row: SeriesRow) -> bool:
        """True if only jobs requested by name wait: folders are complete, so nobody is asked."""
        with self._ledger.reading() as connection:
            return wants_by_name_alone(connection, row.series_instance_uid)

    def stop(self) -> None:
        """Wait for questions to peers that are under way, and drop the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask_and_examine(self, peer: Peer, row: SeriesRow) -> None:
        try:
            self._examine(row, ask_for_count(self._count, peer, row))
        except SlicewireError as error:
            log.error("series not examined", reason=str(error))
        except Exception as error:  # noqa: BLE001, it stays due: the next round tries again
            log.error("series not examined", fault=explain_fault(error))

    def _examine(self, row: SeriesRow, expected_count: ExpectedCount | None) -> None:
        uid = row.series_instance_uid
        with self._ledger.reading() as connection:
            instances = instances_of(connection, uid)
            checks = completeness_of(connection, uid, partial(settle_s, self._configuration))
        here = sum(not one.differs for one in instances)
        missing = missing_words(expected_count, here) if expected_count is not None else ""
        if missing and not waited_long_enough(
            row, self._configuration.completion, self._ledger.clock()
        ):
            self._wait_for_rest(row, expected_count, missing)
            return
        if missing:
            checks = replace(checks, missing=f"{missing}, and no more came")
        elif expected_count is not None and expected_count.expected == here:
            checks = replace(checks, cut_off=0, refused="", whole=())  # nothing can be missing
        judged = self._judge(row, instances, checks)
        if isinstance(judged, HeldError):
            self._hold(row, judged, expected_count)
        else:
            self._decide(row, judged, expected_count, checks.whole)

    def _judge(
        self, row: SeriesRow, instances: Sequence[StoredInstance], checks: CompletenessChecks
    ) -> Judged | HeldError:
        """Judge the requests of a series, or return why it is held; also for unforeseen errors."""
        with self._ledger.reading() as connection:
            requests = requests_of(connection, row.series_instance_uid)
        now = self._ledger.clock()
        try:
            check_not_removed(instances, checks.removed)
            return self._judgement.judge(row, instances, checks, requests, now=now)
        except StorageUnavailableError:
            raise  # the node's trouble, not the series': it stays due
        except HeldError as error:
            return error
        except SlicewireError as error:
            return HeldError([hold_of(error)], is_releasable=False)
        except Exception as error:  # noqa: BLE001, one series must not stop the others
            fault = hold_for(HoldReason.NODE, explain_fault(error))
            return HeldError([fault], is_releasable=False)

    def _hold(self, row: SeriesRow, held: HeldError, expected_count: ExpectedCount | None) -> None:
        """Record that a series is held for every request, unless it changed meanwhile."""
        words = str(held)
        now, uid = self._ledger.clock(), row.series_instance_uid
        with self._ledger.writing() as connection:
            if not is_unchanged(connection, row):
                return
            set_state(connection, uid, SeriesState.HELD, words)
            record_holds(connection, uid, held.holds, is_releasable=held.is_releasable)
            if expected_count is not None:
                record_expected_count(connection, uid, expected_count, now)
            record_event(connection, EventKind.HELD, words, now=now, series_instance_uid=uid)
            queue_notice(connection, NoticeKind.HELD, now=now, series_instance_uid=uid, words=words)
        log.warning("series held", series_instance_uid=uid, reason=words)

    def _decide(
        self,
        row: SeriesRow,
        judged: Judged,
        expected_count: ExpectedCount | None,
        whole: Sequence[str] = (),
    ) -> None:
        """Record the decision on each request, unless the series changed meanwhile."""
        now, uid = self._ledger.clock(), row.series_instance_uid
        with self._ledger.writing() as connection:
            if not is_unchanged(connection, row):
                return
            if expected_count is not None:
                record_expected_count(connection, uid, expected_count, now)
            for words in whole:
                record_event(connection, EventKind.WHOLE, words, now=now, series_instance_uid=uid)
            self._decisions.record(connection, uid, judged)

    def _wait_for_rest(
        self, row: SeriesRow, expected_count: ExpectedCount | None, missing: str
    ) -> None:
        now, uid = self._ledger.clock(), row.series_instance_uid
        until = now + self._configuration.completion.recount_s
        expected = (
            0 if expected_count is None or not expected_count.expected else expected_count.expected
        )
        with self._ledger.writing() as connection:
            if not is_unchanged(connection, row):
                return
            wait_for_rest(connection, row, expected=expected, reason=missing, now=now, until=until)
            if missing != row.reason:
                record_event(
                    connection, EventKind.WAITING, missing, now=now, series_instance_uid=uid
                )
