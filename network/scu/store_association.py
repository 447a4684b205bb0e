"""Send queued instances on one association: requests out, responses in, an outcome for each."""

from collections.abc import Sequence

from pynetdicom.presentation import PresentationContext

from core.errors import NotADataSetError, PixelError, SendError, UnansweredError
from network.scu.dialogue import Dialogue
from network.scu.outgoing import InstanceToSend, data_set_to_send
from network.scu.peer_comments import told_comment
from network.scu.presentation import accepted_by, choose_context, without_context
from network.scu.send_queue import QueuedInstance, SendOutcome, SendQueue, not_sent, unanswered
from network.scu.store_channel import StoreChannel
from network.scu.transcoder import Transcoder
from network.statuses import state_of, words_of
from network.upper_layer.dimse import CommandSet

_MESSAGE_IDS = 65_535


def send_queued(
    dialogue: Dialogue,
    contexts: Sequence[PresentationContext],
    send_queue: SendQueue,
    transcoder: Transcoder,
    *,
    is_last: bool = True,
) -> None:
    """Send from the queue until it is empty; each instance that was taken is settled.

    Unless this `is_last` association, an UnansweredError leaves its instances in the queue.

    Raises:
        SendError: the association ended before, with the reason in words.
    """
    association = _StoreAssociation(dialogue, contexts, send_queue, transcoder)
    try:
        association.run(StoreChannel(dialogue))
    except SendError as error:
        if isinstance(error, UnansweredError) and not is_last:
            association.put_back_open()
        else:
            association.settle_open(str(error))
        raise


class _StoreAssociation:
    """Keeps as many requests open as were negotiated."""

    def __init__(
        self,
        dialogue: Dialogue,
        contexts: Sequence[PresentationContext],
        send_queue: SendQueue,
        transcoder: Transcoder,
    ) -> None:
        self._peer, self._most_open = dialogue.peer, dialogue.operations
        self._contexts = contexts
        self._accepted = accepted_by(dialogue.contexts.values())
        self._send_queue = send_queue
        self._transcoder = transcoder
        self._open: dict[int, tuple[QueuedInstance, str]] = {}
        """Instance and transfer syntax by message ID."""

    def run(self, channel: StoreChannel) -> None:
        while True:
            item = self._next()
            if item is not None:
                self._request(channel, item)
            elif not self._open:
                return
            if self._open:
                is_full = len(self._open) >= self._most_open
                answer = channel.answer(wait=item is None or is_full)
                if answer is not None:
                    self._settle(answer)

    def put_back_open(self) -> None:
        """Return the instances that were not answered to the queue."""
        self._send_queue.put_back([item for item, _ in self._open.values()])
        self._open.clear()

    def settle_open(self, why: str) -> None:
        """Settle the instances that the association did not answer before it ended."""
        while self._open:
            item, _ = self._open.pop(next(iter(self._open)))
            self._send_queue.settle(item, unanswered(item.instance, why))

    def _next(self) -> QueuedInstance | None:
        if len(self._open) >= self._most_open:
            return None
        return self._send_queue.take(wait=not self._open)

    def _request(self, channel: StoreChannel, item: QueuedInstance) -> None:
        instance = item.instance
        chosen = choose_context(self._accepted, instance)
        if chosen is None:
            outcome = without_context(self._contexts, instance, str(self._peer))
            self._send_queue.settle(item, outcome)
            return
        syntax, context_id = chosen
        message_id = item.position % _MESSAGE_IDS + 1
        self._open[message_id] = item, syntax
        try:
            with data_set_to_send(instance, syntax, self._transcoder) as extent:
                uids = instance.sop_class_uid, instance.sop_instance_uid
                channel.request(message_id, uids, extent, context_id)
        except (PixelError, NotADataSetError, ValueError, OSError) as error:
            del self._open[message_id]
            self._send_queue.settle(item, not_sent(instance, f"cannot be sent: {error}"))

    def _settle(self, answer: CommandSet) -> None:
        number = answer.responded_id
        if number is None or number not in self._open:
            raise SendError(
                f"{self._peer} broke the protocol: it answered request {number}, "
                f"open are {', '.join(map(str, self._open))}"
            )
        item, syntax = self._open.pop(number)
        self._send_queue.settle(item, _outcome(item.instance, answer, syntax))


def _outcome(instance: InstanceToSend, answer: CommandSet, syntax: str) -> SendOutcome:
    transcoded_to = "" if syntax == instance.transfer_syntax_uid else syntax
    status = answer.status or 0
    words = words_of(status, told_comment(answer.comment, instance.path))
    return SendOutcome(instance, status, state_of(status), words, transcoded_to)
