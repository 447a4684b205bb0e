"""Remember what peers cannot stand in association requests, and leave it out from then on."""

from dataclasses import replace

import structlog

from core.errors import StorageUnavailableError
from network.optional_items import Items, words_of_items
from network.scu.peer_address import PeerAddress
from node.ledger.database import Ledger
from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from node.ledger.tables.withheld import Place, withheld_from, withhold

log = structlog.get_logger("wire")


def as_known(peer: PeerAddress, ledger: Ledger) -> PeerAddress:
    """The address of a peer without what the ledger knows that it cannot stand.

    What is learned on associations with the address is recorded.

    Raises:
        StorageUnavailableError: the ledger cannot be read now.
    """
    with ledger.reading() as connection:
        known = withheld_from(connection, _place(peer), ledger.clock())

    def learn(items: Items) -> None:
        _record(peer, items, ledger)

    return replace(peer, leaves_out=peer.leaves_out | (known - peer.keeps), learn=learn)


def _place(peer: PeerAddress) -> Place:
    return peer.ae_title, peer.ip, peer.port


def _record(peer: PeerAddress, items: Items, ledger: Ledger) -> None:
    words = (
        f"{peer} gave no answer on an association with {words_of_items(items)}, and answers "
        "without; it is left out from now on (`negotiation` of the peer says otherwise)"
    )
    try:
        with ledger.writing() as connection:
            now = ledger.clock()
            if withhold(connection, _place(peer), items, now):
                record_event(connection, EventKind.PEER, words, now=now)
                log.warning(f"less is offered: {words}")
    except StorageUnavailableError as error:
        log.error("what a peer cannot stand was not recorded", reason=str(error))
