"""Open the files of results to send, and check that they are those that were committed."""

from collections.abc import Sequence
from pathlib import Path

from core.config.settings import Configuration
from core.errors import NotADataSetError
from core.storage_layout import IN_LEDGER
from network.scu.outgoing import InstanceToSend, instance_to_send
from node.delivery.hashes import content_hash, file_hash
from node.ledger.database import Ledger
from node.ledger.tables.deliveries import PendingDelivery
from node.ledger.tables.instances import find_instances

Sendable = tuple[PendingDelivery, InstanceToSend]
Unusable = tuple[PendingDelivery, str]
"""A delivery, and why its file is not sent, in words."""


def committed_instances(
    pending: Sequence[PendingDelivery], ledger: Ledger, configuration: Configuration
) -> tuple[list[Sendable], list[Unusable]]:
    """Open the files of deliveries; returns those to send, and those that must not be sent."""
    sendable, unusable = list[Sendable](), list[Unusable]()
    for one in pending:
        try:
            instance = instance_to_send(configuration.storage_path / one.path)
            is_changed = _is_changed(one, instance, ledger)
        except (NotADataSetError, OSError) as error:
            unusable.append((one, f"file cannot be read: {type(error).__name__}"))
            continue
        if is_changed:
            unusable.append((one, "file is not the one that was committed: not sent"))
        else:
            sendable.append((one, instance))
    return sendable, unusable


def _is_changed(pending: PendingDelivery, instance: InstanceToSend, ledger: Ledger) -> bool:
    """True if the file is no longer the one that the pipeline wrote, or that was received."""
    if pending.sha256:
        return file_hash(instance.path) != pending.sha256
    if not is_received(pending):
        return False  # written by an older version, which recorded no hashes
    with ledger.reading() as connection:
        known = find_instances(connection, pending.sop_instance_uid)
    received = {path: digest for _, digest, path in known}.get(pending.path)
    return content_hash(instance.path, instance.transfer_syntax_uid) != received


def is_received(pending: PendingDelivery) -> bool:
    """True for an instance that a sender brought, False for a result."""
    return not pending.sha256 and not Path(pending.path).is_relative_to(IN_LEDGER.results)
