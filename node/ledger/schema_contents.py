"""Metadata of all tables of the ledger, and the table of content choices."""

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

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
