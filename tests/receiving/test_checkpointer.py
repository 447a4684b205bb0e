"""Files are made from the logs whatever stands in the way of one; nothing is thrown away."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from node.ledger.schema import associations, instances, receptions, series
from node.ledger.tables.instances import find_instances
from node.scp.instance_store import KNOWN, STORED, ReceivedInstance
from node.wal import checkpointer as filing_module
from node.wal.files import copy_records
from node.wal.segments import Record
from tests.receiving.logged import Place
from tests.support.node_process import wait_until


def test_what_an_older_ledger_does_not_know_is_kept(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        assert place.instance_store.receive(one, log) == STORED
    with place.ledger.writing() as connection:
        for table in (receptions, instances, series, associations):
            connection.execute(table.delete())
    [segment] = place.logs()
    content = segment.read_bytes()
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 0
    again.settled()
    assert place.files() == []
    assert segment.with_suffix(".kept").read_bytes() == content


def test_a_file_that_will_not_be_made_leaves_nothing_behind(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    said = []
    for _ in range(3):
        log = place.instance_store.wal_writer.open()
        said.append(place.instance_store.receive(received_instances[0], log))
        log.close()
        wait_until(lambda: len(place.files()) == 1 and not place.logs())
    assert said == [STORED, KNOWN, KNOWN]
    assert len(place.files()) == 1
    assert place.instance_store.checkpointer.tracked == 0


def test_a_log_that_cannot_be_read_keeps_no_other_from_its_files(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_module, "_PAUSE_S", 0.05)
    bad, good = place.instance_store.wal_writer.open(), place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], bad)
    [segment] = place.logs()
    place.instance_store.receive(received_instances[1], good)

    def fail_for_one(copies: Iterable[tuple[Record, Path]]) -> None:
        wanted = list(copies)
        if any(record.segment == segment for record, _ in wanted):
            raise OSError(5, "Input/output error")
        copy_records(wanted)

    monkeypatch.setattr(filing_module, "copy_records", fail_for_one)
    bad.close()
    good.close()
    wait_until(lambda: len(place.files()) == 1)
    assert segment.exists()
    monkeypatch.setattr(filing_module, "copy_records", copy_records)
    place.settled()
    assert len(place.files()) == 2


def test_without_another_thread_files_wait_for_the_next_log(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = place.instance_store.wal_writer.open(), place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], first)
    place.instance_store.receive(received_instances[1], second)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        first.close()
    assert not place.instance_store.checkpointer.finish(0.1)
    second.close()
    place.settled()
    assert len(place.files()) == 2


def test_another_content_than_the_ledger_knows_is_not_made(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], log)
    with place.ledger.reading() as connection:
        [(_, digest, path)] = find_instances(connection, received_instances[0].sop_instance_uid)
    place.instance_store.checkpointer.make_now(path, "another hash")
    assert place.files() == []
    place.instance_store.checkpointer.make_now(path, digest)
    assert len(place.files()) == 1
    log.close()


def test_a_long_association_gets_files_while_it_goes_on(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.writer._SEGMENT_RECORDS", 2)
    log = place.instance_store.wal_writer.open()
    for one in received_instances[:3]:
        place.instance_store.receive(one, log)
    wait_until(lambda: len(place.files()) == 2)
    log.close()


def test_far_behind_each_instance_gets_its_file_at_once(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.writer._MOST_PENDING", 1)
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        assert place.instance_store.receive(one, log) == STORED
    assert len(place.files()) == 2
    log.close()
    place.settled()
    assert len(place.files()) == 4
