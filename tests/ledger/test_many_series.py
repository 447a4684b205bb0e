"""A long history is shown by its latest series, and searched through indexes."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bench.history import add_history, uid
from core.storage_layout import StorageLayout
from node.ledger.__main__ import main
from node.ledger.database import Ledger
from node.ledger.requests.jobs import fail_job, jobs_of, start_job
from node.ledger.row_states import SeriesState
from node.ledger.tables.series import set_state
from node.ledger.views.series_history import history_of, latest_histories
from tests.support.databases import database_url_for, open_test_ledger

SERIES = 120


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = open_test_ledger(tmp_path)
    add_history(ledger, 0, SERIES)
    return ledger


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> list[str]:
    url = database_url_for(folder)
    flags = ["--storage_path", str(folder), *([] if url is None else ["--database_url", url])]
    assert main([*flags, *words]) == 0
    return [line.split()[3] for line in capsys.readouterr().out.splitlines()[1:]]


def test_list_shows_the_latest_fifty_the_latest_last_and_all_when_asked(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = [uid("series", number) for number in range(SERIES)]
    assert told(capsys, tmp_path, "list") == everything[-50:]
    assert told(capsys, tmp_path, "list", "--all") == everything


def test_series_are_listed_by_where_they_or_their_jobs_stand(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        set_state(connection, uid("series", 7), SeriesState.HELD, "no rule")
        [job] = jobs_of(connection, uid("series", 3))
        start_job(connection, job.job_id, now=1.0)
        assert fail_job(connection, job.job_id, "out of memory", now=1.0)
    by_state = {
        state: [one.series_instance_uid for one in latest_histories(ledger, None, state)]
        for state in ("held", "failed", "sending", "delivered", "queued")
    }
    assert by_state["held"] == [uid("series", 7)]
    assert by_state["failed"] == [uid("series", 3)]
    assert by_state["sending"] == by_state["queued"] == []
    assert len(by_state["delivered"]) == SERIES - 2


def test_a_whole_uid_comes_before_a_later_series_that_ends_with_it(ledger: Ledger) -> None:
    whole = uid("series", 5)
    assert history_of(ledger, whole) == history_of(ledger, whole[-12:])
    assert history_of(ledger, "%") is None


def test_the_latest_are_found_without_sorting_all(ledger: Ledger, tmp_path: Path) -> None:
    if database_url_for(tmp_path) is not None:
        # bench.ledger measures it there, at a million instances
        pytest.skip("PostgreSQL sorts a short table on purpose")  # so its plan proves nothing
    questions = (
        "SELECT * FROM series ORDER BY last_at DESC LIMIT 50",
        "SELECT * FROM series WHERE state = 'held' ORDER BY last_at DESC LIMIT 50",
        "SELECT * FROM jobs WHERE state = 'queued' ORDER BY created_at LIMIT 1",
    )
    with create_engine(f"sqlite:///{StorageLayout(tmp_path).ledger}").connect() as connection:
        for question in questions:
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {question}")).all()
            assert "USING INDEX" in plan[0].detail
            assert len(plan) == 1  # no B-tree for the order
