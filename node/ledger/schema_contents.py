"""Metadata of all tables of the ledger, and tables of content choices and refusals."""

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

content_choices = Table(  # which of several contents under the UIDs of a series a person chose
    "content_choices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_instance_uid", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("taken", String(16), nullable=False),  # newest, first
    Column("instances", Integer, nullable=False),
    Column("differences", Text, nullable=False),  # attributes and numbers of instances; no values
    Column("person", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Index(None, "series_instance_uid"),
)

refusals = Table(  # instances that were sent and not stored: their series is incomplete
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_instance_uid", String(64), nullable=False),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("words", Text, nullable=False),
    UniqueConstraint("series_instance_uid", "sop_instance_uid"),
)
