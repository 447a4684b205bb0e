"""Queue of instances for one peer, shared by the associations that send them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from network.scu.outgoing import InstanceToSend
from network.statuses import State


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """Outcome of sending one instance to a peer."""

    instance: InstanceToSend
    status: int | None
    """The peer's C-STORE status; None if none was received."""
    state: State
    words: str
    """Status, or the reason why there is none, in words."""
    transcoded_to: str = ""
    """Transfer Syntax UID of the copy that was sent; empty if the file's own."""
    is_unanswered: bool = False
    """True if the association ended after the request, and before its response."""

    @property
    def is_stored(self) -> bool:
        """True if the peer says that it stored the instance."""
        return self.state in (State.STORED, State.WARNING)


def not_sent(instance: InstanceToSend, words: str) -> SendOutcome:
    """Outcome of an instance that was not sent."""
    return SendOutcome(instance, None, State.NOT_SENT, words)


def unanswered(instance: InstanceToSend, why: str) -> SendOutcome:
    """Outcome of an instance whose association ended after its request, before the response."""
    words = f"{why}; whether this instance was stored is unknown"
    return SendOutcome(instance, None, State.NOT_SENT, words, is_unanswered=True)


@dataclass(frozen=True, slots=True)
class QueuedInstance:
    """One instance and its position in the queue."""

    position: int
    instance: InstanceToSend


class StoppedElsewhereError(Exception):
    """`on_outcome` raised on another association, so that sending stops on all."""


class SendQueue:
    """Hands out each instance once, and takes its outcome; safe to call from any thread.

    An instance of another SOP class than the one before waits until all before it are settled, so
    that a structure set never overtakes its images.
    """

    def __init__(
        self,
        instances: Sequence[InstanceToSend],
        on_outcome: Callable[[SendOutcome], None] | None,
    ) -> None:
        self._waiting = deque(QueuedInstance(*numbered) for numbered in enumerate(instances))
        self._on_outcome = on_outcome
        self._outcomes: dict[int, SendOutcome] = {}
        self._unanswered: set[int] = set()
        self._out = 0
        self._class_out = ""
        self._stopped: BaseException | None = None
        self._changed = threading.Condition()

    def take(self, *, wait: bool) -> QueuedInstance | None:
        """Take the next instance; None if none is left, or, without `wait`, none may be sent yet.

        Raises:
            StoppedElsewhereError: `on_outcome` raised on another association.
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
        """Take the outcome of an instance; an exception of `on_outcome` is passed on."""
        with self._changed:
            self._out -= 1
            self._tell(item, outcome)

    def put_back(self, items: Sequence[QueuedInstance]) -> None:
        """Return instances that were taken last and not settled; they are handed out again."""
        with self._changed:
            self._out -= len(items)
            self._unanswered.update(item.position for item in items)
            self._waiting.extendleft(reversed(items))
            self._changed.notify_all()

    def settle_rest(self, outcome_of: Callable[[InstanceToSend], SendOutcome]) -> list[SendOutcome]:
        """Settle the instances that are left by `outcome_of`; returns all outcomes in order."""
        with self._changed:
            while self._waiting:
                item = self._waiting.popleft()
                outcome = outcome_of(item.instance)
                if item.position in self._unanswered and outcome.state is State.NOT_SENT:
                    outcome = unanswered(item.instance, outcome.words)
                self._tell(item, outcome)
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
