"""Serve an association that a peer opened: requests in, responses out, until it ends."""

from collections.abc import Callable
from typing import Protocol

import structlog

from core.errors import BoundError, explain_fault
from network.endings import Cause, Ending
from network.upper_layer.association import (
    BY_PROVIDER,
    BY_USER,
    Association,
    PeerAbortedError,
    ReleaseRequested,
    StoppedError,
)
from network.upper_layer.dimse import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_STORE_RQ,
    PROCESSING_FAILURE,
    SUCCESS,
    UNRECOGNIZED_OPERATION,
    CommandSet,
    write_response,
)
from network.upper_layer.messages import DataSetSink, Message
from network.upper_layer.negotiation import Context

_PAUSE_S = 0.5
Status = tuple[int, str]
"""A status (PS3.7 Annex C) and its ErrorComment of at most 64 ASCII characters."""

log = structlog.get_logger("wire")


class Services(Protocol):
    """Services for the messages of one association, called in its thread."""

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        """Make the sink for the data set of a message."""

    def answer(self, message: Message, /) -> Status | None:
        """Carry out a request; None if no service knows it."""

    def on_pause(self) -> None:
        """Use a pause between two messages."""

    def record_release(self) -> bool:
        """Record a release before it is answered; False if that failed."""

    def record_end(self, ending: Ending, /) -> None:
        """Record the end of the association; a release was recorded before."""


class _IdleError(Exception):
    """The peer sent nothing for too long."""


def serve(
    association: Association,
    services: Services,
    *,
    idle_timeout_s: float,
    on_bound: Callable[[str], None],
) -> None:
    """Serve an association until it ends, then close its connection and record the end.

    Args:
        association: made with `services.open_sink`.
        services: used by the calling thread alone.
        idle_timeout_s: seconds without a PDU after which the association is aborted.
        on_bound: called in words when the peer exceeds a bound.
    """
    serving = _Serving(association, services, idle_timeout_s, on_bound)
    try:
        ending = serving.run()
    finally:
        association.close()
    services.record_end(ending)


class _Serving:
    """Receives, answers and ends one association."""

    def __init__(
        self,
        association: Association,
        services: Services,
        idle_timeout_s: float,
        on_bound: Callable[[str], None],
    ) -> None:
        self._association = association
        self._services = services
        self._idle_timeout_s = idle_timeout_s
        self._on_bound = on_bound
        self._unanswered = ""

    def run(self) -> Ending:
        """Serve messages until the association has ended; returns how it ended."""
        try:
            while True:
                self._answer(self._next())
        except ReleaseRequested:
            return self._release()
        except (PeerAbortedError, OSError) as error:
            return self._ended_by_peer(error)
        except Exception as error:  # noqa: BLE001, whatever a peer sends, the node goes on
            return self._end(error)

    def _next(self) -> Message:
        """The next message; a pause between messages is told to the services once."""
        association = self._association
        message = association.receive(min(_PAUSE_S, self._idle_timeout_s))
        if message is None:
            if not association.partial_message:
                self._services.on_pause()
            left = self._idle_timeout_s - association.quiet_s
            message = association.receive(left) if left > 0 else None
        if message is None:
            raise _IdleError
        return message

    def _answer(self, message: Message) -> None:
        """Carry out and answer a request; what the peer sends meanwhile is read afterwards."""
        is_store = message.command.field == C_STORE_RQ
        self._unanswered = f"{'an instance' if is_store else 'a message'} without its answer"
        try:
            response = self._response(message)
        finally:
            if message.data_set is not None:
                message.data_set.close()
        if response is not None:
            self._association.send(message.context, response)
        self._unanswered = ""

    def _response(self, message: Message) -> bytes | None:
        """Encode the response to a message; None for a C-CANCEL-RQ, which has none (PS3.7 9.3.2.3).

        Raises:
            BoundError: the message is a response, or lacks what its own response needs.
        """
        command = message.command
        if command.is_response:
            raise BoundError("a response came to which there is no request")
        if command.field == C_CANCEL_RQ:
            return None
        _check_request(command)
        if command.field == C_ECHO_RQ:
            return write_response(command, SUCCESS)
        try:
            status = self._services.answer(message)
        except Exception as error:  # noqa: BLE001, the peer gets an answer
            log.error("request not served", fault=explain_fault(error))
            status = PROCESSING_FAILURE, ""
        return write_response(command, *(status or (UNRECOGNIZED_OPERATION, "")))

    def _release(self) -> Ending:
        """Record and answer a release; within a message it is answered by an abort."""
        if self._association.partial_message:
            words = "which released it in the middle of a message"
            ending = self._ending(Cause.HALF, words)
            self._association.abort(BY_PROVIDER)
            return ending
        if not self._is_release_recorded():
            return self._ending(Cause.STORAGE, "which could not record the release")
        self._association.answer_release()
        return Ending(Cause.RELEASE)

    def _is_release_recorded(self) -> bool:
        try:
            return self._services.record_release()
        except Exception as error:  # noqa: BLE001, the association ends, and that is recorded
            log.error("release not recorded", fault=explain_fault(error))
            return False

    def _ended_by_peer(self, error: Exception) -> Ending:
        if isinstance(error, PeerAbortedError):
            return self._ending(Cause.ABORT, "which aborted it")
        return self._ending(Cause.LOST, "whose connection ended without a release")

    def _end(self, error: Exception) -> Ending:
        """Abort an association that this side has to end."""
        if isinstance(error, StoppedError):
            return self._abort(Cause.STOP, "which was stopped", BY_USER)
        if isinstance(error, _IdleError):
            words = f"nothing came for {self._idle_timeout_s:g} s"
            self._on_bound(words)
            return self._abort(Cause.IDLE, words, BY_USER)
        if isinstance(error, BoundError):
            self._on_bound(str(error))
            return self._abort(Cause.BOUND, f"as {error}", BY_PROVIDER)
        log.error("association failed", fault=explain_fault(error))
        return self._abort(Cause.BOUND, "as a message could not be served", BY_PROVIDER)

    def _abort(self, cause: Cause, words: str, source: int) -> Ending:
        ending = self._ending(cause, words)
        self._association.abort(source)
        return ending

    def _ending(self, cause: Cause, words: str) -> Ending:
        association = self._association
        partial = self._unanswered or association.partial_message
        # after a release part of a PDU is not part of a message; it may be a second release
        partial = partial or ("" if cause == Cause.HALF else association.partial_pdu)
        return Ending(cause, words, partial, association.quiet_s)


def _check_request(command: CommandSet) -> None:
    """Raise BoundError if a request lacks an element that its response needs."""
    needed = {"MessageID": command.message_id is not None}
    if command.field == C_STORE_RQ:
        needed["AffectedSOPClassUID"] = bool(command.sop_class_uid)
        needed["AffectedSOPInstanceUID"] = bool(command.sop_instance_uid)
    lacks = ", ".join(keyword for keyword, is_there in needed.items() if not is_there)
    if lacks:
        what = "C-STORE" if command.field == C_STORE_RQ else f"command 0x{command.field:04X}"
        raise BoundError(f"a {what} request has no {lacks}")
