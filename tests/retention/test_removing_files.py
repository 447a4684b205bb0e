"""Old files go, never before what was made of them arrived; their story stays."""

from pathlib import Path

import pydicom
import pytest
from sqlalchemy import delete, update

from node.commands import ask, carry_out
from node.ledger.__main__ import main
from node.ledger.row_states import SeriesState
from node.ledger.schema import deliveries, instances
from node.ledger.tables.deliveries import delivery_states
from node.ledger.tables.proofs import queue_proof
from node.retention import Retention
from node.verbs import RESEND
from tests.retention.conftest import DAY_S, Store
from tests.support.completion import Start, series_uid
from tests.support.databases import database_url_for


def test_sources_and_results_go_after_their_days_and_the_story_stays(store: Store) -> None:
    store.arrive()
    assert store.after(9.9) == []
    [sources] = store.after(0.2)
    assert (sources.kind, sources.why_it_stays) == ("sources", "")
    assert store.sources() == []
    assert store.results.exists()
    [results] = store.after(10)
    assert (results.kind, results.why_it_stays) == ("results", "")
    assert not store.results.exists()
    told = store.completion.words(store.paths)
    assert "sources, 10 files, 0.5 MB" in told
    assert any(words.startswith("results of job ") for words in told)
    assert store.removed_rows() == 10


@pytest.mark.parametrize("state", ["waiting", "refused", "given up"])
def test_nothing_goes_that_has_not_arrived(store: Store, state: str) -> None:
    store.arrive()
    with store.completion.ledger.writing() as connection:
        last = deliveries.c.sop_instance_uid == "1.2.840.9"
        connection.execute(update(deliveries).where(last).values(state=state))
    found = store.after(1000)
    assert [one.kind for one in found] == ["results", "sources"]
    verb = "still to send" if state == "waiting" else state
    assert all(one.why_it_stays.endswith(f"tps: 1 instances {verb}") for one in found)
    assert len(store.sources()) == 10
    assert (store.results / "dicom" / "rs.dcm").exists()


def test_nothing_goes_that_a_peer_has_not_proven_to_hold(store: Store) -> None:
    store.arrive()
    with store.completion.ledger.writing() as connection:
        queue_proof(connection, store.job.job_id, "tps", store.completion.clock.now)
    assert {one.why_it_stays.split(", ")[1] for one in store.after(1000)} == {
        "tps: proof is waiting"
    }
    assert len(store.sources()) == 10


def test_what_was_committed_to_a_peer_is_never_removed(store: Store) -> None:
    store.arrive()
    with store.completion.ledger.writing() as connection:
        connection.execute(update(instances).where(instances.c.id < 4).values(committed_at=1.0))
    sources = store.after(1000)[-1]
    words = "3 instances were committed to a peer, which may have deleted its own"
    assert (sources.kind, sources.why_it_stays) == ("sources", words)
    assert len(store.sources()) == 10


def test_a_series_that_waits_for_a_person_stays(start: Start, store: Store) -> None:
    store.arrive()
    store.completion.send(store.paths[:1], outcome="aborted")
    with store.completion.ledger.writing() as connection:
        connection.execute(update(instances).where(instances.c.id == 1).values(differs=True))
    store.completion.settle()
    assert store.completion.series(store.paths).state == SeriesState.HELD
    assert store.after(1000)[-1].why_it_stays == "the series is held"
    assert len(store.sources()) == 10


def test_without_days_nothing_ever_goes(start: Start, store: Store) -> None:
    store.arrive()
    settings = store.completion.configuration.retention
    for name in ("results_days", "sources_days"):
        object.__setattr__(settings, name, None)
    assert store.after(10_000) == []
    assert len(store.sources()) == 10


def test_a_removed_series_that_comes_again_runs_again(store: Store) -> None:
    store.arrive()
    store.after(1000)
    first = store.job
    store.completion.send(store.paths)
    store.completion.settle()
    assert store.completion.series(store.paths).state == SeriesState.PROCESSING
    assert len(store.sources()) == 10
    assert store.removed_rows() == 0
    assert store.job.job_id != first.job_id
    store.after(1)
    assert len(store.sources()) == 10


def test_a_part_of_a_removed_series_that_comes_again_is_held(store: Store) -> None:
    store.arrive()
    store.after(1000)
    store.completion.send(store.paths[:3])
    store.completion.settle()
    row = store.completion.series(store.paths)
    assert row.state == SeriesState.HELD
    assert row.reason.startswith("7 of 10 instances were removed by retention")


def test_resend_says_that_results_are_gone(store: Store) -> None:
    store.arrive()
    store.after(1000)
    ask(store.completion.ledger, RESEND, series_uid(store.paths))
    carry_out(store.completion.ledger)
    words = "nothing sent: the results of 1 jobs were removed by retention"
    assert store.completion.words(store.paths)[-1] == words


def test_resend_sends_the_results_whose_sources_are_gone(store: Store) -> None:
    store.arrive()
    store.after(11)
    ask(store.completion.ledger, RESEND, series_uid(store.paths))
    carry_out(store.completion.ledger)
    with store.completion.ledger.reading() as connection:
        states = {one.state: one.count for one in delivery_states(connection, store.job.job_id)}
    assert states == {"stored": 10, "waiting": 1}


def test_files_that_a_kill_left_behind_go_at_the_next_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.arrive()
    with monkeypatch.context() as killed:
        killed.setattr(store.retention, "_remove_files", lambda _: None)
        store.after(1000)
    assert len(store.sources()) == 10
    assert store.removed_rows() == 10
    again = type(store.retention)(store.completion.configuration, store.completion.ledger)
    again.remove_due()
    assert store.sources() == []
    assert not store.results.exists()


def test_a_dry_run_shows_what_would_go_and_removes_nothing(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.arrive()
    storage_path = store.completion.configuration.storage_path
    config = storage_path.parent / "config.yaml"
    config.write_text("retention: {sources_days: 10, results_days: 20}\n")
    url = database_url_for(storage_path)
    flags = [] if url is None else ["--database_url", url]
    flags += ["--config", str(config), "--storage_path", str(storage_path)]
    capsys.readouterr()
    assert main([*flags, "retention"]) == 0
    results, sources, total = capsys.readouterr().out.splitlines()
    assert results.startswith(f"Series {series_uid(store.paths)}: results of job ")
    assert sources == f"Series {series_uid(store.paths)}: sources, 10 files, 0.5 MB: go"
    assert total == "2 are older than configured; 2 go, 0 stay"
    assert store.results.exists()
    assert len(store.sources()) == 10


def test_nothing_goes_that_was_sent_nowhere(store: Store) -> None:
    with store.completion.ledger.writing() as connection:
        connection.execute(delete(deliveries))
    found = store.after(1000)
    assert all(one.why_it_stays.endswith("its results were sent nowhere") for one in found)
    assert len(store.sources()) == 10
    assert store.results.exists()


def test_a_clock_that_jumps_ahead_removes_nothing(store: Store) -> None:
    store.arrive()
    steady = [0.0]
    configuration, ledger = store.completion.configuration, store.completion.ledger
    retention = Retention(configuration, ledger, lambda: steady[0])
    store.completion.clock.now += 4000
    steady[0] += 4000
    retention.remove_due()
    store.completion.clock.now += 40 * DAY_S  # somebody set it
    retention.remove_due()
    assert len(store.sources()) == 10
    steady[0] += 3601
    store.completion.clock.now += 3601
    retention.remove_due()
    assert store.sources() == []


def test_a_removed_series_that_comes_again_with_another_attribute_takes_its_place(
    store: Store, tmp_path: Path
) -> None:
    store.arrive()
    store.after(1000)
    changed = []
    for path in store.paths:
        data_set = pydicom.dcmread(path)
        data_set.SeriesDescription = "renamed in the archive"
        changed.append(tmp_path / path.name)
        data_set.save_as(changed[-1])
    store.completion.send(changed)
    store.completion.settle()
    assert store.completion.series(store.paths).state == SeriesState.PROCESSING
    assert len(store.job.request.instance_paths) == 10
    again = type(store.retention)(store.completion.configuration, store.completion.ledger)
    again.remove_due()  # what a kill left of the removed ones
    assert len(store.sources()) == 10
