"""C-STORE on the connection of an association that pynetdicom has negotiated.

pynetdicom's two threads for it end here, so that nobody else reads or writes; what the peer may
say at this point is little: C-STORE responses, A-RELEASE and A-ABORT (PS3.8 section 9.2, Sta6).
"""

import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.errors import SendError
from network.p_data import Extent, Fragments
from network.pdus_of_peers import PduReader
from network.scu.association import Conversation
from network.store_messages import StoreAnswer, read_store_answer, store_request

_P_DATA_TF, _RELEASE_RQ, _RELEASE_RP, _ABORT = 0x04, 0x05, 0x06, 0x07
_COMMAND, _LAST = 0x01, 0x02  # bits of a message control header (PS3.8 Annex E.2)
_LONGEST_COMMAND_BYTES = 65_536
_LAST_WORDS_S = 1.0
"""How long a peer's A-ABORT is looked for after a connection broke."""
_ESTABLISHED = "Sta6"


class StoreChannel:
    """Sends requests and takes answers; after a SendError it is good for nothing more."""

    def __init__(self, conversation: Conversation) -> None:
        """Take the connection over.

        Raises:
            SendError: the peer has ended the association already, or takes no PDU of use.
        """
        self._conversation = conversation
        self._peer, self._timeouts = conversation.peer, conversation.timeouts
        self._connection = _take_over(conversation)
        self._reader = PduReader(self._connection, str(self._peer), self._timeouts.response_s)
        self._answers = deque[StoreAnswer]()
        self._command = bytearray()
        self._command_contexts = set[int]()
        try:
            self._fragments = Fragments(conversation.association.acceptor.maximum_length or 0)
        except SendError as error:
            self.abort()
            raise SendError(f"{self._peer} {error}") from None

    def request(
        self, message_id: int, uids: tuple[str, str], extent: Extent, context_id: int
    ) -> None:
        """Send a C-STORE-RQ and the data set in `extent`; `uids` are of SOP class and instance.

        Raises:
            SendError: the connection is lost, or the file was cut off within its transmission.
            ValueError: a UID cannot be sent; nothing was.
            OSError: the file cannot be read; nothing was sent.
        """
        pieces = self._fragments.of(extent, store_request(message_id, *uids), context_id)
        self._send(next(pieces))
        while (piece := _next(pieces)) is not None:
            self._send(piece)

    def answer(self, *, wait: bool) -> StoreAnswer | None:
        """The next C-STORE-RSP; without `wait` None where none has come yet.

        Raises:
            SendError: there will be none, with the reason in words.
        """
        deadline = time.monotonic() + self._timeouts.response_s
        while not self._answers:
            if not wait and not self._reader.has_something():
                return None
            kind, content = self._reader.next(deadline)
            if kind != _P_DATA_TF:
                raise SendError(self._why(kind, content))
            self._take(content)
        return self._answers.popleft()

    def release(self) -> None:
        """A-RELEASE and its answer, as far as the peer takes part in it."""
        deadline = time.monotonic() + self._timeouts.associate_s
        with suppress(OSError, SendError):
            self._connection.settimeout(self._timeouts.associate_s)
            self._connection.sendall(struct.pack(">BBLL", _RELEASE_RQ, 0, 4, 0))
            while (kind := self._reader.next(deadline)[0]) not in (_RELEASE_RP, _ABORT):
                if kind == _RELEASE_RQ:  # both at once (PS3.8 section 7.2.2)
                    self._connection.sendall(struct.pack(">BBLL", _RELEASE_RP, 0, 4, 0))
        self._close()

    def abort(self) -> None:
        """A-ABORT by the service user."""
        with suppress(OSError):
            self._connection.settimeout(_LAST_WORDS_S)
            self._connection.sendall(struct.pack(">BBLL", _ABORT, 0, 4, 0))
        self._close()

    def _send(self, piece: memoryview) -> None:
        try:
            self._connection.settimeout(self._timeouts.response_s)
            self._connection.sendall(piece)
        except TimeoutError as error:
            limit_s = self._timeouts.response_s
            raise SendError(f"{self._peer} read nothing for {limit_s:g} s") from error
        except OSError as error:
            raise SendError(self._last_words()) from error

    def _last_words(self) -> str:
        """Why the peer closed: what it said before may still be here to be read."""
        deadline = time.monotonic() + _LAST_WORDS_S
        try:
            while True:
                kind, content = self._reader.next(deadline)
                if kind != _P_DATA_TF:
                    return self._why(kind, content)
        except SendError:
            return f"{self._peer} closed the connection"

    def _take(self, content: bytes) -> None:
        """The fragments of a P-DATA-TF; a data set, which no answer has, is passed over."""
        at = 0
        while at + 6 <= len(content):
            length, context_id, control = struct.unpack_from(">LBB", content, at)
            if control & _COMMAND:
                self._command += content[at + 6 : at + 4 + length]
                self._command_contexts.add(context_id)
                if control & _LAST:
                    self._answers.append(self._understood(bytes(self._command)))
                    self._command.clear()
                    self._command_contexts.clear()
            at += 4 + max(length, 2)
        if len(self._command) > _LONGEST_COMMAND_BYTES:
            raise SendError(f"{self._peer} broke the protocol: a command set without an end")

    def _understood(self, command: bytes) -> StoreAnswer:
        if len(self._command_contexts) > 1:
            found = " and ".join(map(str, sorted(self._command_contexts)))
            raise SendError(
                f"{self._peer} broke the protocol: an answer in presentation contexts {found}"
            )
        try:
            return read_store_answer(command)
        except SendError as error:
            raise SendError(f"{self._peer} broke the protocol: {error}") from None

    def _why(self, kind: int, content: bytes) -> str:
        """In words, what a PDU says that is no answer."""
        if kind == _ABORT:
            self._conversation.watch.abort_source = content[2] if len(content) > 2 else 1
            return self._conversation.why_it_ended(0.0)
        if kind == _RELEASE_RQ:
            return f"{self._peer} released the association before it had answered"
        return f"{self._peer} broke the protocol: PDU of type 0x{kind:02X}"

    def _close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._connection.close()


@contextmanager
def store_channel(conversation: Conversation) -> Iterator[StoreChannel]:
    """The association's own channel; released at the end, aborted on an exception.

    Raises:
        SendError: the peer has ended the association already, or takes no PDU of use.
    """
    channel = StoreChannel(conversation)
    try:
        yield channel
    except BaseException:
        channel.abort()
        raise
    channel.release()


def _next(pieces: Iterator[memoryview]) -> memoryview | None:
    """Raises SendError where the file fails: a message that has begun cannot be taken back."""
    try:
        return next(pieces, None)
    except OSError as error:
        raise SendError(f"the association was ended: {error}") from error


def _take_over(conversation: Conversation) -> socket.socket:
    """The connection, after pynetdicom's threads for it have ended."""
    association, dul = conversation.association, conversation.association.dul
    association._kill = True
    association.join()
    dul.kill_dul()
    dul.join(conversation.timeouts.associate_s)
    transport = dul.socket
    connection = None if transport is None else transport.socket
    is_idle = dul.state_machine.current_state == _ESTABLISHED and dul.event_queue.empty()
    association.is_established = False
    association.is_released = True  # for pynetdicom: there is nothing left for it to end
    if connection is None or not is_idle or dul.is_alive():
        if transport is not None:
            transport.close()
        raise SendError(conversation.why_it_ended(0.0))
    return connection
