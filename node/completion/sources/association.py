"""Associations as sources: their series settle, and routing rules say what runs on them."""

from collections.abc import Sequence

from sqlalchemy import Connection

from core.config.settings import Configuration
from node.completion.settle_time import wait_after
from node.completion.sources.source import SourceEnd
from node.ledger.event_kinds import EventKind
from node.ledger.requests.requests import request_by_sender
from node.ledger.tables.ends import words_of_end
from node.ledger.tables.events import record_event
from node.ledger.tables.instances import sender_of
from node.ledger.tables.series import series_of_association, settle


class AssociationSource:
    """An association that a peer opened; its instances come by C-STORE (`node/scp`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def conclude(self, connection: Connection, end: SourceEnd) -> Sequence[str]:
        """Start the settle time of its series, and record a request of the sender for each."""
        association, now = end.association, end.at
        words = words_of_end(connection, association, end.outcome)
        sender = sender_of(connection, association)
        wait = wait_after(
            connection, self._configuration, association=association, sender=sender, now=now
        )
        uids = series_of_association(connection, association)
        for uid, priority in uids.items():
            settle(connection, uid, sender, now + wait.seconds, reason=wait.words)
            request_by_sender(
                connection, uid, sender, outcome=end.outcome, now=now, priority=priority
            )
            record_event(connection, EventKind.ASSOCIATION, words, now=now, series_instance_uid=uid)
        if wait.words:
            first = next(iter(uids))
            record_event(
                connection, EventKind.WAITING, wait.words, now=now, series_instance_uid=first
            )
        return list(uids)
