"""Files are made from the logs whatever stands in the way of one; nothing is thrown away."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from node.ledger.schema import associations, instances, receipts, series
from node.ledger.tables.instances import find_instances
from node.scp.instance_store import KNOWN, STORED, Arrival
from node.wal import checkpointer as filing_module
from node.wal.files import copy_records
from node.wal.segments import Record
from tests.receiving.logged import Place
from tests.support.node_process import wait_until


def test_what_an_older_ledger_does_not_know_is_kept(place: Place, arrivals: list[Arrival]) -> None:
    log = place.inbox.logbook.open()
    for one in arrivals:
        assert place.inbox.receive(one, log) == STORED
    with place.ledger.writing() as connection:
        for table in (receipts, instances, series, associations):
            connection.execute(table.delete())
    [segment] = place.logs()
    content = segment.read_bytes()
    again = place.started_again()
    assert again.inbox.logbook.recover() == 0
    again.settled()
    assert place.files() == []
    assert segment.with_suffix(".kept").read_bytes() == content


def test_a_file_that_will_not_be_made_leaves_nothing_behind(
    place: Place, arrivals: list[Arrival]
) -> None:
    said = []
    for _ in range(3):
        log = place.inbox.logbook.open()
        said.append(place.inbox.receive(arrivals[0], log))
        log.close()
        wait_until(lambda: len(place.files()) == 1 and not place.logs(), 10.0)
    assert said == [STORED, KNOWN, KNOWN]
    assert len(place.files()) == 1
    assert place.inbox.filing.tracked == 0


def test_a_log_that_cannot_be_read_keeps_no_other_from_its_files(
    place: Place, arrivals: list[Arrival], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_module, "_PAUSE_S", 0.05)
    bad, good = place.inbox.logbook.open(), place.inbox.logbook.open()
    place.inbox.receive(arrivals[0], bad)
    [segment] = place.logs()
    place.inbox.receive(arrivals[1], good)

    def fail_for_one(copies: Iterable[tuple[Record, Path]]) -> None:
        wanted = list(copies)
        if any(record.segment == segment for record, _ in wanted):
            raise OSError(5, "Input/output error")
        copy_records(wanted)

    monkeypatch.setattr(filing_module, "copy_records", fail_for_one)
    bad.close()
    good.close()
    wait_until(lambda: len(place.files()) == 1, 10.0)
    assert segment.exists()
    monkeypatch.setattr(filing_module, "copy_records", copy_records)
    place.settled()
    assert len(place.files()) == 2


def test_without_another_thread_files_wait_for_the_next_log(
    place: Place, arrivals: list[Arrival], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = place.inbox.logbook.open(), place.inbox.logbook.open()
    place.inbox.receive(arrivals[0], first)
    place.inbox.receive(arrivals[1], second)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        first.close()
    assert not place.inbox.filing.finish(0.1)
    second.close()
    place.settled()
    assert len(place.files()) == 2


def test_another_content_than_the_ledger_knows_is_not_made(
    place: Place, arrivals: list[Arrival]
) -> None:
    log = place.inbox.logbook.open()
    place.inbox.receive(arrivals[0], log)
    with place.ledger.reading() as connection:
        [(_, digest, path)] = find_instances(connection, arrivals[0].sop_instance_uid)
    place.inbox.filing.settle(path, "another hash")
    assert place.files() == []
    place.inbox.filing.settle(path, digest)
    assert len(place.files()) == 1
    log.close()


def test_a_long_association_gets_files_while_it_goes_on(
    place: Place, arrivals: list[Arrival], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.writer._SEGMENT_RECORDS", 2)
    log = place.inbox.logbook.open()
    for one in arrivals[:3]:
        place.inbox.receive(one, log)
    wait_until(lambda: len(place.files()) == 2, 10.0)
    log.close()


def test_far_behind_each_instance_gets_its_file_at_once(
    place: Place, arrivals: list[Arrival], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.writer._MOST_PENDING", 1)
    log = place.inbox.logbook.open()
    for one in arrivals:
        assert place.inbox.receive(one, log) == STORED
    assert len(place.files()) == 2
    log.close()
    place.settled()
    assert len(place.files()) == 4
