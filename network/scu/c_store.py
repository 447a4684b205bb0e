"""The sending side: C-ECHO and C-STORE to a peer, with an outcome in words for every instance."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

from core.errors import SendError
from network.dimse import AFFECTED_CLASS, C_ECHO_RQ, FIELD, SUCCESS
from network.presentation import VERIFICATION
from network.scu.association import PeerAddress, Timeouts, associate
from network.scu.outgoing import InstanceToSend, instance_to_send
from network.scu.presentation import propose
from network.scu.send_queue import SendOutcome, SendQueue, StoppedElsewhereError
from network.scu.store_association import carry
from network.scu.transcoder import Transcoder
from network.statuses import State, words_of

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
"""The asynchronous operations window that is proposed."""
_FEWEST_EACH = 4
"""Instances for which another association is worth its negotiation."""


def echo(
    peer: PeerAddress, calling_ae_title: str, *, timeouts: Timeouts = _DEFAULT_TIMEOUTS
) -> None:
    """C-ECHO to `peer` (PS3.4 Annex A).

    Raises:
        SendError: no association or no success, with the reason in words.
    """
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
    """C-STORE `instances` to `peer` in the given order (PS3.4 Annex B).

    They go on one association, or share as many as `peer.associations` allows; either way, no
    instance is sent before all instances of another SOP class before it are answered, and no more
    at a time than the peer takes.

    Nothing that the peer or a file does wrong raises: whatever happens, there is one outcome per
    instance, in order, and `on_outcome` gets each as soon as it is known, one at a time. When there
    is no association, or it ends early, the instances that have no status are `State.NOT_SENT` with
    the reason. An exception of `on_outcome` aborts what is open and is passed on.

    Args:
        instances: what is sent.
        peer: to where.
        calling_ae_title: ours.
        on_outcome: called in the thread of an association.
        timeouts: how long the peer may take.
        transcoder: makes copies for a peer that does not take the syntax of a file.
    """
    contexts = propose(instances)
    if not contexts:
        return []
    send_queue = SendQueue(instances, on_outcome)
    request = _Request(peer, calling_ae_title, contexts, timeouts)
    with _of_our_own(transcoder) as copies:
        most = min(peer.associations, max(1, len(instances) // _FEWEST_EACH))
        if most == 1:
            why = request.carry(send_queue, copies)
        else:
            why = _carry_on_several(request, send_queue, copies, most)
    return send_queue.settle_rest(why)


@dataclass(frozen=True, slots=True)
class _Request:
    """What an association is asked for with."""

    peer: PeerAddress
    calling_ae_title: str
    contexts: Sequence[PresentationContext]
    timeouts: Timeouts

    def carry(self, send_queue: SendQueue, transcoder: Transcoder) -> str:
        """Take part in it on a new association; answers why it ended early, "" where it did not."""
        try:
            with associate(
                self.peer,
                self.calling_ae_title,
                self.contexts,
                self.timeouts,
                operations=_OPERATIONS,
            ) as dialogue:
                carry(dialogue, self.contexts, send_queue, transcoder)
        except SendError as error:
            return str(error)
        return ""


def _carry_on_several(
    request: _Request, send_queue: SendQueue, transcoder: Transcoder, count: int
) -> str:
    """Why the last of them ended early, "" where one of them went on to the end."""
    reasons: list[str] = []
    raised: list[BaseException] = []

    def take_part() -> None:
        try:
            reasons.append(request.carry(send_queue, transcoder))
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
        return why_no_more
    return next((why for why in reversed(reasons) if why), "")


def _started(threads: Sequence[threading.Thread]) -> tuple[list[threading.Thread], str]:
    """Those that the system lets run, and why no more of them, "" where all do."""
    started: list[threading.Thread] = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:  # the system's threads are used up
            return started, f"No association can be carried: {error}"
        started.append(thread)
    return started, ""


@contextmanager
def _of_our_own(transcoder: Transcoder | None) -> Iterator[Transcoder]:
    """The one that is given, or one for this call."""
    if transcoder is not None:
        yield transcoder
        return
    own = Transcoder()
    try:
        yield own
    finally:
        own.close()
