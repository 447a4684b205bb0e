"""An association goes on in the log in which another one has just ended."""

import errno
import os
import threading

import pytest

from core.errors import StorageUnavailableError
from node.scp.instance_store import STORED, ReceivedInstance
from node.wal.open_segments import OpenSegments
from node.wal.segments import Segment
from tests.receiving.logged import Place
from tests.support.node_process import wait_until


def in_associations_of_its_own(place: Place, received_instances: list[ReceivedInstance]) -> None:
    for one in received_instances:
        log = place.instance_store.wal_writer.open()
        assert place.instance_store.receive(one, log) == STORED
        log.close()


def watchers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "logs at rest"]


def test_associations_one_after_another_share_a_log(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    place.instance_store.wal_writer._open_segments._rest_s = 60.0
    in_associations_of_its_own(place, received_instances)
    assert (len(place.logs()), place.files()) == (1, [])
    place.instance_store.stop(20.0)
    assert (place.logs(), len(place.files())) == ([], 4)


def test_associations_at_once_have_a_log_each(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    logs = [place.instance_store.wal_writer.open() for _ in received_instances]
    for log, one in zip(logs, received_instances, strict=True):
        assert place.instance_store.receive(one, log) == STORED
    assert len(place.logs()) == 4
    for log in logs:
        log.close()
    place.settled()
    assert len(place.files()) == 4


def test_where_nobody_goes_on_files_are_made(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    in_associations_of_its_own(place, received_instances[:1])
    place.settled()
    assert len(place.files()) == 1


def test_a_log_that_two_associations_wrote_is_recovered(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    place.instance_store.wal_writer._open_segments._rest_s = 60.0
    in_associations_of_its_own(place, received_instances)
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 4
    again.settled()
    assert len(place.files()) == 4


def test_a_log_whose_closing_fails_gets_its_files_all_the_same(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Segment.close

    def refused(segment: Segment) -> None:
        close(segment)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Segment, "close", refused)
    in_associations_of_its_own(place, received_instances)
    place.settled()
    assert len(place.files()) == 4


def test_a_log_that_the_disk_refused_is_left_to_nobody(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.instance_store.wal_writer._open_segments._rest_s = 60.0
    in_associations_of_its_own(place, received_instances[:1])
    [before] = place.logs()
    log, sync = place.instance_store.wal_writer.open(), os.fdatasync

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(StorageUnavailableError, match="Input/output error"):
        place.instance_store.receive(received_instances[1], log)
    monkeypatch.setattr(os, "fdatasync", sync)
    in_associations_of_its_own(place, received_instances[1:2])
    wait_until(lambda: before not in place.logs())
    place.instance_store.stop(20.0)
    assert len(place.files()) == 2


def test_its_thread_ends_when_nothing_rests(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.open_segments._IDLE_S", 0.2)
    before = watchers()
    in_associations_of_its_own(place, received_instances[:1])
    place.settled()
    wait_until(lambda: set(watchers()) <= set(before))
    in_associations_of_its_own(place, received_instances[1:2])  # and begins again
    place.settled()
    assert len(place.files()) == 2


def test_one_that_cannot_be_seen_to_holds_up_no_other(place: Place) -> None:
    done: list[Segment] = []

    def fail_first(segment: Segment) -> None:
        done.append(segment)
        if len(done) == 1:
            raise ZeroDivisionError

    open_segments = OpenSegments(fail_first, rest_s=0.05)
    segments = [Segment(place.folder / "incoming") for _ in range(2)]
    for one in segments:
        open_segments.put(one)
    wait_until(lambda: len(done) == 2)
    assert done == segments
    open_segments.close()
    open_segments.put(segments[0])
    assert done[2:] == segments[:1]
    for one in segments:
        one.close()


def test_without_a_thread_to_be_had_files_are_made_at_once(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "logs at rest":
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    in_associations_of_its_own(place, received_instances)
    place.settled()
    assert len(place.files()) == 4
