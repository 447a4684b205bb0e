"""Requests and responses on an association that this side requested, failures in words."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pydicom.dataset import Dataset

from core.errors import BoundError, PeerEndedError, SendError, SilentError, UnansweredError
from network.scu.peer_address import PeerAddress, Timeouts
from network.upper_layer.association import (
    Association,
    NotTakenError,
    PeerAbortedError,
    ReleaseRequested,
    encode_data_set,
)
from network.upper_layer.dimse import (
    MESSAGE_ID,
    UNRECOGNIZED_OPERATION,
    Values,
    write_command,
    write_response,
)
from network.upper_layer.messages import Message
from network.upper_layer.negotiation import Context

_ABORT_SOURCES = {0: "its user", 2: "its network layer"}
_LAST_WORDS_S = 1.0
"""Seconds to wait for a peer's A-ABORT after writing failed."""
_LOOKS_EVERY_S = 0.25
_MESSAGE_IDS = 65_535


class Dialogue:
    """An open association with a peer; not usable after a SendError."""

    def __init__(
        self,
        association: Association,
        peer: PeerAddress,
        timeouts: Timeouts,
        *,
        operations: int,
        on_request: Callable[[Message], int] | None,
    ) -> None:
        """`operations` were proposed; `on_request` returns the status for a request of the peer."""
        self.peer = peer
        self.timeouts = timeouts
        self._association = association
        self._operations = operations
        self._on_request = on_request
        self._message_id = 0
        self._is_over = False
        self._is_answered = False
        self.was_released = False
        """True if the peer answered the release."""

    @property
    def contexts(self) -> Mapping[int, Context]:
        """Accepted presentation contexts by context ID."""
        return self._association.agreement.contexts

    @property
    def longest_sent(self) -> int:
        """Longest P-DATA-TF that the peer receives, in bytes; 0 means no limit."""
        return self._association.agreement.longest_sent

    @property
    def operations(self) -> int:
        """Number of requests that may be open at once (PS3.7 D.3.3.3)."""
        granted = self._association.agreement.window[0]
        return min(granted, self._operations) or self._operations  # 0 means no limit

    def context_of(self, abstract_syntax: str, *, as_scp: bool = False) -> Context:
        """The accepted context of a SOP class in which this side is SCU, or SCP.

        Raises:
            SendError: the peer accepted none.
        """
        for one in self.contexts.values():
            may = one.requestor_is_scp if as_scp else one.requestor_is_scu
            if one.abstract_syntax == abstract_syntax and may:
                return one
        role = "SCP" if as_scp else "SCU"
        raise SendError(f"{self.peer} does not take this side as the {role} of {abstract_syntax}")

    def ask(self, context: Context, values: Values, data_set: Dataset | None = None) -> Message:
        """Send a request, and wait for its response.

        Raises:
            SendError: there will be no response, with the reason in words.
        """
        return next(self.ask_for_all(context, values, data_set))

    def ask_for_all(
        self, context: Context, values: Values, data_set: Dataset | None = None
    ) -> Iterator[Message]:
        """Send a request and yield its responses; the caller stops after the last one.

        Raises:
            SendError: there will be no more responses, with the reason in words.
        """
        self._message_id = self._message_id % _MESSAGE_IDS + 1
        number = self._message_id
        command = write_command({**values, MESSAGE_ID: number}, has_data_set=data_set is not None)
        content = None if data_set is None else encode_data_set(data_set, context)
        with self._in_words():
            self._association.send(context, command, content)
        while True:
            response = self.response(self.timeouts.response_s)
            if response is None:
                raise self.too_late()
            if response.command.responded_id != number:
                raise self._broken(
                    f"it answered request {response.command.responded_id}, open is {number}"
                )
            yield response

    def response(self, within_s: float) -> Message | None:
        """The next response to any request; None if none was received in time.

        Requests that the peer sends meanwhile are answered.

        Raises:
            SendError: there will be no response, with the reason in words.
        """
        deadline = time.monotonic() + within_s
        while True:
            left = max(0.0, deadline - time.monotonic())
            with self._in_words():
                message = self._association.receive(left, within_s=left)
                if message is None or message.command.is_response:
                    self._is_answered |= message is not None
                    return message
                self._answer(message)
            if time.monotonic() > deadline:  # a peer may send requests without end
                return None

    def too_late(self) -> SendError:
        """The error for a response that was not received in time."""
        return self._late("did not answer within")

    def serve_until(self, is_done: Callable[[], bool], within_s: float) -> None:
        """Answer requests of the peer until `is_done`, time is over, or the association ends."""
        deadline = time.monotonic() + within_s
        try:
            while not is_done() and (left := deadline - time.monotonic()) > 0:
                self.response(min(left, _LOOKS_EVERY_S))
        except SendError:
            self._is_over = True

    def write(self, pdus: memoryview) -> None:
        """Write whole PDUs.

        Raises:
            SendError: the connection is lost, with the reason in words.
        """
        try:
            self._association.write(pdus)
        except NotTakenError as error:
            raise self._late("read nothing for") from error
        except OSError as error:
            raise self._ended(self._last_words()) from error

    def release(self) -> None:
        """Release the association; only close it if the peer has ended it."""
        if self._is_over:
            self._association.close()
        else:
            self.was_released = self._association.release(self.timeouts.associate_s)

    def abort(self) -> None:
        """Abort the association as service user (PS3.8 9.3.8)."""
        self._association.abort()

    def _answer(self, message: Message) -> None:
        if message.command.message_id is None:
            raise BoundError(f"a request without a MessageID, 0x{message.command.field:04X}")
        status = UNRECOGNIZED_OPERATION if self._on_request is None else self._on_request(message)
        self._association.send(message.context, write_response(message.command, status))

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except ReleaseRequested:
            self._association.answer_release()
            raise SendError(
                f"{self.peer} released the association before it had answered"
            ) from None
        except PeerAbortedError as error:
            raise self._ended(self._aborted(error)) from None
        except NotTakenError as error:
            raise self._late("read nothing for") from error
        except BoundError as error:
            raise self._broken(str(error)) from error
        except OSError as error:
            raise self._ended(f"{self.peer} closed the connection") from error

    def _ended(self, words: str) -> PeerEndedError:
        return PeerEndedError(words) if self._is_answered else UnansweredError(words)

    def _last_words(self) -> str:
        """Reason why writing failed: an A-ABORT of the peer may still be unread."""
        deadline = time.monotonic() + _LAST_WORDS_S
        try:
            while (left := deadline - time.monotonic()) > 0:
                with self._in_words():
                    if self._association.receive(left) is None:
                        break
        except SendError as error:
            return str(error)
        return f"{self.peer} closed the connection"

    def _aborted(self, error: PeerAbortedError) -> str:
        who = _ABORT_SOURCES.get(error.source, "an unknown source")
        return f"{self.peer} aborted the association ({who})"

    def _broken(self, words: str) -> SendError:
        return SendError(f"{self.peer} broke the protocol: {words}")

    def _late(self, words: str) -> SendError:
        kind = SendError if self._is_answered else SilentError
        return kind(f"{self.peer} {words} {self.timeouts.response_s:g} s")
