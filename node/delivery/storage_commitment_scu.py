"""Proof that peers keep results: by storage commitment (PS3.4 Annex J), or by C-FIND."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pydicom
import structlog
from pydicom.uid import generate_uid
from pynetdicom import build_context
from sqlalchemy import Connection

from core.config.routing import Peer
from core.config.settings import Configuration
from core.errors import NotOfferedError, SendError, StorageUnavailableError, explain_fault
from network.optional_items import OptionalItem
from network.scu import storage_commitment as messages
from network.scu.addresses import address_for_queries, address_of
from network.scu.association import Timeouts, associate
from network.scu.c_find import found_instances
from network.scu.leaving_out import with_less
from network.scu.peer_address import PeerAddress
from network.upper_layer.association import decode_data_set
from network.upper_layer.dimse import N_EVENT_REPORT_RQ, UNRECOGNIZED_OPERATION
from network.upper_layer.messages import Message
from node.delivery.commitment_reports import answer_report
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.requests.jobs import find_job
from node.ledger.row_states import NoticeKind, ProofMethod, ProofState
from node.ledger.tables.events import record_event
from node.ledger.tables.notices import queue_notice
from node.ledger.tables.proofs import (
    Proof,
    begin_transaction,
    confirm,
    delivered_paths,
    delivered_uids,
    due_proofs,
    find_transaction,
    postpone_proof,
    send_missing,
    settle_proof,
)
from node.withholding import as_known

_METHODS = {
    "auto": (ProofMethod.COMMITMENT, ProofMethod.QUERY),
    "commitment": (ProofMethod.COMMITMENT,),
    "query": (ProofMethod.QUERY,),
}
_BY = {ProofMethod.COMMITMENT: "by storage commitment", ProofMethod.QUERY: "as C-FIND shows"}
_TAGS = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
_TIMEOUTS = Timeouts(connect_s=10.0, associate_s=30.0, response_s=60.0)
_HOUR_S = 3600.0

log = structlog.get_logger("proof")


class StorageCommitmentScu(Follower):
    """Asks the peers of finished deliveries whether they keep the instances they stored."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._waiting: dict[str, threading.Event] = {}

    def ask_due(self) -> int:
        """Ask for every proof that is due.

        A peer that cannot be reached costs one attempt a round, however many proofs it owes.

        Returns:
            The number of proofs that were due.
        """
        away: dict[str, str] = {}
        with self._ledger.reading() as connection:
            due = due_proofs(connection, self._ledger.clock())
        for proof in due:
            if proof.state == ProofState.ASKED:
                self._postpone(proof, f"{proof.peer} gave no answer in time")
                continue
            words = away.get(proof.peer) or self._try_to_ask(proof)
            if words:
                away[proof.peer] = words
                self._postpone(proof, words)
        return len(due)

    def _try_to_ask(self, proof: Proof) -> str:
        try:
            return self._ask(proof)
        except StorageUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001, one must not stop the others
            return explain_fault(error)

    def take_report(self, report: messages.Report) -> bool:
        """Record a peer's report; False if no request has its Transaction UID.

        Raises:
            StorageUnavailableError: the ledger cannot take it now.
        """
        with self._ledger.writing() as connection:
            proof = find_transaction(connection, report.transaction_uid)
            if proof is None:
                return False
            if proof.state in (ProofState.WAITING, ProofState.ASKED):  # else it is answered already
                self._conclude(connection, proof, ProofMethod.COMMITMENT, set(report.committed))
        waiting = self._waiting.get(report.transaction_uid)
        if waiting is not None:
            waiting.set()
        return True

    def _ask(self, proof: Proof) -> str:
        """Ask by the first method that the peer offers; returns why that failed, or ""."""
        peer = next((one for one in self._configuration.peers if one.name == proof.peer), None)
        methods = () if peer is None else _METHODS.get(peer.proof, ())
        if proof.method == ProofMethod.COMMITMENT and proof.attempts:  # which was not answered
            methods = methods[::-1]
        for method in methods:
            assert peer is not None
            try:
                self._ask_by(method, peer, proof)
            except NotOfferedError:
                continue
            except (SendError, OSError) as error:
                return str(error)
            return ""
        self._settle(proof, ProofState.NOT_OFFERED, f"{proof.peer} offers no proof")
        return ""

    def _ask_by(self, method: ProofMethod, peer: Peer, proof: Proof) -> None:
        with self._ledger.reading() as connection:
            paths = delivered_paths(connection, proof)
        storage = self._configuration.storage_path
        headers = [_identifiers(storage / path) for path in paths]
        if method == ProofMethod.COMMITMENT:
            references = {str(one.SOPInstanceUID): str(one.SOPClassUID) for one in headers}
            self._request_commitment(peer, proof, references)
            return
        found = self._look_up(peer, headers)
        with self._ledger.writing() as connection:
            self._conclude(connection, proof, ProofMethod.QUERY, found)

    def _request_commitment(self, peer: Peer, proof: Proof, references: Mapping[str, str]) -> None:
        """Send an N-ACTION; the report may come on this association, or on one of the peer's."""
        with_less(
            as_known(address_of(peer), self._ledger),
            (OptionalItem.VERSION,),
            lambda address, _: self._request_at(address, proof, references),
        )

    def _request_at(
        self, address: PeerAddress, proof: Proof, references: Mapping[str, str]
    ) -> None:
        answered, settings = threading.Event(), self._configuration.proof
        asking = associate(
            address,
            self._configuration.ae_title,
            [build_context(messages.PUSH_MODEL)],
            _TIMEOUTS,
            on_request=self._on_report,
        )
        with ExitStack() as stack, asking as dialogue:
            transaction_uid = proof.transaction_uid or str(generate_uid())
            until = self._ledger.clock() + settings.answer_within_h * _HOUR_S
            with self._ledger.writing() as connection:
                begin_transaction(connection, proof, transaction_uid, until)
            self._waiting[transaction_uid] = answered
            stack.callback(self._waiting.pop, transaction_uid)
            messages.request_commitment(dialogue, transaction_uid, references)
            dialogue.serve_until(answered.is_set, settings.answer_on_association_s)

    def _on_report(self, message: Message) -> int:
        """Take a report on the association of its request; returns the status."""
        if message.command.field != N_EVENT_REPORT_RQ:
            return UNRECOGNIZED_OPERATION
        return answer_report(
            message.command.type_id,
            lambda: decode_data_set(message.content, message.context),
            self.take_report,
        )

    def _look_up(self, peer: Peer, headers: list[pydicom.Dataset]) -> set[str]:
        """SOP Instance UIDs that C-FIND finds, with one query for each series."""
        by_series: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in headers:
            series = (str(one.StudyInstanceUID), str(one.SeriesInstanceUID))
            by_series[series].append(str(one.SOPInstanceUID))
        found: set[str] = set()
        for study_uid, series_uid in by_series:
            found |= found_instances(
                as_known(address_for_queries(peer), self._ledger),
                self._configuration.ae_title,
                study_instance_uid=study_uid,
                series_instance_uid=series_uid,
            )
        return found

    def _conclude(
        self, connection: Connection, proof: Proof, method: ProofMethod, found: set[str]
    ) -> None:
        """Record what the peer has; what it lacks is sent again once, then left to a person."""
        now, uids = self._ledger.clock(), delivered_uids(connection, proof)
        confirm(connection, proof, uids & found, now)
        missing = uids - found
        words = f"{proof.peer} holds {len(uids & found)} of {len(uids)} instances {_BY[method]}"
        state = ProofState.CONFIRMED
        if missing and not proof.sent_again:
            send_missing(connection, proof, missing, now)
            state, words = ProofState.SENT_AGAIN, f"{words}; what it lacks is sent again"
        elif missing:
            state, words = ProofState.MISSING, f"{words}; first that it lacks: {min(missing)}"
        if settle_proof(connection, proof, state=state, words=words, now=now, method=method):
            self._record(connection, proof, state, words)

    def _settle(self, proof: Proof, state: ProofState, words: str) -> None:
        with self._ledger.writing() as connection:
            now = self._ledger.clock()
            if settle_proof(connection, proof, state=state, words=words, now=now):
                self._record(connection, proof, state, words)

    def _record(self, connection: Connection, proof: Proof, state: ProofState, words: str) -> None:
        now, job = self._ledger.clock(), find_job(connection, proof.job_id)
        uid = "" if job is None else job.request.series_instance_uid
        record_event(
            connection, EventKind(f"proof {state}"), words, now=now, series_instance_uid=uid
        )
        if state in (ProofState.MISSING, ProofState.GIVEN_UP):
            queue_notice(
                connection,
                NoticeKind.DEAD_LETTER,
                now=now,
                series_instance_uid=uid,
                job_id=proof.job_id,
                words=words,
            )
        log.info(f"proof {state}", job_id=proof.job_id[:12], result=words)

    def _postpone(self, proof: Proof, words: str) -> None:
        policy, now = self._configuration.retry_of(proof.peer), self._ledger.clock()
        if proof.state == ProofState.ASKED:  # the peer had all the time for its answer
            policy = replace(policy, fewest_attempts=1)
        until = policy.next(proof.attempts + 1, proof.created_at, now)
        if until is None:
            self._settle(proof, ProofState.GIVEN_UP, words)
            return
        with self._ledger.writing() as connection:
            postpone_proof(connection, proof, words=words, until=until)
        log.warning("proof not asked", job_id=proof.job_id[:12], reason=words)


def _identifiers(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(path, specific_tags=_TAGS, stop_before_pixels=True)
