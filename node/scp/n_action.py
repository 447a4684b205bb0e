"""Storage commitment on associations of peers: their requests, and their reports."""

import structlog

from core.errors import StorageUnavailableError
from imaging.instances.read_errors import BROKEN
from network.scu import storage_commitment as messages
from network.sender import Sender
from network.upper_layer.association import decode_data_set
from network.upper_layer.messages import Message
from node.delivery.commitment_reports import answer_report
from node.delivery.storage_commitment_scp import StorageCommitmentScp
from node.delivery.storage_commitment_scu import StorageCommitmentScu

_NOT_AUTHORIZED = 0x0124
_EXPECTED = "expected TransactionUID and references, UIDs all of them (PS3.4 J.3.2.1), found others"

log = structlog.get_logger("commitment")


class CommitmentService:
    """N-ACTION and N-EVENT-REPORT of the Push Model (PS3.4 J.3, PS3.7 10.1)."""

    def __init__(
        self, commitment_scp: StorageCommitmentScp, commitment_scu: StorageCommitmentScu
    ) -> None:
        self._commitment_scp = commitment_scp
        self._commitment_scu = commitment_scu

    def on_action(self, sender: Sender, message: Message) -> int:
        """Take a peer's request to commit instances (PS3.4 J.3.2); returns the status."""
        peer = self._commitment_scp.peer_that_may_ask(sender)
        if peer is None:
            log.warning("storage commitment refused", calling_ae_title=sender.calling_ae_title)
            return _NOT_AUTHORIZED
        if message.command.sop_class_uid != messages.PUSH_MODEL:
            return messages.NO_SUCH_CLASS
        if message.command.type_id != messages.REQUEST_COMMITMENT:
            return messages.NO_SUCH_ACTION
        try:
            request = messages.read_request(decode_data_set(message.content, message.context))
            self._commitment_scp.take_request(peer, *request)
        except BROKEN:
            log.warning("storage commitment request refused", reason=_EXPECTED)
            return messages.INVALID_ARGUMENT
        except StorageUnavailableError as error:
            log.error("storage commitment request not recorded", reason=str(error))
            return messages.RESOURCE_LIMITATION
        return messages.SUCCESS

    def on_report(self, message: Message) -> int:
        """Take a peer's answer to a request of this node (PS3.4 J.3.3); returns the status."""
        return answer_report(
            message.command.type_id,
            lambda: decode_data_set(message.content, message.context),
            self._commitment_scu.take_report,
        )
