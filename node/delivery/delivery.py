"""Deliver results: one job's at a time to each peer, with a row for each instance and peer.

Every peer has its own thread, so that one that does not answer never delays another. A delivery
that waits for its next attempt is a row, and no thread.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress

import structlog

from core.config.settings import Configuration
from core.errors import StorageUnavailableError, explain_fault
from network.scu.association import Timeouts
from network.scu.c_store import SendOutcome, State, send
from network.scu.transcoder import Transcoder
from node.delivery.addresses import address_now
from node.delivery.committed import committed_instances
from node.delivery.conclusion import conclude
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import Destination, find_job
from node.ledger.row_states import DeliveryState
from node.ledger.tables.deliveries import (
    PendingDelivery,
    due_jobs,
    is_cancelled,
    last_stored_at,
    pending_deliveries,
    postpone_delivery,
    settle_delivery,
)
from node.ledger.tables.events import record_event

log = structlog.get_logger("delivery")


class _StoppedError(Exception):
    """The node stops: the association is aborted between two instances."""


class Delivery:
    """Sends the deliveries that are due in the ledger."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, transcoder: Transcoder | None = None
    ) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._transcoder = transcoder
        self._busy: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start_due(self) -> list[threading.Thread]:
        """Start a thread for each peer with a delivery due, unless one is sending to it."""
        with self._ledger.reading() as connection:
            due = due_jobs(connection, self._ledger.clock())
        return [
            thread
            for job_id, destination in due
            if (thread := self._start(job_id, destination)) is not None
        ]

    def stop(self) -> None:
        """End sending after the next outcome; the other deliveries stay in the ledger."""
        self._stopping.set()
        with self._lock:
            threads = list(self._busy.values())
        for thread in threads:
            thread.join()

    def _start(self, job_id: str, destination: Destination) -> threading.Thread | None:
        with self._lock:
            if destination.peer in self._busy:
                return None
            thread = threading.Thread(
                target=self._deliver_and_free,
                args=(job_id, destination),
                name=f"delivery to {destination.peer}",
            )
            thread.start()  # raises RuntimeError if the system has no more threads
            self._busy[destination.peer] = thread
        return thread

    def _deliver_and_free(self, job_id: str, destination: Destination) -> None:
        begun_at = self._ledger.clock()
        try:
            self.deliver(job_id, destination)
        except _StoppedError as reason:
            log.info(f"delivery ended: {reason}", job_id=job_id[:12])
        except Exception as error:  # noqa: BLE001, it is tried again later
            log.error("delivery broke off", peer=destination.peer, fault=explain_fault(error))
            self._postpone(job_id, destination, explain_fault(error), begun_at)
        finally:
            with self._lock:
                self._busy.pop(destination.peer, None)

    def _postpone(self, job_id: str, destination: Destination, words: str, begun_at: float) -> None:
        with suppress(StorageUnavailableError):
            with self._ledger.reading() as connection:
                pending = pending_deliveries(connection, job_id, destination.peer)
            for one in pending:
                self._try_later(one, words, begun_at)

    def deliver(self, job_id: str, destination: Destination) -> None:
        """Attempt to send a job's results to a peer, and record the outcome of each instance."""
        begun_at = self._ledger.clock()
        with self._ledger.reading() as connection:
            pending = pending_deliveries(connection, job_id, destination.peer)
        if not pending:  # cancelled by a person in between
            return
        sendable, unusable = committed_instances(pending, self._ledger, self._configuration)
        for one, words in unusable:
            self._settle(one, DeliveryState.GIVEN_UP, words)
        by_uid = {instance.sop_instance_uid: one for one, instance in sendable}
        outcomes = send(
            [instance for _, instance in sendable],
            address_now(self._configuration, destination),
            self._configuration.ae_title,
            on_outcome=lambda outcome: self._record(
                by_uid[outcome.instance.sop_instance_uid], outcome, begun_at
            ),
            timeouts=Timeouts(response_s=self._configuration.delivery.timeout_s),
            transcoder=self._transcoder,
        )
        self._tell(pending, destination, outcomes)

    def _record(self, pending: PendingDelivery, outcome: SendOutcome, begun_at: float) -> None:
        if self._holds(outcome):
            self._settle(pending, DeliveryState.STORED, outcome.words)
        elif outcome.state in (State.REFUSED, State.DUPLICATE):
            self._settle(pending, DeliveryState.REFUSED, outcome.words)
        else:
            self._try_later(pending, outcome.words, begun_at)
        if self._stopping.is_set():
            raise _StoppedError("it continues at the next start")
        with self._ledger.reading() as connection:
            if is_cancelled(connection, pending):
                raise _StoppedError("cancelled by a person")

    def _holds(self, outcome: SendOutcome) -> bool:
        """True if the peer has the instance, by its status and `delivery.duplicate_is_stored`."""
        duplicate_counts = self._configuration.delivery.duplicate_is_stored
        return outcome.is_stored or (outcome.state is State.DUPLICATE and duplicate_counts)

    def _settle(self, pending: PendingDelivery, state: DeliveryState, words: str) -> None:
        asks_for_proof, now = self._asks_for_proof(pending.peer), self._ledger.clock()
        with self._ledger.writing() as connection:
            settle_delivery(connection, pending, state=state, words=words, now=now)
            conclude(connection, pending, asks_for_proof=asks_for_proof, now=now)

    def _try_later(self, pending: PendingDelivery, words: str, begun_at: float) -> None:
        """Postpone or give up; an attempt that stored some of the results counts as the first."""
        policy, now = self._configuration.retry_of(pending.peer), self._ledger.clock()
        with self._ledger.reading() as connection:
            stored_at = last_stored_at(connection, pending)
        has_progress = begun_at <= stored_at <= now
        attempts = 1 if has_progress else pending.attempts + 1
        until = policy.next(attempts, max(pending.created_at, stored_at), now)
        if until is None:
            self._settle(pending, DeliveryState.GIVEN_UP, words)
            return
        with self._ledger.writing() as connection:
            postpone_delivery(connection, pending, words=words, attempts=attempts, until=until)

    def _asks_for_proof(self, name: str) -> bool:
        """True if the peer is configured with a `proof`; --scu_ip alone names no such peer."""
        peers = self._configuration.peers
        return any(one.name == name and one.proof != "none" for one in peers)

    def _tell(
        self,
        pending: Sequence[PendingDelivery],
        destination: Destination,
        outcomes: Sequence[SendOutcome],
    ) -> None:
        """Record the outcome of an attempt as an event, in words."""
        stored = sum(self._holds(outcome) for outcome in outcomes)
        words = f"{destination.peer}: {stored} of {len(pending)} instances stored"
        missing = next((one for one in outcomes if not self._holds(one)), None)
        if missing is not None:
            words += f"; first that was not: {missing.instance.sop_instance_uid}, {missing.words}"
        is_all = stored == len(pending)
        kind = EventKind.DELIVERED if is_all else EventKind.NOT_DELIVERED
        job_id = pending[0].job_id
        with self._ledger.writing() as connection:
            job = find_job(connection, job_id)
            uid = "" if job is None else job.request.series_instance_uid
            now = self._ledger.clock()
            record_event(connection, kind, words, now=now, series_instance_uid=uid)
        (log.info if is_all else log.warning)(kind, job_id=job_id[:12], result=words)
