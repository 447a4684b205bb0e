"""Limits on open associations and pending connections, in all and from one address."""

import socket
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

from network.sender import Sender
from network.upper_layer.association import Association


@dataclass(slots=True, eq=False)
class Place:
    """One association's share of the limit, held until it is given back."""

    sender: Sender
    association: Association | None = None
    """None until the association is accepted."""


class AssociationLimits:
    """Counts open associations against the configured limits; safe to call from any thread."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken: list[Place] = []
        self._changed = threading.Condition()

    def take(self, sender: Sender) -> Place | str:
        """Reserve a place for an association of `sender`.

        Returns:
            The place, or in words which limit is reached.
        """
        address = sender.address
        with self._changed:
            if len(self._taken) >= self._most:
                return f"{len(self._taken)} associations are open, as many as are allowed"
            here = sum(one.sender.address == address for one in self._taken)
            if here >= self._most_per_address:
                return f"{here} associations are open from {address}, as many as are allowed"
            place = Place(sender)
            self._taken.append(place)
            return place

    def give_back(self, place: Place) -> None:
        """Free a place: its association has ended, or was never accepted."""
        with self._changed:
            self._taken.remove(place)
            self._changed.notify_all()

    def associations(self) -> list[tuple[Sender, Association]]:
        """Every open association with its sender."""
        with self._changed:
            taken = list(self._taken)
        return [(one.sender, one.association) for one in taken if one.association is not None]

    def wait_until_free(self, within_s: float) -> bool:
        """Wait until no association is open; False if some still are after `within_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, within_s)


class PendingConnections:
    """Connections whose A-ASSOCIATE-RQ has not been received yet; safe to call from any thread.

    Above the limit the connection that has waited longest is closed. A real peer sends its request
    at once, so it gets in, however many silent connections somebody holds open.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pending: OrderedDict[Hashable, socket.socket] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, key: Hashable, connection: socket.socket) -> bool:
        """Add a connection; False if the longest waiting one was closed to make room.

        `key` stands for the connection until it leaves, also when TLS replaces its socket.
        """
        with self._lock:
            longest = None
            if len(self._pending) >= self._most:
                _, longest = self._pending.popitem(last=False)
            self._pending[key] = connection
        if longest is not None:
            _shut_down(longest)
        return longest is None

    def exchange(self, key: Hashable, connection: socket.socket) -> None:
        """Replace a connection by its TLS wrapper, if it is still pending."""
        with self._lock:
            if key in self._pending:
                self._pending[key] = connection

    def leave(self, key: Hashable) -> bool:
        """Remove a connection; False if it was closed to make room for another."""
        with self._lock:
            return self._pending.pop(key, None) is not None

    def clear(self) -> None:
        """Close every pending connection."""
        with self._lock:
            pending = list(self._pending.values())
            self._pending.clear()
        for connection in pending:
            _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    """Wake the thread that reads from a connection; that thread then closes it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # SSLSocket's own would not do
