"""Storage commitment as SCP (PS3.4 Annex J), for peers that sent instances."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog
from pynetdicom import build_context

from core.config.routing import Peer
from core.config.settings import Configuration
from core.errors import SendError, StorageUnavailableError, explain_fault
from network.optional_items import OptionalItem
from network.scu import storage_commitment as messages
from network.scu.addresses import address_of
from network.scu.association import Timeouts, associate
from network.scu.leaving_out import with_less
from network.scu.peer_address import PeerAddress
from network.sender import Sender
from network.which_peer import which_peer
from node.delivery.hashes import content_hash
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.row_states import CommitmentState
from node.ledger.tables.commitments import (
    Commitment,
    KeptInstance,
    due_commitments,
    kept_instances,
    postpone_commitment,
    record_answer,
    request_commitment,
    settle_commitment,
)
from node.ledger.tables.events import record_event
from node.withholding import as_known

_TIMEOUTS = Timeouts(connect_s=10.0, associate_s=30.0, response_s=30.0)

log = structlog.get_logger("commitment")


class StorageCommitmentScp(Follower):
    """Takes requests of configured peers, checks the instances they name, and reports."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        *,
        make_now: Callable[[str, str], None] = lambda _, __: None,
    ) -> None:
        """`make_now` makes the file of a path and SHA-256, if it is still to be made."""
        self._configuration = configuration
        self._ledger = ledger
        self._make_now = make_now

    def peer_that_may_ask(self, sender: Sender) -> Peer | None:
        """The configured peer that a sender is, if storage commitment is enabled for it.

        None if the sender is ambiguous: the report could be sent to another peer.
        """
        which = which_peer(self._configuration.peers, sender)
        if which.is_ambiguous:
            log.warning("sender ambiguous", reason=which.words)
        peer = which.peer
        return peer if peer is not None and peer.storage_commitment else None

    def take_request(self, peer: Peer, transaction_uid: str, references: Mapping[str, str]) -> None:
        """Record a request, before it is answered.

        Raises:
            StorageUnavailableError: the ledger cannot take it now.
        """
        now = self._ledger.clock()
        with self._ledger.writing() as connection:
            request_commitment(
                connection, peer.name, transaction_uid, references=references, now=now
            )
            words = f"{peer.name} asks for storage commitment of {len(references)} instances"
            record_event(connection, EventKind.COMMITMENT, words, now=now)

    def answer_due(self) -> int:
        """Check and report every request that is due.

        A peer that cannot be reached costs one attempt a round, however many requests it has.

        Returns:
            The number of requests that were due.
        """
        away: dict[str, str] = {}
        with self._ledger.reading() as connection:
            due = due_commitments(connection, self._ledger.clock())
        for one in due:
            try:
                commitment = self._check(one) if one.state == CommitmentState.WAITING else one
                words = away.get(one.peer) or self._answer(commitment)
            except StorageUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001, one must not stop the others
                self._postpone(one, explain_fault(error))
                continue
            if words:
                away[one.peer] = words
                self._postpone(commitment, words)
        return len(due)

    def _check(self, commitment: Commitment) -> Commitment:
        kept, failures = [], {}
        for uid, sop_class_uid in commitment.references.items():
            with self._ledger.reading() as connection:
                found = kept_instances(connection, uid)
            of_class = [one for one in found if one.sop_class_uid == sop_class_uid]
            whole = [one for one in of_class if self._is_whole(one)]
            if whole:
                kept += [one.key for one in whole]
            elif found and not of_class:
                failures[uid] = messages.CLASS_CONFLICT
            else:
                failures[uid] = messages.NO_SUCH_INSTANCE
        with self._ledger.writing() as connection:
            now = self._ledger.clock()
            record_answer(connection, commitment, kept=kept, failures=failures, now=now)
            words = f"{commitment.peer}: {len(kept)} instances committed, {len(failures)} not"
            record_event(connection, EventKind.COMMITMENT, words, now=now)
        return replace(commitment, failures=failures)

    def _is_whole(self, kept: KeptInstance) -> bool:
        """True if the file still has the bytes that were received."""
        path = self._configuration.storage_path / kept.path
        try:
            self._make_now(kept.path, kept.sha256)
            return content_hash(path, kept.transfer_syntax_uid) == kept.sha256
        except Exception as error:  # noqa: BLE001, whatever it is, the file is not whole
            log.error("instance to commit is damaged", fault=type(error).__name__)
            return False

    def _answer(self, commitment: Commitment) -> str:
        """Report to the peer; returns why that failed, or an empty text."""
        peers = {peer.name: peer for peer in self._configuration.peers}
        peer = peers.get(commitment.peer)
        try:
            if peer is None:
                raise SendError(f"{commitment.peer} is no configured peer any more")
            self._report(peer, commitment)
        except SendError as error:
            return str(error)
        with self._ledger.writing() as connection:
            now = self._ledger.clock()
            settle_commitment(
                connection, commitment, state=CommitmentState.REPORTED, words="", now=now
            )
        log.info("commitment reported", peer=commitment.peer)
        return ""

    def _report(self, peer: Peer, commitment: Commitment) -> None:
        """Send an N-EVENT-REPORT on a new association, in the role of the SCP (PS3.4 J.3.3)."""
        with_less(
            as_known(address_of(peer), self._ledger),
            (OptionalItem.ROLES, OptionalItem.VERSION),
            lambda address, _: self._report_to(address, commitment),
        )

    def _report_to(self, address: PeerAddress, commitment: Commitment) -> None:
        failures = commitment.failures
        event_type = messages.FAILURES_EXIST if failures else messages.ALL_COMMITTED
        with associate(
            address,
            self._configuration.ae_title,
            [build_context(messages.PUSH_MODEL)],
            _TIMEOUTS,
            roles={messages.PUSH_MODEL: (False, True)},
        ) as dialogue:
            messages.report_commitment(
                dialogue,
                messages.report(commitment.transaction_uid, commitment.references, failures),
                event_type,
            )

    def _postpone(self, commitment: Commitment, words: str) -> None:
        now = self._ledger.clock()
        policy = replace(self._configuration.retry_of(commitment.peer), fewest_attempts=1)
        until = policy.next(commitment.attempts + 1, commitment.created_at, now)
        with self._ledger.writing() as connection:
            if until is None:
                settle_commitment(
                    connection, commitment, state=CommitmentState.GIVEN_UP, words=words, now=now
                )
                record_event(connection, EventKind.COMMITMENT_GIVEN_UP, words, now=now)
                return
            postpone_commitment(connection, commitment, words=words, until=until)
        log.warning("commitment not reported", peer=commitment.peer, reason=words)
