"""An association that a peer opened, from its acceptance to its end: messages in, answers out."""

from collections.abc import Callable
from typing import Protocol

import structlog

from core.errors import BoundError, explain_fault
from network.dimse import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_STORE_RQ,
    PROCESSING_FAILURE,
    SUCCESS,
    UNRECOGNIZED_OPERATION,
    CommandSet,
    write_response,
)
from network.endings import Cause, Ending
from network.messages import DataSetSink, Message
from network.negotiation import Context
from network.upper_layer import (
    BY_PROVIDER,
    BY_USER,
    Association,
    PeerAbortedError,
    ReleaseRequested,
    StoppedError,
)

_REST_S = 0.5
Status = tuple[int, str]
"""A status (PS3.7 Annex C) and its comment, of at most 64 ASCII characters."""

log = structlog.get_logger("wire")


class Services(Protocol):
    """What is done with the messages of one association, in its thread."""

    def open_sink(self, context: Context, command: CommandSet, /) -> DataSetSink:
        """The place of a data set that comes."""

    def answer(self, message: Message, /) -> Status | None:
        """Carry out a request; None where none of the services knows it."""

    def rest(self) -> None:
        """Nothing has come for a while."""

    def released(self) -> bool:
        """Record a release, which is answered then; whether that succeeded."""

    def ended(self, ending: Ending, /) -> None:
        """Record the end of the association, which may be a release that was recorded before."""


class _IdleError(Exception):
    """Nothing came for too long."""


def serve(
    association: Association,
    services: Services,
    *,
    idle_timeout_s: float,
    on_bound: Callable[[str], None],
) -> None:
    """Serve an association to its end, whatever comes; its connection is closed then.

    Args:
        association: with `services.open_sink` as its own.
        services: used by the calling thread alone.
        idle_timeout_s: for how long nothing may come.
        on_bound: called with words where the peer goes beyond a bound.
    """
    serving = _Serving(association, services, idle_timeout_s, on_bound)
    try:
        ending = serving.run()
    finally:
        association.close()
    services.ended(ending)


class _Serving:
    """The loop of one association."""

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
        """Until the association is over; how it ended."""
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
        """The next message; what rests meanwhile is told so once."""
        association = self._association
        message = association.receive(min(_REST_S, self._idle_timeout_s))
        if message is None:
            if not association.half:
                self._services.rest()
            left = self._idle_timeout_s - association.quiet_s
            message = association.receive(left) if left > 0 else None
        if message is None:
            raise _IdleError
        return message

    def _answer(self, message: Message) -> None:
        """Answer a request; a release or an end that comes meanwhile waits until then."""
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
        """The command set of the answer; None for what has none. Raises BoundError."""
        command = message.command
        if command.is_response:
            raise BoundError("a response came to which there is no request")
        if command.field == C_CANCEL_RQ:
            return None
        _check_whole(command)
        if command.field == C_ECHO_RQ:
            return write_response(command, SUCCESS)
        try:
            status = self._services.answer(message)
        except Exception as error:  # noqa: BLE001, the peer gets an answer
            log.error("request not served", fault=explain_fault(error))
            status = PROCESSING_FAILURE, ""
        return write_response(command, *(status or (UNRECOGNIZED_OPERATION, "")))

    def _release(self) -> Ending:
        """A release after all that came before; none within a message."""
        if self._association.half:
            words = "which released it in the middle of a message"
            ending = self._ending(Cause.HALF, words)
            self._association.abort(BY_PROVIDER)
            return ending
        if not self._services.released():
            return self._ending(Cause.STORAGE, "which could not record the release")
        self._association.answer_release()
        return Ending(Cause.RELEASE)

    def _ended_by_peer(self, error: Exception) -> Ending:
        if isinstance(error, PeerAbortedError):
            return self._ending(Cause.ABORT, "which aborted it")
        return self._ending(Cause.LOST, "whose connection ended without a release")

    def _end(self, error: Exception) -> Ending:
        """End what goes on otherwise."""
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
        half = self._unanswered or association.half
        # behind a release there may be what belongs to no message, such as another release
        half = half or ("" if cause == Cause.HALF else association.part)
        return Ending(cause, words, half, association.quiet_s)


def _check_whole(command: CommandSet) -> None:
    """Nothing, where a request says what its answer needs; else BoundError."""
    needed = {"MessageID": command.message_id is not None}
    if command.field == C_STORE_RQ:
        needed["AffectedSOPClassUID"] = bool(command.sop_class_uid)
        needed["AffectedSOPInstanceUID"] = bool(command.sop_instance_uid)
    lacks = ", ".join(keyword for keyword, is_there in needed.items() if not is_there)
    if lacks:
        what = "C-STORE" if command.field == C_STORE_RQ else f"command 0x{command.field:04X}"
        raise BoundError(f"a {what} request has no {lacks}")
