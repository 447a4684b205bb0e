"""A ledger that the version before wrote is brought along with everything that was asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa

from core.storage_layout import StorageLayout
from node.ledger.database import Ledger, open_ledger
from node.ledger.dialects import WRITING, begin, make_engine
from node.ledger.requests.jobs import Destination
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requested_jobs import find_requested_job, waiting_uids
from node.ledger.requests.requests import Request, requests_of
from node.ledger.schema import jobs
from tests.support.databases import empty_database_url_for

MIGRATIONS = Path(__file__).parents[2] / "node" / "migrations"
TPS: dict[str, Any] = {"peer": "tps", "ip": "192.0.2.1", "port": 104, "ae_title": "TPS"}
PACS: dict[str, Any] = {"peer": "pacs", "ip": "192.0.2.2", "port": 105, "ae_title": "PACS"}
STATES = ("arriving", "settling", "held", "kept", "processing", "cancelled")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Written with the tables of 0004, then opened by this version."""
    url = empty_database_url_for(tmp_path)
    engine = make_engine(url or f"sqlite:///{StorageLayout(tmp_path).ledger}")
    with engine.connect() as connection, begin(connection, WRITING):
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0004")
        fill(connection)
    engine.dispose()
    opened = open_ledger(tmp_path, database_url=url)
    yield opened
    opened.close()


def fill(connection: sa.Connection) -> None:
    """Series in every state, jobs of associations and of orders, orders in every state."""
    for number, state in enumerate(STATES):
        add_series(connection, f"1.{number}", state, calling=f"CALLING{number}")
    add_series(connection, "1.9", "processing", calling="", address="folder")
    add_job(connection, "old", "1.4", "done", [TPS], at=1.0)
    add_job(connection, "new", "1.4", "queued", [TPS, PACS], at=2.0)
    add_job(connection, "ordered", "1.4", "failed", [PACS], at=3.0, pipeline="unet")
    add_job(connection, "folder", "1.9", "failed", [TPS], at=4.0)
    add_order(connection, "a", "submitted", "1.4", job="ordered", named=["pacs"], pipeline="unet")
    add_order(connection, "b", "submitted", "1.9", job="folder")
    add_order(connection, "c", "held", "1.2", words="gap of 6 mm")
    add_order(connection, "d", "waiting", None)
    add_order(connection, "e", "failed", None, words="2 series")
    add_order(connection, "f", "read", "1.1", root="uploads")
    add_order(connection, "g", "cancelled", "1.5", words="cancelled by a person")


def insert(connection: sa.Connection, table: str, **values: Any) -> None:
    found = sa.Table(table, sa.MetaData(), autoload_with=connection)
    connection.execute(sa.insert(found).values(**values))


def add_series(
    connection: sa.Connection, uid: str, state: str, *, calling: str, address: str = "192.0.2.1"
) -> None:
    who = {"calling_ae_title": calling, "called_ae_title": "SOFT", "address": address}
    insert(
        connection,
        "series",
        **who,
        series_instance_uid=uid,
        study_instance_uid="1",
        state=state,
        reason="why" if state in ("held", "kept") else "",
        released_by_person=False,
        first_at=10.0,
        last_at=20.0,
    )
    key = int(uid.split(".")[1]) + 1
    insert(connection, "associations", id=key, **who, opened_at=5.0, outcome="released", reason="")
    insert(
        connection,
        "instances",
        id=key,
        sop_instance_uid=f"{uid}.1",
        sha256="0",
        series_instance_uid=uid,
        study_instance_uid="1",
        sop_class_uid="1",
        transfer_syntax_uid="1",
        size_bytes=1,
        path=uid,
        received_at=10.0,
        made_here=False,
        differs=False,
    )
    insert(connection, "receipts", association_id=key, instance_id=key)


def add_job(
    connection: sa.Connection,
    name: str,
    uid: str,
    state: str,
    destinations: list[dict[str, Any]],
    *,
    at: float,
    pipeline: str = "blur",
) -> None:
    insert(
        connection,
        "jobs",
        job_id=name,
        series_instance_uid=uid,
        state=state,
        reason="",
        request={"pipeline": pipeline, "resources": {"GPU": 1.0} if pipeline == "unet" else {}},
        destinations=destinations,
        progress=0.0,
        attempts=0,
        created_at=at,
    )


def add_order(
    connection: sa.Connection,
    uid: str,
    state: str,
    series: str | None,
    *,
    job: str | None = None,
    named: list[str] | None = None,
    words: str = "",
    root: str = "in_dir",
    pipeline: str = "blur",
) -> None:
    insert(
        connection,
        "orders",
        uid=uid,
        state=state,
        words=words,
        pipeline=pipeline,
        root=root,
        folder="",
        wanted="",
        destinations=named or [],
        person="Ada",
        address="192.0.2.7",
        created_at=7.0,
        series_instance_uid=series,
        job_id=job,
    )


def asked(ledger: Ledger, uid: str) -> list[Request]:
    with ledger.reading() as connection:
        return requests_of(connection, uid)


@pytest.mark.parametrize(
    ("number", "state"),
    list(enumerate(("waiting", "waiting", "held", "kept", "submitted", "cancelled"))),
)
def test_a_series_has_one_request_of_its_sender(ledger: Ledger, number: int, state: str) -> None:
    request = asked(ledger, f"1.{number}")[0]
    assert (request.source, request.state, request.outcome) == ("association", state, "released")
    assert request.sender.calling_ae_title == f"CALLING{number}"
    assert (request.sender.called_ae_title, request.sender.address) == ("SOFT", "192.0.2.1")
    assert (request.created_at, request.last_at, len(request.content)) == (10.0, 20.0, 64)
    assert request.reason == ("why" if state in ("held", "kept") else "")


def test_its_jobs_are_those_that_no_order_asked_for_with_their_destinations(
    ledger: Ledger,
) -> None:
    request, order = asked(ledger, "1.4")
    with ledger.reading() as connection:
        own = jobs_of_requests(connection, [request.key])
        ordered = jobs_of_requests(connection, [order.key])
    assert [(one.job_id, one.pipeline) for one in own] == [("old", "blur"), ("new", "blur")]
    assert own[1].destinations == (Destination(**TPS), Destination(**PACS))
    assert [(one.job_id, one.pipeline) for one in ordered] == [("ordered", "unet")]
    assert ordered[0].destinations == (Destination(**PACS),)


def test_orders_whose_folder_was_read_are_requests_of_their_series(ledger: Ledger) -> None:
    (order,) = asked(ledger, "1.9")  # a series that came from a folder has no other
    assert (order.source, order.person, order.order_uid) == ("folder", "Ada", "b")
    assert (order.state, order.pipeline, order.created_at) == ("submitted", "blur", 7.0)
    assert [one.source for one in asked(ledger, "1.1")] == ["association", "upload"]


def test_jobs_that_may_run_again_have_their_pipeline_and_what_it_needs_as_before(
    ledger: Ledger,
) -> None:
    columns = [jobs.c[name] for name in ("job_id", "pipeline", "resources", "priority")]
    with ledger.reading() as connection:
        found = {row.job_id: tuple(row)[1:] for row in connection.execute(sa.select(*columns))}
    assert found["new"] == ("blur", "", 0)
    assert found["folder"] == ("blur", "", 0)
    assert found["ordered"] == ("unet", '{"GPU": 1.0}', 0)
    assert found["old"] == ("", "", 0)  # done: the queue never reads it, and there may be millions


def test_orders_are_known_under_their_uids_as_before(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        orders = [find_requested_job(connection, uid) for uid in "abcdefg"]
        waiting = waiting_uids(connection)
    assert [one.state for one in orders if one is not None] == [
        "submitted",
        "submitted",
        "held",
        "waiting",
        "failed",
        "read",
        "cancelled",
    ]
    assert [one.job_id for one in orders if one is not None][:2] == ["ordered", "folder"]
    assert [one.words for one in orders if one is not None][2:5] == ["gap of 6 mm", "", "2 series"]
    assert waiting == {"d"}
