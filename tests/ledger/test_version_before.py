"""A storage folder that the version before really wrote goes on where it stood."""

import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa

from core.storage_layout import IN_LEDGER, StorageLayout
from node.ledger.database import Ledger, open_ledger
from node.ledger.dialects import WRITING, begin, make_engine
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requests import requests_of
from node.ledger.views.series_history import SeriesHistory, history_of
from tests.support.databases import empty_database_url_for
from tests.support.node_process import NodeProcess, Sink

HERE = Path(__file__).parent
MIGRATIONS = Path(__file__).parents[2] / "node" / "migrations"
ROOT = "1.2.826.0.1.3680043.8.498.77"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Of the folder that the version before wrote, opened by this one."""
    opened = open_ledger(tmp_path, database_url=unpack(tmp_path))
    yield opened
    opened.close()


def unpack(storage_path: Path) -> str | None:
    """Lay the folder out; its ledger's database, None for SQLite."""
    with tarfile.open(HERE / "version_0_1" / "storage.tar.xz") as archive:
        archive.extractall(storage_path, filter="data")
    url = empty_database_url_for(storage_path)
    if url is not None:
        move(StorageLayout(storage_path).ledger, url)
    return url


def move(path: Path, url: str) -> None:
    """Bring the rows of a SQLite ledger into an empty database, with the tables of their time."""
    source, target = make_engine(f"sqlite:///{path}"), make_engine(url)
    with source.connect() as old, target.connect() as new, begin(new, WRITING):
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = new
        alembic.command.upgrade(config, "0004")
        tables = sa.MetaData()
        tables.reflect(new)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in old.execute(sa.select(table)).mappings()]
            if rows and table.name != "alembic_version":
                new.execute(sa.insert(table), rows)
        for table in tables.sorted_tables:
            if "id" in table.c:
                name = table.name
                last = f"(SELECT coalesce(max(id), 0) + 1 FROM {name})"
                new.execute(sa.text(f"SELECT setval('{name}_id_seq', {last}, false)"))
    source.dispose()
    target.dispose()


def uid(number: int) -> str:
    return f"{ROOT}.{number}.2000"


def history(ledger: Ledger, number: int) -> SeriesHistory:
    found = history_of(ledger, uid(number))
    assert found is not None
    return found


def test_the_folder_was_written_by_the_version_before(tmp_path: Path) -> None:
    with tarfile.open(HERE / "version_0_1" / "storage.tar.xz") as archive:
        archive.extract(f"./{IN_LEDGER.ledger}", tmp_path, filter="data")
    with sqlite3.connect(StorageLayout(tmp_path).ledger) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("0004",)
        ]


@pytest.mark.parametrize(("number", "state"), [(1, "delivered"), (3, "kept"), (7, "delivered")])
def test_each_case_stands_where_it_stood(ledger: Ledger, number: int, state: str) -> None:
    assert history(ledger, number).state == state


def test_what_waits_for_a_peer_waits_on(ledger: Ledger) -> None:
    told = history(ledger, 2)
    assert told.state == "sending"
    assert "away: 5 to send" in told.reason


def test_each_sender_of_a_series_has_a_request_with_its_jobs(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        requests = requests_of(connection, uid(2))
        jobs = [jobs_of_requests(connection, [one.key]) for one in requests]
    assert [one.sender.calling_ae_title for one in requests] == ["TPS", "AWAY"]
    assert [[job.pipeline for job in of_request] for of_request in jobs] == [["blur"], ["blur"]]
    assert jobs[0][0].job_id == jobs[1][0].job_id


def test_a_node_that_starts_on_it_delivers_what_waits_and_holds_what_was_held(
    tmp_path: Path,
) -> None:
    sink = Sink()
    peers = [
        {"name": name, "ae_title": name.upper(), "ip": "127.0.0.1", "port": sink.port}
        for name in ("tps", "away")
    ]
    storage_path = tmp_path / "storage"
    storage_path.mkdir()
    unpack(storage_path)  # before the node's own database would be made
    rules = [{"called_ae_title": "BLUR", "pipeline": "blur"}]
    node = NodeProcess(tmp_path, peers=peers, rules=rules)
    try:
        node.start()
        assert len(sink.wait_for(1)) == 5
        node.wait_for_state(uid(2), "delivered")
        held = [node.wait_for_state(uid(number), "held").reason for number in (4, 5, 6)]
    finally:
        node.stop()
        sink.close()
    cut_off, disputed, gap = held
    assert "3 of 3 instances" in cut_off
    assert "PatientID on 5" in disputed
    assert "gap of 6 mm" in gap
