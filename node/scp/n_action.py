"""What the listener answers to storage commitment: requests of peers, and reports to us."""

import structlog

from core.errors import StorageUnavailableError
from imaging.instances.read_errors import BROKEN
from network.messages import Message
from network.scu import storage_commitment as messages
from network.sender import Sender
from network.upper_layer import decode_data_set
from node.delivery.commitment_reports import answer_report
from node.delivery.storage_commitment_scp import StorageCommitmentScp
from node.delivery.storage_commitment_scu import StorageCommitmentScu

_NOT_AUTHORIZED = 0x0124
_NO_SUCH_ACTION = 0x0123

log = structlog.get_logger("commitment")


class CommitmentService:
    """N-ACTION and N-EVENT-REPORT (PS3.7 chapter 10) of the Push Model."""

    def __init__(
        self, commitment_scp: StorageCommitmentScp, commitment_scu: StorageCommitmentScu
    ) -> None:
        self._commitment_scp = commitment_scp
        self._commitment_scu = commitment_scu

    def on_action(self, sender: Sender, message: Message) -> int:
        """The status for a peer that asks us to keep what it sent."""
        peer = self._commitment_scp.peer_that_may_ask(sender)
        if peer is None:
            log.warning("storage commitment refused", calling_ae_title=sender.calling_ae_title)
            return _NOT_AUTHORIZED
        if message.command.type_id != messages.REQUEST_COMMITMENT:
            return _NO_SUCH_ACTION
        try:
            request = messages.read_request(decode_data_set(message.content, message.context))
            self._commitment_scp.take_request(peer, *request)
        except BROKEN as error:
            log.warning("storage commitment request refused", reason=type(error).__name__)
            return messages.INVALID_ARGUMENT
        except StorageUnavailableError as error:
            log.error("storage commitment request not recorded", reason=str(error))
            return messages.RESOURCE_LIMITATION
        return messages.SUCCESS

    def on_report(self, message: Message) -> int:
        """The status for a peer that answers a request of ours."""
        return answer_report(
            lambda: decode_data_set(message.content, message.context),
            self._commitment_scu.take_report,
        )
