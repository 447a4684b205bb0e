"""Deliver results: one job's at a time to each peer, with a row for each instance and peer.

Every peer has its own thread, so that one that does not answer never delays another. A delivery
that waits for its next attempt is a row, and no thread.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from core.config.settings import Configuration
from core.errors import StorageUnavailableError, explain_fault
from network.scu.association import Timeouts
from network.scu.c_store import InstanceToSend, SendOutcome, State, send
from network.scu.transcoder import Transcoder
from node.delivery.addresses import address_now
from node.delivery.attempt import MOST_FAILURES, Attempt, Attempted, is_failure, is_final
from node.delivery.committed import committed_instances, is_received
from node.delivery.conclusion import conclude, tell_not_accepted
from node.follower import Follower
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
from node.withholding import as_known

log = structlog.get_logger("delivery")


class _StoppedError(Exception):
    """The node stops: the association is aborted between two instances."""


class Delivery(Follower):
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
        attempt = Attempt({instance.sop_instance_uid: one for one, instance in sendable})
        try:
            self._send(attempt, [instance for _, instance in sendable], destination)
            if results := attempt.past_images():
                self._send(attempt, results, destination)
        finally:  # what failed is judged when it is known whether something was stored
            for one, outcome in attempt.failures():
                self._try_later(one, outcome.words, begun_at, is_failure=is_failure(outcome))
        self._tell(pending, destination, attempt.attempted())

    def _send(
        self, attempt: Attempt, instances: Sequence[InstanceToSend], destination: Destination
    ) -> None:
        send(
            instances,
            as_known(address_now(self._configuration, destination), self._ledger),
            self._configuration.ae_title,
            on_outcome=lambda outcome: self._record(attempt, outcome),
            timeouts=Timeouts(response_s=self._configuration.delivery.timeout_s),
            transcoder=self._transcoder,
        )

    def _record(self, attempt: Attempt, outcome: SendOutcome) -> None:
        pending = attempt.take(outcome)
        if self._holds(pending, outcome):
            self._settle(pending, DeliveryState.STORED, outcome.words)
        elif is_final(outcome):
            self._settle(pending, DeliveryState.REFUSED, outcome.words)
        if self._stopping.is_set():
            raise _StoppedError("it continues at the next start")
        with self._ledger.reading() as connection:
            if is_cancelled(connection, pending):
                raise _StoppedError("cancelled by a person")

    def _holds(self, pending: PendingDelivery, outcome: SendOutcome) -> bool:
        """True if the peer has the instance, by its status and `delivery.duplicate_is_stored`.

        An image that was received is the peer's as well as ours: a duplicate is no conflict.
        """
        duplicate_counts = self._configuration.delivery.duplicate_is_stored or is_received(pending)
        return outcome.is_stored or (outcome.state is State.DUPLICATE and duplicate_counts)

    def _settle(self, pending: PendingDelivery, state: DeliveryState, words: str) -> None:
        asks_for_proof, now = self._asks_for_proof(pending.peer), self._ledger.clock()
        with self._ledger.writing() as connection:
            settle_delivery(connection, pending, state=state, words=words, now=now)
            conclude(connection, pending, asks_for_proof=asks_for_proof, now=now)

    def _try_later(
        self, pending: PendingDelivery, words: str, begun_at: float, *, is_failure: bool = False
    ) -> None:
        """Postpone or give up; an attempt that stored some of the results counts as the first.

        With `is_failure` the peer failed to process the instance, which is tried a few times only.
        """
        policy, now = self._configuration.retry_of(pending.peer), self._ledger.clock()
        with self._ledger.reading() as connection:
            if is_cancelled(connection, pending):
                return
            stored_at = last_stored_at(connection, pending)
        failures = pending.failures + is_failure
        if failures >= MOST_FAILURES:
            self._settle(pending, DeliveryState.REFUSED, f"{words}; tried {failures} times")
            return
        has_progress = begun_at <= stored_at <= now
        attempts = 1 if has_progress else pending.attempts + 1
        until = policy.next(attempts, max(pending.created_at, stored_at), now)
        if until is None:
            self._settle(pending, DeliveryState.GIVEN_UP, words)
            return
        with self._ledger.writing() as connection:
            failed = replace(pending, attempts=attempts, failures=failures)
            postpone_delivery(connection, failed, words=words, until=until)

    def _asks_for_proof(self, name: str) -> bool:
        """True if the peer is configured with a `proof`; --scu_ip alone names no such peer."""
        peers = self._configuration.peers
        return any(one.name == name and one.proof != "none" for one in peers)

    def _tell(
        self,
        pending: Sequence[PendingDelivery],
        destination: Destination,
        attempted: Sequence[Attempted],
    ) -> None:
        """Record the outcome of an attempt as an event, in words."""
        missing = [outcome for one, outcome in attempted if not self._holds(one, outcome)]
        stored = len(attempted) - len(missing)
        words = f"{destination.peer}: {stored} of {len(pending)} instances stored"
        if missing:
            first = missing[0]
            words += f"; first that was not: {first.instance.sop_instance_uid}, {first.words}"
        is_all = stored == len(pending)
        kind = EventKind.DELIVERED if is_all else EventKind.NOT_DELIVERED
        job_id = pending[0].job_id
        with self._ledger.writing() as connection:
            job = find_job(connection, job_id)
            uid = "" if job is None else job.request.series_instance_uid
            now = self._ledger.clock()
            record_event(connection, kind, words, now=now, series_instance_uid=uid)
            not_accepted = [one.words for one in missing if one.state is State.NOT_ACCEPTED]
            tell_not_accepted(connection, pending[0], not_accepted, now=now)
        (log.info if is_all else log.warning)(kind, job_id=job_id[:12], result=words)
