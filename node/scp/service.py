"""Verification, Storage and Storage Commitment SCP (PS3.4 Annexes A, B and J) of the node."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

import structlog
from pynetdicom import build_context

from core.config.settings import Configuration
from core.config.wire import Wire
from network.access import AssociationRequest, Rejection, rejection_of
from network.association_limits import AssociationLimits
from network.certificates import expiring
from network.listener import AssociationListener
from network.presentation import listener_contexts, storage_classes
from network.scu.storage_commitment import PUSH_MODEL
from network.sender import Sender
from network.tls import ServerCertificates
from network.upper_layer.negotiation import Supported
from node.follower import Follower
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit
from node.scp.association_record import AssociationRecord, OnEnd
from node.scp.association_services import AssociationServices, CStoreScp
from node.scp.incidents import Incidents
from node.scp.instance_store import InstanceStore
from node.scp.n_action import CommitmentService
from node.scp.refusals import Refusal

LOOPBACK = "127.0.0.1"
_LOOKS_EVERY_S = 0.05
_STOPPED_WITHIN_S = 10.0

log = structlog.get_logger("receive")


class Listener(Follower):
    """Accepts associations and serves them; a `network.listener.Acceptor`."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        instance_store: InstanceStore,
        *,
        on_end: OnEnd,
        commitment: CommitmentService | None = None,
    ) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._instance_store = instance_store
        self._openings = GroupCommit(ledger)
        self._on_end = on_end
        self._commitment = commitment
        self._open: set[AssociationRecord] = set()
        """Associations whose end is not in the ledger."""
        self._lock = threading.Lock()
        self._listeners: list[AssociationListener] = []
        self.tls_address: tuple[str, int] | None = None
        """Address and port of the TLS listener, after `start`."""
        wire = configuration.wire
        self._limits = AssociationLimits(
            wire.maximum_associations, wire.maximum_associations_per_address
        )
        self._incidents = Incidents(ledger)
        self._classes = storage_classes(wire.private_sop_classes)
        self._supported = _supported(wire, commitment is not None)

    def start(self) -> tuple[str, int]:
        """Start to listen on the configured ports.

        Returns:
            IP address and port, for port 0 one that was free; those of TLS if there is no other.

        Raises:
            OSError: an address cannot be listened on.
            ConfigurationError: a certificate cannot be used.
        """
        wire, ip = self._configuration.wire, self._configuration.scp_ip
        certificates = None if wire.tls is None else ServerCertificates(wire.tls)
        for one in expiring(self._configuration):
            log.warning(one.words)
        open_to = {"open": ip, "loopback": LOOPBACK}.get(wire.plain)
        address = None
        if open_to is not None:
            address = self._listen((open_to, self._configuration.scp_port))
        if wire.tls is not None:
            self.tls_address = self._listen((ip, wire.tls.port), certificates)
        return address or cast(tuple[str, int], self.tls_address)

    def drain(self, within_s: float, quiet_s: Callable[[Sender], float]) -> None:
        """Stop listening, and wait up to `within_s` seconds while senders still send.

        A sender from which nothing was received for `quiet_s` seconds is not waited for.
        """
        self._close_listeners()
        until = time.monotonic() + within_s
        while time.monotonic() < until and any(
            association.quiet_s < quiet_s(sender)
            for sender, association in self._limits.associations()
        ):
            time.sleep(_LOOKS_EVERY_S)

    def stop(self) -> None:
        """Stop listening, abort the open associations, and record their ends."""
        self._close_listeners()
        for _, association in self._limits.associations():
            association.stop()
        self._limits.wait_until_free(_STOPPED_WITHIN_S)
        self.reap()

    def reap(self) -> int:
        """Record ends that could not be recorded before; returns how many."""
        with self._lock:
            over = [one for one in self._open if one.is_over]
        return sum(self._retry(record) for record in over)

    def rejection_of(self, request: AssociationRequest, /) -> Rejection | None:
        """Reject a request as the configuration says, or None to accept it."""
        return rejection_of(request, self._configuration)

    def open(self, sender: Sender, /) -> AssociationServices:
        """Record an association that was just accepted; returns the services for its messages."""
        record = AssociationRecord(sender, self._ledger, self._openings, self._report_end)
        with self._lock:
            self._open.add(record)
        record.open()
        log.debug("association accepted")
        return AssociationServices(
            record,
            CStoreScp(self._instance_store, record, self._classes),
            self._commitment,
            on_recorded=self._forget,
        )

    def on_rejected(self, sender: Sender, rejection: Rejection, /) -> None:
        """Record a request that was rejected."""
        fields = (rejection.result, rejection.source, rejection.reason)
        self._incidents.rejected(sender, fields, rejection.words)

    def on_bound(self, address: str, words: str, /) -> None:
        """Record that a connection exceeded a bound, or that there are too many."""
        self._incidents.beyond_bound(address, words)

    def _listen(
        self, address: tuple[str, int], certificates: ServerCertificates | None = None
    ) -> tuple[str, int]:
        listener = AssociationListener(
            self,
            self._supported,
            self._configuration.wire,
            limits=self._limits,
            certificates=certificates,
        )
        listening = listener.open(address)
        self._listeners.append(listener)
        return listening

    def _close_listeners(self) -> None:
        while self._listeners:
            self._listeners.pop().close()

    def _report_end(self, key: int, outcome: str, refused: Sequence[Refusal]) -> None:
        self._on_end(key, outcome, refused)

    def _retry(self, record: AssociationRecord) -> bool:
        if not record.retry():
            return False
        self._forget(record)
        return True

    def _forget(self, record: AssociationRecord) -> None:
        with self._lock:
            self._open.discard(record)


def _supported(wire: Wire, with_commitment: bool) -> Supported:
    contexts = list(listener_contexts(wire.private_sop_classes))
    if with_commitment:
        commitment = build_context(PUSH_MODEL)
        # a peer is the SCU of its requests, and the SCP of its reports
        commitment.scu_role = commitment.scp_role = True
        contexts.append(commitment)
    return Supported.of(contexts)
