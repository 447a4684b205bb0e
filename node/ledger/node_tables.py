"""Tables about the node: current conditions, identity of the storage folder, sender habits."""

from sqlalchemy import Column, Float, Integer, String, Table, Text

from node.ledger import schema_contents

metadata = schema_contents.metadata

conditions = Table(  # current problems of the node: a full disk, a lost scheduler
    "conditions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("since", Float, nullable=False),
    Column("words", Text, nullable=False),
)

identity = Table(  # which storage folder this ledger belongs to
    "identity",
    metadata,
    Column("storage_id", String(32), primary_key=True),
)

withheld = Table(  # optional items without which a peer answers, and with which it did not
    "withheld",
    metadata,
    Column("ae_title", String(16), primary_key=True),
    Column("ip", String(255), primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("item", String(64), primary_key=True),  # network/optional_items.py names them
    Column("since", Float, nullable=False),
)

pauses = Table(  # pipelines of which no job begins, and peers to which nothing is sent
    "pauses",
    metadata,
    Column("what", String(16), primary_key=True),  # pipeline, peer
    Column("name", String(64), primary_key=True),
    Column("since", Float, nullable=False),
    Column("person", String(64), nullable=False),  # empty: the command line
    Column("address", String(64), nullable=False),
)

habits = Table(  # senders that open an association for each instance
    "habits",
    metadata,
    Column("calling_ae_title", String(16), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("longest_pause_s", Float, nullable=False),
    Column("at", Float, nullable=False),  # when that pause was
)
