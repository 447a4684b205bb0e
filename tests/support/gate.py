"""A gate before a peer: it ends associations that offer what it cannot stand."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Any

from network.optional_items import OptionalItem

_KINDS = {OptionalItem.WINDOW: 0x53, OptionalItem.ROLES: 0x54, OptionalItem.VERSION: 0x55}
_REJECTION = bytes((3, 0, 0, 0, 0, 4, 0, 1, 1, 1))  # permanent, by the user, no reason given
_ABORT = bytes((7, 0, 0, 0, 0, 4, 0, 0, 0, 0))
_LAST_WORDS = {"rejects": _REJECTION, "aborts": _ABORT, "aborts at once": _ABORT}
_INSTEAD, _SILENT = ("rejects", "closes", "aborts at once", "ignores"), ("hangs", "ignores")
_USER_INFORMATION, _FIRST_ITEM = 0x50, 74


def items_of(request: bytes) -> set[int]:
    """Types of the sub-items of the user information of an A-ASSOCIATE-RQ."""
    found, at = set[int](), _FIRST_ITEM
    while at < len(request):
        kind, length = request[at], int.from_bytes(request[at + 2 : at + 4], "big")
        if kind == _USER_INFORMATION:
            end, at = at + 4 + length, at + 4
            while at < end:
                found.add(request[at])
                at += 4 + int.from_bytes(request[at + 2 : at + 4], "big")
        else:
            at += 4 + length
    return found


class Gate:
    """Passes connections on to a peer, but ends those that offer one of `cannot_stand`.

    `how`: `drops` or `aborts` at the first message after the acceptance, or `hangs` there until the
    other side ends the association; `rejects`, `closes`, `aborts at once` or `ignores` in place of
    an acceptance.
    """

    def __init__(
        self,
        port: int,
        cannot_stand: Sequence[OptionalItem],
        how: str = "drops",
        *,
        peer: Any = None,
    ) -> None:
        """The peer listens at `port`; `peer` is kept for the test."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.offered: list[set[int]] = []
        """Sub-items of each association request."""
        self.peer, self._target, self._how = peer, port, how
        self._kinds = {_KINDS[one] for one in cannot_stand}
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = _read_pdu(connection)
            self.offered.append(items_of(request))
            ends = bool(self._kinds & self.offered[-1])
            if ends and self._how in _INSTEAD:
                self._end(connection)
                return
            with socket.create_connection(("127.0.0.1", self._target), 60) as target:
                target.sendall(request)
                if ends:
                    connection.sendall(_read_pdu(target))
                    connection.recv(6)
                    self._end(connection)
                    return
                back = threading.Thread(target=_pump, args=(target, connection), daemon=True)
                back.start()
                _pump(connection, target)
                back.join(60)

    def _end(self, connection: socket.socket) -> None:
        connection.sendall(_LAST_WORDS.get(self._how, b""))
        while self._how in _SILENT and connection.recv(65_536):
            pass


def _read_pdu(connection: socket.socket) -> bytes:
    header = _read(connection, 6)
    return header + _read(connection, int.from_bytes(header[2:], "big"))


def _read(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise ConnectionError("closed")
        found += more
    return found


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while more := source.recv(65_536):
            sink.sendall(more)
        sink.shutdown(socket.SHUT_WR)
