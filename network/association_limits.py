"""How many associations and pending connections there are, in all and from one address."""

import socket
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from network.sender import Sender
from network.upper_layer import Association


@dataclass(slots=True, eq=False)
class Place:
    """What one association holds until it is given back."""

    sender: Sender
    association: Association | None = None
    """None while it is being made."""


class AssociationLimits:
    """Places of associations; safe to call from many threads."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken: list[Place] = []
        self._changed = threading.Condition()

    def take(self, sender: Sender) -> Place | str:
        """A place for an association of `sender`, or why there is none."""
        address = sender.address
        with self._changed:
            if len(self._taken) >= self._most:
                return f"{len(self._taken)} associations are open, as many as are taken"
            here = sum(one.sender.address == address for one in self._taken)
            if here >= self._most_per_address:
                return f"{here} associations are open from {address}, as many as are taken"
            place = Place(sender)
            self._taken.append(place)
            return place

    def give_back(self, place: Place) -> None:
        """The association is over, or was never made."""
        with self._changed:
            self._taken.remove(place)
            self._changed.notify_all()

    def associations(self) -> list[tuple[Sender, Association]]:
        """Those that are open, with who opened each."""
        with self._changed:
            taken = list(self._taken)
        return [(one.sender, one.association) for one in taken if one.association is not None]

    def wait_until_free(self, within_s: float) -> bool:
        """Whether every place is given back in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, within_s)


class PendingConnections:
    """Connections that have not asked for an association yet.

    When there are too many, the one that has waited longest is ended: a peer that asks at once, as
    every real one does, always gets in, however many are held open by somebody who says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pending: OrderedDict[int, socket.socket] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, key: int, connection: socket.socket) -> bool:
        """Whether there was room; where there was none another connection is ended."""
        with self._lock:
            longest = None
            if len(self._pending) >= self._most:
                _, longest = self._pending.popitem(last=False)
            self._pending[key] = connection
        if longest is not None:
            cut(longest)
        return longest is None

    def exchange(self, key: int, connection: socket.socket) -> None:
        """The same connection, as TLS has it."""
        with self._lock:
            if key in self._pending:
                self._pending[key] = connection

    def leave(self, key: int) -> bool:
        """Whether the connection was still there."""
        with self._lock:
            return self._pending.pop(key, None) is not None

    def clear(self) -> None:
        """End all of them."""
        with self._lock:
            pending = list(self._pending.values())
            self._pending.clear()
        for connection in pending:
            cut(connection)


def cut(connection: socket.socket) -> None:
    """Wake the thread that reads from a connection, which then closes it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would say good-bye first
