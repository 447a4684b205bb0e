"""Pushing results: one association for each result set, a record for each instance and peer.

Every peer has its own thread, so that a dead one never holds up another; a delivery that waits for
its next attempt is a row, not a thread.
"""

import hashlib
import random
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from sqlalchemy import Connection

from core.config import Configuration
from core.errors import NotADataSetError, explain_fault
from node.ledger.database import Ledger
from node.ledger.deliveries import (
    GIVEN_UP,
    REFUSED,
    STORED,
    WAITING,
    Parcel,
    delivery_states,
    due_jobs,
    postpone_parcel,
    settle_parcel,
    waiting_parcels,
)
from node.ledger.events import record_event
from node.ledger.jobs import Destination, find_job
from node.ledger.notices import DEAD_LETTER, queue_notice
from node.ledger.proofs import queue_proof
from node.outgoing import InstanceToSend, instance_to_send
from node.requestor import PeerAddress, Timeouts
from node.scu import SendOutcome, State, send

_JITTER = 0.2
_HOUR_S = 3600.0
_FEWEST_ATTEMPTS = 10
"""Before giving up, so that a node that was off for days gives up nothing at its start."""

log = structlog.get_logger("delivery")


class _StoppedError(Exception):
    """The node stops: the association is aborted between two instances."""


class Delivery:
    """Sends what the ledger says is due."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._busy: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start_due(self) -> list[threading.Thread]:
        """Begin to send to every peer that has something due and is not being sent to."""
        with self._ledger.reading() as connection:
            due = due_jobs(connection, self._ledger.clock())
        return [
            thread
            for job_id, destination in due
            if (thread := self._start(job_id, destination)) is not None
        ]

    def stop(self) -> None:
        """End after the instances in flight; the rest of their results stays in the ledger."""
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
            self._busy[destination.peer] = thread
        thread.start()
        return thread

    def _deliver_and_free(self, job_id: str, destination: Destination) -> None:
        try:
            self.deliver(job_id, destination)
        except _StoppedError:
            log.info("delivery goes on at the next start", job_id=job_id[:12])
        except Exception as error:  # noqa: BLE001, the next round tries again
            log.error("delivery broke off", peer=destination.peer, fault=explain_fault(error))
        finally:
            with self._lock:
                self._busy.pop(destination.peer, None)

    def deliver(self, job_id: str, destination: Destination) -> None:
        """One attempt to bring a job's results to a peer, on one association."""
        with self._ledger.reading() as connection:
            parcels = waiting_parcels(connection, job_id, destination.peer)
        sendable, by_uid = self._open(parcels)
        outcomes = send(
            sendable,
            PeerAddress(destination.ip, destination.port, destination.ae_title),
            self._configuration.ae_title,
            on_outcome=lambda outcome: self._record(
                by_uid[outcome.instance.sop_instance_uid], outcome
            ),
            timeouts=Timeouts(response_s=self._configuration.delivery.timeout_s),
        )
        self._conclude(job_id, destination, outcomes)

    def _open(self, parcels: Sequence[Parcel]) -> tuple[list[InstanceToSend], dict[str, Parcel]]:
        sendable, by_uid = [], {}
        for parcel in parcels:
            path = self._configuration.storage_path / parcel.path
            try:
                instance = instance_to_send(path)
                is_changed = bool(parcel.sha256) and parcel.sha256 != _file_hash(path)
            except (NotADataSetError, OSError) as error:
                self._settle(parcel, GIVEN_UP, f"file cannot be read: {type(error).__name__}")
                continue
            if is_changed:
                self._settle(parcel, GIVEN_UP, "file is not the one that was committed: not sent")
                continue
            sendable.append(instance)
            by_uid[instance.sop_instance_uid] = parcel
        return sendable, by_uid

    def _record(self, parcel: Parcel, outcome: SendOutcome) -> None:
        if self._holds(outcome):
            self._settle(parcel, STORED, outcome.words)
        elif outcome.state in (State.REFUSED, State.DUPLICATE):
            self._settle(parcel, REFUSED, outcome.words)
        else:
            self._try_later(parcel, outcome.words)
        if self._stopping.is_set():
            raise _StoppedError

    def _holds(self, outcome: SendOutcome) -> bool:
        """Whether the peer has the instance now, by what it says and what it is set to mean."""
        duplicate_counts = self._configuration.delivery.duplicate_is_stored
        return outcome.is_stored or (outcome.state is State.DUPLICATE and duplicate_counts)

    def _settle(self, parcel: Parcel, state: str, words: str) -> None:
        with self._ledger.writing() as connection:
            settle_parcel(connection, parcel, state=state, words=words, now=self._ledger.clock())

    def _try_later(self, parcel: Parcel, words: str) -> None:
        settings, now = self._configuration.delivery, self._ledger.clock()
        too_late = now - parcel.created_at > settings.give_up_after_h * _HOUR_S
        if too_late and parcel.attempts + 1 >= _FEWEST_ATTEMPTS:
            self._settle(parcel, GIVEN_UP, words)
            return
        wait = min(settings.first_retry_s * 2**parcel.attempts, settings.longest_retry_s)
        until = now + wait * random.uniform(1 - _JITTER, 1 + _JITTER)
        with self._ledger.writing() as connection:
            postpone_parcel(connection, parcel, words=words, until=until)

    def _record_dead_letters(
        self, connection: Connection, job_id: str, destination: Destination, uid: str
    ) -> None:
        """What was refused or given up waits for a person, who is told once nothing else waits."""
        now = self._ledger.clock()
        states = [
            one for one in delivery_states(connection, job_id) if one.peer == destination.peer
        ]
        dead = [one for one in states if one.state in (REFUSED, GIVEN_UP)]
        if not dead or any(one.state == WAITING for one in states):
            return
        words = f"{destination.peer}: " + "; ".join(
            f"{one.count} instances {one.state} ({one.words})" for one in dead
        )
        record_event(connection, "dead letter", words, now=now, series_instance_uid=uid)
        queue_notice(
            connection,
            DEAD_LETTER,
            now=now,
            series_instance_uid=uid,
            job_id=job_id,
            words=words,
        )

    def _asks_for_proof(self, destination: Destination) -> bool:
        """Only a configured peer is asked; --scu_ip may be anything."""
        peers = self._configuration.peers
        return any(one.name == destination.peer and one.proof != "none" for one in peers)

    def _conclude(
        self, job_id: str, destination: Destination, outcomes: Sequence[SendOutcome]
    ) -> None:
        stored = sum(self._holds(outcome) for outcome in outcomes)
        words = f"{destination.peer}: {stored} of {len(outcomes)} instances stored"
        missing = next((one for one in outcomes if not self._holds(one)), None)
        if missing is not None:
            words += f"; first that was not: {missing.instance.sop_instance_uid}, {missing.words}"
        with self._ledger.writing() as connection:
            job = find_job(connection, job_id)
            uid = "" if job is None else job.request.series_instance_uid
            now = self._ledger.clock()
            kind = "delivered" if missing is None else "not delivered"
            record_event(connection, kind, words, now=now, series_instance_uid=uid)
            if missing is None and self._asks_for_proof(destination):
                queue_proof(connection, job_id, destination.peer, now)
            self._record_dead_letters(connection, job_id, destination, uid)
        (log.info if missing is None else log.warning)(kind, job_id=job_id[:12], result=words)


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
