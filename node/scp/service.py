"""The listener: Verification and Storage SCP (PS3.4 Annexes A and B)."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import structlog
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu_primitives import A_RELEASE

from core.config.settings import Configuration
from core.errors import StorageUnavailableError
from network.certificates import expiring
from network.presentation import listener_contexts
from network.scu.storage_commitment import PUSH_MODEL
from network.sender import Sender
from network.tls import ServerCertificates
from node.acceptor.doorway import Doorway
from node.acceptor.places import Places
from node.acceptor.upper_layer import BoundedAssociation
from node.ledger.database import Ledger
from node.ledger.group_commit import GroupCommit
from node.ledger.tables.ends import LOST, RELEASE, STOP, STORAGE, End, describe_end
from node.ledger.tables.instances import RELEASED, open_association
from node.scp.c_store import StorageService
from node.scp.inbox import Inbox
from node.scp.incidents import Incidents
from node.scp.n_action import CommitmentService, sender_of
from node.scp.refusals import Refusal

LOOPBACK = "127.0.0.1"
_LOOKS_EVERY_S = 0.05

log = structlog.get_logger("receive")

OnEnd = Callable[[int, str, Sequence[Refusal]], None]
"""Called with the ledger's id of an association, how it ended, and what of it was refused."""


class Listener:
    """Accepts associations and stores what they bring."""

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        inbox: Inbox,
        *,
        on_end: OnEnd,
        commitment: CommitmentService | None = None,
    ) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._openings = GroupCommit(ledger)
        self._service = StorageService(inbox, key_of=self._key_of, on_refused=self._on_refused)
        self._on_end = on_end
        self._commitment = commitment
        self._open: dict[Association, int] = {}
        self._lock = threading.Lock()
        self._ending: set[Association] = set()
        self._refused: dict[Association, list[Refusal]] = {}
        self._doorways: list[Doorway] = []
        self.tls_address: tuple[str, int] | None = None
        """Where TLS is spoken, once the listener was started."""
        wire = configuration.wire
        self._places = Places(wire.maximum_associations, wire.maximum_associations_per_address)
        self._incidents = Incidents(ledger)
        self._entity = AE(ae_title=configuration.ae_title)
        self._entity.supported_contexts = list(listener_contexts())
        if commitment is not None:
            # a peer is the SCU when it asks us, and the SCP when it reports to us
            self._entity.add_supported_context(PUSH_MODEL, scu_role=True, scp_role=True)
        self._entity.maximum_associations = sys.maxsize  # counted at the door, before threads
        self._entity.maximum_pdu_size = configuration.wire.maximum_pdu_bytes
        self._entity.network_timeout = configuration.wire.idle_timeout_s

    def start(self) -> tuple[str, int]:
        """Listen; answers the address and the port, which is a free one for port 0.

        The answer is the TLS port's where no other is offered.

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
            address = self._open_doorway((open_to, self._configuration.scp_port))
        if wire.tls is not None:
            self.tls_address = self._open_doorway((ip, wire.tls.port), certificates)
        return address or cast(tuple[str, int], self.tls_address)

    def _open_doorway(
        self, address: tuple[str, int], certificates: ServerCertificates | None = None
    ) -> tuple[str, int]:
        doorway = Doorway(
            self._entity,
            address,
            self._entity.supported_contexts,
            self._handlers(),
            configuration=self._configuration,
            places=self._places,
            incidents=self._incidents,
            certificates=certificates,
            service=self._service if self._configuration.wire.data_path == "own" else None,
        )
        self._doorways.append(doorway)
        return doorway.open()

    def _handlers(self) -> list[EventHandlerType]:
        handlers: list[EventHandlerType] = [
            (evt.EVT_ACCEPTED, self.on_accepted),
            (evt.EVT_C_STORE, self._service.on_c_store),
            (evt.EVT_ACSE_SENT, self.on_answer),
            (evt.EVT_ABORTED, self.on_aborted),
        ]
        return handlers + (self._commitment.handlers() if self._commitment is not None else [])

    def drain(self, within_s: float, quiet_s: Callable[[Sender], float]) -> None:
        """Take no more associations, and let those that are open come to an end by themselves.

        Who sends may go on for a while, and who has been silent for `quiet_s` is done.
        """
        self._close_doorways()
        until = time.monotonic() + within_s
        while time.monotonic() < until and any(
            one.ending.quiet_s < quiet_s(sender_of(one)) for one in self._open_ones()
        ):
            time.sleep(_LOOKS_EVERY_S)

    def _close_doorways(self) -> None:
        while self._doorways:
            self._doorways.pop().shutdown()

    def _open_ones(self) -> list[BoundedAssociation]:
        """Those that may bring something of a series."""
        return [cast(BoundedAssociation, one) for one in list(self._open) if one.is_alive()]

    def stop(self) -> None:
        """Take no more associations, and abort those that are open."""
        self._close_doorways()
        for one in self._places.holders():
            association = cast(BoundedAssociation, one)
            association.ending.note(STOP, "which was stopped")
            association.abort()
        self._entity.shutdown()
        self.reap()

    def on_accepted(self, event: Event) -> None:
        """Record the association; while that fails its instances are answered 0xA700."""
        try:
            self._record_open(event.assoc)
        except StorageUnavailableError as error:
            log.error("association not recorded", reason=str(error))
        log.debug("association accepted")

    def _record_open(self, association: Association) -> int:
        sender = sender_of(association)
        key = self._openings.run(
            lambda connection: open_association(connection, sender, self._ledger.clock())
        )
        self._open[association] = key
        return key

    def on_answer(self, event: Event) -> None:
        """A release is recorded before it is answered: a peer that got the answer may rely on it.

        Where it cannot be recorded the connection is cut, which the peer sees as a failure.
        """
        association = cast(BoundedAssociation, event.assoc)
        if isinstance(cast(Any, event).primitive, A_RELEASE) and not self._end(
            association, End(RELEASE)
        ):
            association.ending.note(STORAGE, "which could not record the release")
            transport = association.dul.socket
            if transport is not None:
                transport.close()

    def on_aborted(self, event: Event) -> None:
        """An association was aborted, by the peer, by a broken connection or by this node."""
        self._end_without_release(event.assoc)

    def reap(self) -> int:
        """End associations that are over and whose end is not recorded; how many those were."""
        dead = [one for one in list(self._open) if not one.is_alive()]
        return sum(self._end_without_release(association) for association in dead)

    def _end_without_release(self, association: Association) -> bool:
        words = "whose connection ended without a release"
        return self._end(
            association, cast(BoundedAssociation, association).ending.note(LOST, words)
        )

    def _end(self, association: Association, end: End) -> bool:
        """Whether the end is recorded by this call or was before; if not, `reap` tries again."""
        with self._lock:
            if association in self._ending:
                return False
            self._ending.add(association)
        try:
            return self._record_end(association, end)
        finally:
            with self._lock:
                self._ending.discard(association)

    def _record_end(self, association: Association, end: End) -> bool:
        key, refused = self._open.get(association), self._refused.get(association, [])
        if key is None and not refused:
            return True
        try:
            number = self._record_open(association) if key is None else key
            if end.outcome != RELEASED:
                self._openings.run(lambda connection: describe_end(connection, number, end))
            self._on_end(number, end.outcome, refused)
        except StorageUnavailableError as error:
            log.error("end of association not recorded", reason=str(error))
            return False
        self._open.pop(association, None)
        self._refused.pop(association, None)
        log.debug("association ended", outcome=end.outcome, reason=end.reason)
        return True

    def _key_of(self, association: Association) -> int:
        """The ledger's id; raises StorageUnavailableError where it can have none now."""
        key = self._open.get(association)
        return self._record_open(association) if key is None else key

    def _on_refused(self, association: Association, refusal: Refusal) -> None:
        self._refused.setdefault(association, []).append(refusal)
