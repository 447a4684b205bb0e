"""How many associations and waiting connections there are, in all and from one address."""

import socket
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread


@dataclass(slots=True, eq=False)
class Place:
    """What one association holds; free again when its thread has ended."""

    address: str
    holder: Thread | None = None
    """None while it is being made."""


class Places:
    """Places of associations; safe to call from many threads."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken: list[Place] = []
        self._lock = threading.Lock()

    def take(self, address: str) -> Place | str:
        """A place for an association from `address`, or why there is none."""
        with self._lock:
            self._taken = [one for one in self._taken if _is_taken(one)]
            if len(self._taken) >= self._most:
                return f"{len(self._taken)} associations are open, as many as are taken"
            here = sum(one.address == address for one in self._taken)
            if here >= self._most_per_address:
                return f"{here} associations are open from {address}, as many as are taken"
            place = Place(address)
            self._taken.append(place)
            return place

    def holders(self) -> list[Thread]:
        """Associations that are open."""
        with self._lock:
            return [one.holder for one in self._taken if one.holder and one.holder.is_alive()]

    def give_back(self, place: Place) -> None:
        """No association was made."""
        with self._lock:
            self._taken.remove(place)


class WaitingRoom:
    """Connections that have not asked for an association yet.

    When it is full the one that has waited longest goes: who asks at once, as every real peer
    does, always finds room, however many are held open by somebody who says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[int, socket.socket] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, key: int, connection: socket.socket) -> bool:
        """Whether there was room; where there was none another one's connection is ended."""
        with self._lock:
            longest = None
            if len(self._waiting) >= self._most:
                _, longest = self._waiting.popitem(last=False)
            self._waiting[key] = connection
        if longest is not None:
            cut(longest)
        return longest is None

    def exchange(self, key: int, connection: socket.socket) -> None:
        """The same connection, as TLS has it."""
        with self._lock:
            if key in self._waiting:
                self._waiting[key] = connection

    def leave(self, key: int) -> bool:
        """Whether it was still there."""
        with self._lock:
            return self._waiting.pop(key, None) is not None

    def clear(self) -> None:
        """End all of them."""
        with self._lock:
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for connection in waiting:
            cut(connection)


def cut(connection: socket.socket) -> None:
    """Wake the thread that reads from it, which then closes it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would say good-bye first


def _is_taken(place: Place) -> bool:
    return place.holder is None or place.holder.is_alive()
