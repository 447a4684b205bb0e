"""Rows of optional items that are withheld from peers, as they end associations that offer them."""

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from network.optional_items import Items, OptionalItem
from node.ledger.node_tables import withheld

_FORGOTTEN_AFTER_S = 30 * 86_400.0
"""Time after which an item is offered again, as the peer may have been mended."""


Place = tuple[str, str, int]
"""AE title, host and port of a peer."""


def withheld_from(connection: Connection, place: Place, now: float) -> Items:
    """Return the items that are withheld from a peer; those of the last 30 days."""
    rows = select(withheld.c.item).where(_at(place), withheld.c.since > now - _FORGOTTEN_AFTER_S)
    found = set(connection.scalars(rows))
    return frozenset(item for item in OptionalItem if item in found)


def withhold(connection: Connection, place: Place, items: Items, now: float) -> Items:
    """Record that a peer answers without `items`; return those that are new."""
    new = items - withheld_from(connection, place, now)
    if new:
        key = dict(zip(("ae_title", "ip", "port"), place, strict=True))
        connection.execute(delete(withheld).where(_at(place), withheld.c.item.in_(new)))
        rows = [key | {"item": str(item), "since": now} for item in new]
        connection.execute(insert(withheld), rows)
    return new


def _at(place: Place) -> ColumnElement[bool]:
    ae_title, ip, port = place
    where = (withheld.c.ae_title == ae_title) & (withheld.c.ip == ip)
    return where & (withheld.c.port == port)
