"""What the listener answers to storage commitment: requests of peers, and reports to us."""

import structlog
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event, EventHandlerType

from core.errors import StorageUnavailableError
from network.scu import storage_commitment as messages
from network.sender import Sender
from node.delivery.commitment import Committer
from node.delivery.commitment_reports import answer_report
from node.delivery.proof import Prover

_NOT_AUTHORIZED = 0x0124
_NO_SUCH_ACTION = 0x0123

log = structlog.get_logger("commitment")


class CommitmentService:
    """Handlers of N-ACTION and N-EVENT-REPORT (PS3.7 chapter 10)."""

    def __init__(self, committer: Committer, prover: Prover) -> None:
        self._committer = committer
        self._prover = prover

    def handlers(self) -> list[EventHandlerType]:
        """What the listener binds."""
        return [(evt.EVT_N_ACTION, self.on_action), (evt.EVT_N_EVENT_REPORT, self.on_report)]

    def on_action(self, event: Event) -> tuple[int, Dataset | None]:
        """A peer asks us to keep what it sent."""
        sender = sender_of(event.assoc)
        peer = self._committer.peer_that_may_ask(sender)
        if peer is None:
            log.warning("storage commitment refused", calling_ae_title=sender.calling_ae_title)
            return _NOT_AUTHORIZED, None
        if event.action_type != messages.REQUEST_COMMITMENT:
            return _NO_SUCH_ACTION, None
        try:
            self._committer.take_request(peer, *messages.read_request(event.action_information))
        except (ValueError, AttributeError) as error:
            log.warning("storage commitment request refused", reason=type(error).__name__)
            return messages.INVALID_ARGUMENT, None
        except StorageUnavailableError as error:
            log.error("storage commitment request not recorded", reason=str(error))
            return messages.RESOURCE_LIMITATION, None
        return messages.SUCCESS, None

    def on_report(self, event: Event) -> tuple[int, Dataset | None]:
        """A peer answers a request of ours."""
        return answer_report(event, self._prover.take_report)


def sender_of(association: Association) -> Sender:
    """Who opened an association, and to which AE title of ours."""
    requestor, primitive = association.requestor, association.requestor.primitive
    called = primitive.called_ae_title if primitive is not None else ""
    calling = primitive.calling_ae_title if primitive is not None else ""
    return Sender(
        calling_ae_title=(calling or "").strip(),
        called_ae_title=(called or "").strip(),
        address=requestor.address or "",
    )
