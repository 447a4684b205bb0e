"""How much its sender has can hold a series back; it never starts one early."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.config.routing import Peer
from node.commands import ask, carry_out
from node.ledger.row_states import SeriesState
from node.ledger.tables.instances import ABORTED
from node.ledger.tables.series import SeriesRow
from tests.support.archive import Archive
from tests.support.completion import Completion, Start, series_uid


@pytest.fixture
def archive(ct_paths: list[Path]) -> Iterator[Archive]:
    """Has the ten slices that are sent, and knows how many that are."""
    uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in ct_paths]
    archive = Archive({series_uid(ct_paths): uids})
    yield archive
    archive.close()


@pytest.fixture
def asking(start: Start, archive: Archive) -> Completion:
    """The sender TPS is a peer that answers C-FIND elsewhere than it stores."""
    return start(peers=[peer(archive)], completion={"recount_s": 30, "wait_for_rest_s": 600})


def peer(archive: Archive, **keys: Any) -> dict[str, Any]:
    settings = {"name": "pacs", "ae_title": "TPS", "ip": "127.0.0.1", "port": 9, "query": True}
    return settings | {"query_port": archive.port, "query_ae_title": "ARCHIVE"} | keys


def test_a_series_runs_when_all_that_its_sender_has_is_here(
    asking: Completion, archive: Archive, ct_paths: list[Path]
) -> None:
    asking.send(ct_paths)
    asking.settle()
    assert asking.series(ct_paths).state == SeriesState.PROCESSING
    assert "pacs has 10 instances" in asking.words(ct_paths)
    assert archive.queries == 1


@pytest.mark.parametrize("counts", [True, False])
def test_a_series_waits_for_the_rest_and_asks_again(
    asking: Completion, archive: Archive, ct_paths: list[Path], counts: bool
) -> None:
    archive.counts = counts
    asking.send(ct_paths[:8])
    asking.settle()
    row = asking.series(ct_paths)
    assert (row.state, row.reason) == (
        SeriesState.SETTLING,
        "8 of 10 instances that pacs has are here",
    )
    asking.settle(29)
    assert archive.queries == (1 if counts else 2)
    asking.settle(1)
    assert archive.queries == (2 if counts else 4)
    assert asking.jobs(ct_paths) == []
    asking.send(ct_paths[8:])
    asking.settle()
    assert len(asking.jobs(ct_paths)) == 1


def test_a_rest_that_never_comes_holds_the_series_and_a_person_can_let_it_run(
    asking: Completion, ct_paths: list[Path]
) -> None:
    asking.send(ct_paths[:8])
    for _ in range(22):
        asking.settle(30)
    row = asking.series(ct_paths)
    assert row.state == SeriesState.HELD
    assert row.reason.startswith("8 of 10 instances that pacs has are here, and no more came")
    ask(asking.ledger, "release", series_uid(ct_paths))
    carry_out(asking.ledger)
    asking.settle(0)
    assert len(asking.jobs(ct_paths)) == 1


def test_a_count_never_starts_a_series_before_its_association_ended_and_settled(
    asking: Completion, archive: Archive, ct_paths: list[Path]
) -> None:
    association = asking.open()
    asking.receive(association, ct_paths)
    asking.settle(1000)
    assert archive.queries == 0
    asking.series_completion.association_ended(association, "released")
    asking.settle(4.9)
    assert archive.queries == 0
    asking.settle(0.2)
    assert asking.series(ct_paths).state == SeriesState.PROCESSING


def test_an_aborted_series_of_which_all_is_here_runs(
    asking: Completion, ct_paths: list[Path]
) -> None:
    asking.send(ct_paths, outcome=ABORTED)
    asking.settle()
    assert asking.series(ct_paths).state == SeriesState.PROCESSING


def test_an_aborted_series_stays_held_when_its_sender_does_not_say(
    asking: Completion, archive: Archive, ct_paths: list[Path]
) -> None:
    archive.holdings.clear()
    asking.send(ct_paths, outcome=ABORTED)
    asking.settle()
    assert asking.series(ct_paths).state == SeriesState.HELD
    assert "pacs does not find the series" in asking.words(ct_paths)


def test_a_sender_that_cannot_be_asked_holds_nothing_up(
    asking: Completion, archive: Archive, ct_paths: list[Path]
) -> None:
    archive.status = 0xA700
    asking.send(ct_paths)
    asking.settle()
    assert asking.series(ct_paths).state == SeriesState.PROCESSING
    assert any("pacs could not be asked: " in words for words in asking.words(ct_paths))


def test_more_here_than_its_sender_has_runs(
    asking: Completion, archive: Archive, ct_paths: list[Path]
) -> None:
    del archive.holdings[series_uid(ct_paths)][5:]
    asking.send(ct_paths)
    asking.settle()
    assert asking.series(ct_paths).state == SeriesState.PROCESSING


def test_a_peer_is_asked_about_one_series_at_a_time(
    start: Start, archive: Archive, ct_paths: list[Path], cine_folder: Path
) -> None:
    asked, let_go = [], threading.Event()

    def count(_: Peer, row: SeriesRow) -> int:
        asked.append(row.series_instance_uid)
        let_go.wait(60)
        return 10

    completion = start(count, peers=[peer(archive)])
    others = sorted(cine_folder.glob("*.dcm"))
    completion.send(ct_paths)
    completion.send(others)
    completion.clock.now += 10
    for _ in range(3):
        completion.series_completion.examine_due()
    assert len(asked) == 1
    let_go.set()
    for _ in range(3):
        completion.asking.finish()
        completion.series_completion.examine_due()
    completion.asking.finish()
    assert len(set(asked)) == 2


def test_what_comes_while_the_sender_is_asked_is_not_overlooked(
    start: Start, archive: Archive, ct_paths: list[Path]
) -> None:
    made: list[Completion] = []
    late: list[Path] = []

    def count(*_: object) -> int:
        if not late:
            late.extend(ct_paths[8:])
            made[0].send(late)
        return 8

    made.append(start(count=count, peers=[peer(archive)]))
    made[0].send(ct_paths[:8])
    made[0].settle()
    assert made[0].series(ct_paths).state == SeriesState.SETTLING
    made[0].settle()
    [job] = made[0].jobs(ct_paths)
    assert len(job.request.instance_paths) == 10


def test_a_peer_with_a_settle_time_of_its_own_is_given_it(
    start: Start, archive: Archive, ct_paths: list[Path]
) -> None:
    completion = start(peers=[peer(archive, query=False, settle_s=60)])
    completion.send(ct_paths)
    completion.settle(59)
    assert completion.series(ct_paths).state == SeriesState.SETTLING
    completion.settle(1)
    assert completion.series(ct_paths).state == SeriesState.PROCESSING
