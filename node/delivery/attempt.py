"""One attempt to send a job's results to a peer: outcomes, and what they mean for the next one."""

from collections.abc import Mapping

from network.scu.c_store import InstanceToSend, SendOutcome, State
from node.delivery.committed import is_received
from node.ledger.tables.deliveries import PendingDelivery

MOST_FAILURES = 5
"""Attempts at an instance that the peer fails to process (0x0110), before it counts as refused."""
_ATTEMPTS_AT_IMAGES = 3
"""Attempts that end at an image, before the results are sent without the images."""

Attempted = tuple[PendingDelivery, SendOutcome]
_REFUSALS = (State.REFUSED, State.DUPLICATE, State.NOT_ACCEPTED)
_PASSING = (State.FAILED, State.OUT_OF_RESOURCES, State.NOT_SENT)


def is_final(outcome: SendOutcome) -> bool:
    """True if another attempt would have the same outcome."""
    return outcome.state in _REFUSALS


def is_failure(outcome: SendOutcome) -> bool:
    """True if the peer failed to process the instance, which may pass, but not for ever."""
    return outcome.state is State.FAILED


class Attempt:
    """The outcomes of one attempt; used by one thread at a time."""

    def __init__(self, deliveries: Mapping[str, PendingDelivery]) -> None:
        """`deliveries` by SOP Instance UID."""
        self._deliveries = deliveries
        self._outcomes: dict[str, SendOutcome] = {}

    def take(self, outcome: SendOutcome) -> PendingDelivery:
        """Note an outcome, the latest of its instance; returns the delivery."""
        uid = outcome.instance.sop_instance_uid
        self._outcomes[uid] = outcome
        return self._deliveries[uid]

    def attempted(self) -> list[Attempted]:
        """Deliveries and their outcomes, in the order of sending."""
        return [
            (one, self._outcomes[uid])
            for uid, one in self._deliveries.items()
            if uid in self._outcomes
        ]

    def failures(self) -> list[Attempted]:
        """Deliveries that are to be tried again."""
        return [(one, outcome) for one, outcome in self.attempted() if outcome.state in _PASSING]

    def past_images(self) -> list[InstanceToSend]:
        """Results to send without the images before them, as those have held them up for too long.

        Some systems end the association at an image that they have already. If they did so in
        several attempts in a row, in which they answered nothing, the results are sent alone.
        """
        attempted = self.attempted()
        unanswered = [one for one, outcome in attempted if outcome.is_unanswered]
        is_answered = any(outcome.status is not None for _, outcome in attempted)
        if is_answered or not unanswered or not all(map(is_received, unanswered)):
            return []
        results = [(one, outcome) for one, outcome in attempted if not is_received(one)]
        if any(one.attempts + 1 < _ATTEMPTS_AT_IMAGES for one, _ in results):
            return []
        return [outcome.instance for _, outcome in results]
