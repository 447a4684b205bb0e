"""C-ECHO and C-STORE as SCU, with an outcome in words for every instance."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

from core.errors import NotOfferedError, SendError
from network.optional_items import OptionalItem
from network.presentation import VERIFICATION
from network.scu.association import PeerAddress, Timeouts, associate
from network.scu.leaving_out import with_less
from network.scu.outgoing import InstanceToSend, instance_to_send
from network.scu.presentation import propose
from network.scu.send_queue import SendOutcome, SendQueue, StoppedElsewhereError, not_sent
from network.scu.store_association import send_queued
from network.scu.transcoder import Transcoder
from network.statuses import State, words_of
from network.upper_layer.dimse import AFFECTED_CLASS, C_ECHO_RQ, FIELD, SUCCESS

__all__ = [
    "InstanceToSend",
    "PeerAddress",
    "SendOutcome",
    "State",
    "Timeouts",
    "echo",
    "instance_to_send",
    "send",
]

_DEFAULT_TIMEOUTS = Timeouts()
_OPERATIONS = 16
"""Asynchronous operations window to propose (PS3.7 D.3.3.3)."""
_OFFERED = (OptionalItem.WINDOW, OptionalItem.VERSION)
_FEWEST_EACH = 4
"""Fewest instances that are worth an association of their own."""


def echo(
    peer: PeerAddress, calling_ae_title: str, *, timeouts: Timeouts = _DEFAULT_TIMEOUTS
) -> None:
    """Verify a peer by C-ECHO (PS3.4 Annex A).

    Raises:
        SendError: no association or no success, with the reason in words.
    """
    with_less(
        peer, (OptionalItem.VERSION,), lambda address, _: _echo(address, calling_ae_title, timeouts)
    )


def _echo(peer: PeerAddress, calling_ae_title: str, timeouts: Timeouts) -> None:
    with associate(peer, calling_ae_title, [build_context(VERIFICATION)], timeouts) as dialogue:
        context = dialogue.context_of(VERIFICATION)
        answer = dialogue.ask(context, {AFFECTED_CLASS: VERIFICATION, FIELD: C_ECHO_RQ}).command
        if answer.status != SUCCESS:
            words = "no status" if answer.status is None else words_of(answer.status)
            raise SendError(f"{peer} answered C-ECHO with {words}")


def send(
    instances: Sequence[InstanceToSend],
    peer: PeerAddress,
    calling_ae_title: str,
    *,
    on_outcome: Callable[[SendOutcome], None] | None = None,
    timeouts: Timeouts = _DEFAULT_TIMEOUTS,
    transcoder: Transcoder | None = None,
) -> list[SendOutcome]:
    """Send `instances` to `peer` by C-STORE, in the given order (PS3.4 Annex B).

    One association is used, or up to `peer.associations`. No instance is sent before all earlier
    ones of another SOP class are answered, and no more requests are open than the peer accepts.

    A failure of the peer or of a file raises nothing: without an association, or if it ends early,
    the instances without a status are `State.NOT_SENT` with the reason. Those of a SOP class that
    the peer does not accept are `State.NOT_ACCEPTED`. An exception of `on_outcome` aborts the open
    associations and is passed on.

    Args:
        instances: the instances to send.
        peer: address and AE title of the peer.
        calling_ae_title: AE title of this side.
        on_outcome: gets each outcome as soon as it is known, in the thread of an association, one
            call at a time.
        timeouts: how long the peer may take.
        transcoder: makes copies for a peer that does not accept the transfer syntax of a file.

    Returns:
        One outcome for each instance, in the given order.
    """
    contexts = propose(instances)
    if not contexts:
        return []
    send_queue = SendQueue(instances, on_outcome)
    request = _Request(peer, calling_ae_title, contexts, timeouts)
    with _given_or_own(transcoder) as copies:
        most = min(peer.associations, max(1, len(instances) // _FEWEST_EACH))
        if most == 1:
            ended = request.send_from(send_queue, copies)
        else:
            ended = _send_on_several(request, send_queue, copies, most)
    return send_queue.settle_rest(lambda one: request.outcome_without_status(one, ended))


@dataclass(frozen=True, slots=True)
class _Request:
    """Parameters of the associations of one call of `send`."""

    peer: PeerAddress
    calling_ae_title: str
    contexts: Sequence[PresentationContext]
    timeouts: Timeouts

    def outcome_without_status(
        self, instance: InstanceToSend, ended: SendError | None
    ) -> SendOutcome:
        """Outcome of an instance that was left when the associations had ended."""
        if isinstance(ended, NotOfferedError):
            name = UID(instance.sop_class_uid).name
            return SendOutcome(instance, None, State.NOT_ACCEPTED, f"{ended}, no {name}")
        return not_sent(instance, str(ended or ""))

    def send_from(self, send_queue: SendQueue, transcoder: Transcoder) -> SendError | None:
        """Send from the queue on a new association; returns why it ended early, else None.

        For a peer that ends the association without an answer there are others, with less on offer.
        """

        def run(peer: PeerAddress, is_last: bool) -> None:
            self._send(send_queue, transcoder, peer, is_last=is_last)

        try:
            with_less(self.peer, _OFFERED, run)
        except SendError as error:
            return error
        return None

    def _send(
        self, send_queue: SendQueue, transcoder: Transcoder, peer: PeerAddress, *, is_last: bool
    ) -> None:
        with associate(
            peer,
            self.calling_ae_title,
            self.contexts,
            self.timeouts,
            operations=_OPERATIONS,
        ) as dialogue:
            send_queued(dialogue, self.contexts, send_queue, transcoder, is_last=is_last)


def _send_on_several(
    request: _Request, send_queue: SendQueue, transcoder: Transcoder, count: int
) -> SendError | None:
    """Send on up to `count` associations; returns why the last failed one ended early, or None."""
    reasons: list[SendError | None] = []
    raised: list[BaseException] = []

    def take_part() -> None:
        try:
            reasons.append(request.send_from(send_queue, transcoder))
        except StoppedElsewhereError:
            pass
        except BaseException as error:  # noqa: BLE001, passed on below
            raised.append(error)

    threads = [threading.Thread(target=take_part, name=f"sending {n + 1}") for n in range(count)]
    started, why_no_more = _started(threads)
    for thread in started:
        thread.join()
    if raised:
        raise raised[0]
    if not started:
        return SendError(why_no_more)
    return next((why for why in reversed(reasons) if why is not None), None)


def _started(threads: Sequence[threading.Thread]) -> tuple[list[threading.Thread], str]:
    """Start threads; returns those that run, and why the system runs no more of them, or ""."""
    started: list[threading.Thread] = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:  # the system's threads are used up
            return started, f"No association can be opened: {error}"
        started.append(thread)
    return started, ""


@contextmanager
def _given_or_own(transcoder: Transcoder | None) -> Iterator[Transcoder]:
    """The given transcoder, or one that lives as long as the context."""
    if transcoder is not None:
        yield transcoder
        return
    own = Transcoder()
    try:
        yield own
    finally:
        own.close()
