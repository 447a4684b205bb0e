"""Instances on their way to one peer, handed out to the associations that carry them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from network.scu.outgoing import InstanceToSend
from network.statuses import State


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


def not_sent(instance: InstanceToSend, words: str) -> SendOutcome:
    """The outcome of an instance to which no status came back."""
    return SendOutcome(instance, None, State.NOT_SENT, words)


@dataclass(frozen=True, slots=True)
class QueuedInstance:
    """One instance and its place in the consignment."""

    position: int
    instance: InstanceToSend


class StoppedElsewhereError(Exception):
    """What carries on another association was stopped by its listener."""


class SendQueue:
    """Each instance is given out once and settled once, by any thread.

    One SOP class after the other: an instance of another class than the one before is given out
    when all before it are settled, so that a structure set never overtakes its images.
    """

    def __init__(
        self,
        instances: Sequence[InstanceToSend],
        on_outcome: Callable[[SendOutcome], None] | None,
    ) -> None:
        self._waiting = deque(QueuedInstance(*numbered) for numbered in enumerate(instances))
        self._on_outcome = on_outcome
        self._outcomes: dict[int, SendOutcome] = {}
        self._out = 0
        self._class_out = ""
        self._stopped: BaseException | None = None
        self._changed = threading.Condition()

    def take(self, *, wait: bool) -> QueuedInstance | None:
        """The next one; None where none is left, or, without `wait`, none may go out yet.

        Raises:
            StoppedElsewhereError: the listener raised on another association.
        """
        with self._changed:
            while self._waiting and not self._may_go(self._waiting[0]):
                if not wait:
                    return None
                self._changed.wait()
            if self._stopped is not None:
                raise StoppedElsewhereError
            if not self._waiting:
                return None
            item = self._waiting.popleft()
            self._class_out = item.instance.sop_class_uid
            self._out += 1
            return item

    def settle(self, item: QueuedInstance, outcome: SendOutcome) -> None:
        """Note and tell what became of one that was taken; the listener's exception passes."""
        with self._changed:
            self._out -= 1
            self._tell(item, outcome)

    def settle_rest(self, words: str) -> list[SendOutcome]:
        """Nobody takes any more: what is left was not sent; all outcomes in order."""
        with self._changed:
            while self._waiting:
                item = self._waiting.popleft()
                self._tell(item, not_sent(item.instance, words))
        return [self._outcomes[position] for position in sorted(self._outcomes)]

    def _may_go(self, item: QueuedInstance) -> bool:
        is_same = item.instance.sop_class_uid == self._class_out
        return is_same or self._out == 0 or self._stopped is not None

    def _tell(self, item: QueuedInstance, outcome: SendOutcome) -> None:
        self._outcomes[item.position] = outcome
        try:
            if self._on_outcome is not None and self._stopped is None:
                self._on_outcome(outcome)
        except BaseException as error:
            self._stopped = error
            raise
        finally:
            self._changed.notify_all()
