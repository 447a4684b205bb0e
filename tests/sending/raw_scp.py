"""A storage SCP that says what a test writes for it, byte by byte."""

import socket
import struct
import threading
from collections.abc import Callable

from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)

from network.scu.c_store import PeerAddress

P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x04, 0x05, 0x06, 0x07
COMMAND, LAST = 0x01, 0x02
_Item = (
    MaximumLengthNotification
    | ImplementationClassUIDNotification
    | AsynchronousOperationsWindowNegotiation
)
Script = Callable[["RawScp"], None]


class RawScp:
    """Takes one association; what happens on it is `script`'s, which runs in a thread."""

    takes_several = False

    def __init__(self, script: Script, *, maximum_length: int = 16_384, window: int = 1) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = PeerAddress("127.0.0.1", self.listener.getsockname()[1], "PEER")
        self.lengths: list[int] = []
        self.fault: BaseException | None = None
        self._maximum_length, self._window = maximum_length, window
        self._thread = threading.Thread(target=self._run, args=(script,))
        self._thread.start()

    def close(self) -> None:
        """Wait for the script's end; what failed in it fails here."""
        self._thread.join(60)
        self.listener.close()
        if self.fault is not None:
            raise self.fault

    def read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self.connection.recv(count - len(found))
            if not more:
                raise ConnectionError("closed")
            found += more
        return found

    def read_pdu(self) -> tuple[int, bytes]:
        kind, _, length = struct.unpack(">BBL", self.read(6))
        return kind, self.read(length)

    def peek(self) -> int:
        """The type of the PDU that comes next."""
        return self.connection.recv(1, socket.MSG_PEEK)[0]

    def read_store(self) -> tuple[int, str, bytes]:
        """A whole C-STORE-RQ: message ID, SOP Instance UID, data set."""
        parts: dict[int, bytes] = {COMMAND: b"", 0: b""}
        while True:
            kind, content = self.read_pdu()
            assert kind == P_DATA, kind
            self.lengths.append(len(content))
            length, _, control = struct.unpack_from(">LBB", content)
            assert length + 4 == len(content)
            parts[control & COMMAND] += content[6:]
            if control == LAST:
                return *identity_of(parts[COMMAND]), parts[0]

    def answer(self, message_id: int, status: int = 0) -> None:
        self.say(P_DATA, fragment(response(message_id, status)))

    def say(self, kind: int, content: bytes, *, claims: int | None = None) -> None:
        length = len(content) if claims is None else claims
        self.connection.sendall(struct.pack(">BBL", kind, 0, length) + content)

    def take_release(self) -> None:
        assert self.read_pdu()[0] == RELEASE_RQ
        self.say(RELEASE_RP, bytes(4))

    def hears_nothing_for(self, seconds: float) -> bool:
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.connection.settimeout(60)
        return False

    def _run(self, script: Script) -> None:
        try:
            self.listener.settimeout(60)
            self.connection, _ = self.listener.accept()
            self.connection.settimeout(60)
            if not self.takes_several:
                self.listener.close()
            with self.connection:
                self._accept()
                script(self)
        except BaseException as error:  # noqa: BLE001, raised again by close
            self.fault = error

    def _accept(self) -> None:
        header = self.read(6)
        request = A_ASSOCIATE_RQ()
        request.decode(header + self.read(struct.unpack(">L", header[2:])[0]))
        primitive = request.to_primitive()
        primitive.result, primitive.result_source = 0x00, 0x01
        contexts = primitive.presentation_context_definition_list
        for context in contexts:
            context.result = 0x00
            context.transfer_syntax = [*context.transfer_syntax[:1]]
        primitive.presentation_context_definition_results_list = contexts
        primitive.presentation_context_definition_list = []
        primitive.user_information = [*self._user_information()]
        self.connection.sendall(A_ASSOCIATE_AC(primitive).encode())

    def _user_information(self) -> list[_Item]:
        length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
        length.maximum_length_received = self._maximum_length
        implementation.implementation_class_uid = UID("1.2.3")
        if self._window == 1:
            return [length, implementation]
        window = AsynchronousOperationsWindowNegotiation()
        window.maximum_number_operations_invoked = self._window
        return [length, implementation, window]


def identity_of(command: bytes) -> tuple[int, str]:
    """Message ID and Affected SOP Instance UID of a command set."""
    values, at = {}, 0
    while at < len(command):
        _, number, length = struct.unpack_from("<HHL", command, at)
        values[number] = command[at + 8 : at + 8 + length]
        at += 8 + length
    return int.from_bytes(values[0x0110], "little"), values[0x1000].decode().rstrip("\0")


def response(message_id: int, status: int) -> bytes:
    """The command set of a C-STORE-RSP, as short as it may be."""
    elements = b"".join(
        struct.pack("<HHLH", 0, number, 2, value)
        for number, value in (
            (0x0100, 0x8001),
            (0x0120, message_id),
            (0x0800, 0x0101),
            (0x0900, status),
        )
    )
    return struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements


def fragment(content: bytes, control: int = COMMAND | LAST, context_id: int = 1) -> bytes:
    """One presentation data value (PS3.8 section 9.3.5.1)."""
    return struct.pack(">LBB", len(content) + 2, context_id, control) + content
