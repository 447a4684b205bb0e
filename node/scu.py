"""The sending side: C-ECHO and C-STORE to a peer, with an outcome in words for every instance."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID
from pynetdicom import _config, build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from core.errors import NotADataSetError, PixelError, SendError
from node.outgoing import InstanceToSend, file_to_send, instance_to_send
from node.proposal import MAX_CONTEXTS, choose_syntax, propose, was_proposed
from node.requestor import Conversation, PeerAddress, Timeouts, associate
from node.statuses import State, state_of, words_of

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

# pynetdicom then sends a file's bytes as they are, without decoding and encoding them
_config.STORE_SEND_CHUNKED_DATASET = True

_DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of one instance at a peer."""

    instance: InstanceToSend
    status: int | None
    """The peer's C-STORE status; None when none came back."""
    state: State
    words: str
    """The status, or why there is none, in words."""
    transcoded_to: str = ""
    """Transfer syntax UID in which it went out, where that is not the file's own."""

    @property
    def is_stored(self) -> bool:
        """Whether the peer says that it holds the instance now."""
        return self.state in (State.STORED, State.WARNING)


def echo(
    peer: PeerAddress, calling_ae_title: str, *, timeouts: Timeouts = _DEFAULT_TIMEOUTS
) -> None:
    """C-ECHO to `peer` (PS3.4 Annex A).

    Raises:
        SendError: no association or no success, with the reason in words.
    """
    with associate(peer, calling_ae_title, [build_context(Verification)], timeouts) as conversation:
        begun = time.monotonic()
        try:
            answer = conversation.association.send_c_echo()
        except RuntimeError as error:
            raise SendError(conversation.why_it_ended(time.monotonic() - begun)) from error
        if "Status" not in answer:
            raise SendError(conversation.why_it_ended(time.monotonic() - begun))
        if answer.Status != 0:
            raise SendError(f"{peer} answered C-ECHO with {words_of(answer.Status)}")


def send(
    instances: Sequence[InstanceToSend],
    peer: PeerAddress,
    calling_ae_title: str,
    *,
    on_outcome: Callable[[SendOutcome], None] | None = None,
    timeouts: Timeouts = _DEFAULT_TIMEOUTS,
) -> list[SendOutcome]:
    """C-STORE `instances` to `peer` on one association, in the given order (PS3.4 Annex B).

    Nothing that the peer or a file does wrong raises: whatever happens, there is one outcome per
    instance, in order, and `on_outcome` gets each as soon as it is known. When there is no
    association, or it ends early, the instances that have no status are `State.NOT_SENT` with the
    reason. An exception of `on_outcome` aborts the association and is passed on.
    """
    outcomes: list[SendOutcome] = []

    def emit(outcome: SendOutcome) -> None:
        outcomes.append(outcome)
        if on_outcome is not None:
            on_outcome(outcome)

    contexts = propose(instances)
    if not contexts:
        return outcomes
    with ExitStack() as stack:
        try:
            association = associate(peer, calling_ae_title, contexts, timeouts)
            conversation = stack.enter_context(association)
        except SendError as error:
            for instance in instances:
                emit(_not_sent(instance, str(error)))
            return outcomes
        _store_all(conversation, contexts, instances, emit)
    return outcomes


def _store_all(
    conversation: Conversation,
    contexts: Sequence[PresentationContext],
    instances: Sequence[InstanceToSend],
    emit: Callable[[SendOutcome], None],
) -> None:
    ended = ""
    for number, instance in enumerate(instances, start=1):
        if ended:
            emit(_not_sent(instance, ended))
            continue
        try:
            outcome = _store(conversation, contexts, instance, number)
        except SendError as error:
            ended = str(error)
            outcome = _not_sent(instance, f"{ended}; whether this instance was stored is unknown")
        emit(outcome)


def _store(
    conversation: Conversation,
    contexts: Sequence[PresentationContext],
    instance: InstanceToSend,
    number: int,
) -> SendOutcome:
    """Raises SendError when the association ends instead of bringing a status."""
    syntax = choose_syntax(conversation.association.accepted_contexts, instance)
    if syntax is None:
        return _not_sent(instance, _why_no_context(conversation.peer, contexts, instance))
    try:
        with file_to_send(instance, syntax) as path:
            status, words = _request_store(conversation, path, number)
    except (PixelError, NotADataSetError, ValueError, AttributeError, OSError) as error:
        return _not_sent(instance, f"cannot be sent: {error}")
    transcoded_to = "" if syntax == instance.transfer_syntax_uid else syntax
    return SendOutcome(instance, status, state_of(status), words, transcoded_to)


def _request_store(conversation: Conversation, path: Path, number: int) -> tuple[int, str]:
    """Send the file and wait for the status; returns it with its words."""
    begun = time.monotonic()
    try:
        answer = conversation.association.send_c_store(path, msg_id=(number - 1) % 65535 + 1)
    except RuntimeError as error:
        raise SendError(conversation.why_it_ended(time.monotonic() - begun)) from error
    if "Status" not in answer:
        raise SendError(conversation.why_it_ended(time.monotonic() - begun))
    status = int(answer.Status)
    return status, words_of(status, str(answer.get("ErrorComment", "") or ""))


def _not_sent(instance: InstanceToSend, words: str) -> SendOutcome:
    return SendOutcome(instance, None, State.NOT_SENT, words)


def _why_no_context(
    peer: PeerAddress, contexts: Sequence[PresentationContext], instance: InstanceToSend
) -> str:
    name = UID(instance.sop_class_uid).name
    if not was_proposed(contexts, instance):
        return (
            f"no presentation context for {name} was left: one association holds "
            f"{MAX_CONTEXTS}; send these instances with fewer SOP classes at a time"
        )
    return f"{peer} accepts no {name} in the syntax of the file or uncompressed"
