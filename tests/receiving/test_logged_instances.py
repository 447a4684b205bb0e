"""What was acknowledged is in a log first: its file comes afterwards, and after a crash, too."""

import os
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from core.errors import StorageUnavailableError
from core.priority import Priority
from node.ledger.group_commit import GroupCommit
from node.ledger.schema import instances, receptions, series
from node.ledger.tables.instances import find_instances
from node.ledger.tables.series import series_of_association
from node.scp.instance_store import DIFFERENT, KNOWN, STORED, ReceivedInstance
from node.wal import segments as segments_module
from node.wal.segments import Segment, records_of
from tests.receiving.logged import Place


def series_of(place: Place) -> str:
    with place.ledger.reading() as connection:
        return str(connection.scalar(series.select().with_only_columns(series.c[0])))


def test_an_instance_is_in_log_and_ledger_before_it_has_a_file(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    assert [place.instance_store.receive(one, log) for one in received_instances] == [STORED] * 4
    assert place.files() == []
    [segment] = place.logs()
    assert len(list(records_of(segment))) == 4
    assert place.instance_store.checkpointer.has_pending(series_of(place))
    log.close()
    place.settled()
    assert not place.instance_store.checkpointer.has_pending(series_of(place))
    sent = {bytes(one.file_meta) + bytes(one.data_set) for one in received_instances}
    assert {path.read_bytes() for path in place.files()} == sent


def test_after_a_crash_the_log_is_filed(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        place.instance_store.receive(one, log)
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 4
    again.settled()
    assert len(place.files()) == 4


def test_a_second_crash_while_files_are_made_doubles_nothing(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        place.instance_store.receive(one, log)
    with place.ledger.reading() as connection:
        [(_, digest, path)] = find_instances(connection, received_instances[0].sop_instance_uid)
    place.instance_store.checkpointer.make_now(path, digest)
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 3
    again.settled()
    assert len(place.files()) == 4


@pytest.mark.parametrize("cut", [1, 100, 131_000])
def test_a_torn_end_is_cut_and_what_is_before_it_is_kept(
    place: Place, received_instances: list[ReceivedInstance], cut: int
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        place.instance_store.receive(one, log)
    [segment] = place.logs()
    os.truncate(segment, segment.stat().st_size - cut)
    assert len(list(records_of(segment))) == 3
    assert place.started_again().instance_store.wal_writer.recover() == 3


def test_what_a_power_cut_took_from_the_ledger_comes_back_from_the_log(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances:
        place.instance_store.receive(one, log)
    with place.ledger.writing() as connection:
        for table in (receptions, instances, series):
            connection.execute(table.delete())
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 4
    again.settled()
    assert len(place.files()) == 4
    assert [again.instance_store.receive(one) for one in received_instances] == [KNOWN] * 4


def test_the_priority_that_the_sender_gave_comes_back_from_the_log(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    place.instance_store.receive(replace(received_instances[0], priority=Priority.HIGH), log)
    with place.ledger.writing() as connection:
        for table in (receptions, instances, series):
            connection.execute(table.delete())
    assert place.started_again().instance_store.wal_writer.recover() == 1
    with place.ledger.reading() as connection:
        assert list(series_of_association(connection, place.association).values()) == [
            Priority.HIGH
        ]


def test_what_was_never_synced_and_never_answered_is_no_instance(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    for one in received_instances[:2]:
        place.instance_store.receive(one, log)
    with place.ledger.writing() as connection:
        for table in (receptions, instances, series):
            connection.execute(table.delete())
    [segment] = place.logs()
    last = list(records_of(segment))[-1]
    with segment.open("r+b") as file:  # its length came to the disk, its content did not
        file.seek(last.offset + last.size - 5000)
        file.write(bytes(5000))
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 1
    again.settled()
    [path] = place.files()
    assert path.read_bytes() == bytes(received_instances[0].file_meta) + bytes(
        received_instances[0].data_set
    )


@pytest.mark.parametrize("name", ["0" * 32, "f" * 32])
def test_a_damaged_record_never_stands_for_a_good_one(
    place: Place,
    received_instances: list[ReceivedInstance],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two associations bring the same instance, and the power goes while one is written."""
    log = place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], log)
    [good] = place.logs()
    [record] = records_of(good)
    file_meta, data_set = (
        bytes(received_instances[0].file_meta),
        bytes(received_instances[0].data_set),
    )
    with monkeypatch.context() as patched:
        patched.setattr(segments_module, "uuid4", lambda: UUID(name))
        damaged = Segment(place.folder / "incoming")
    damaged.append(record.meta, file_meta, bytes(len(data_set)))
    damaged.close()
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 1
    again.settled()
    [path] = place.files()
    assert path.read_bytes() == file_meta + data_set


def test_what_retention_removed_is_not_made_again_from_a_log(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], log)
    with place.ledger.writing() as connection:
        connection.execute(instances.update().values(removed_at=1.0))
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 0
    again.settled()
    assert place.files() == []


def test_what_comes_again_while_retention_removes_it_stays(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    log = place.instance_store.wal_writer.open()
    assert place.instance_store.receive(received_instances[0], log) == STORED
    log.close()
    place.settled()
    with place.ledger.writing() as connection:
        connection.execute(instances.update().values(removed_at=1.0))
    assert place.instance_store.receive(received_instances[0]) == STORED
    with place.ledger.reading() as connection:
        assert connection.scalars(
            instances.select().with_only_columns(instances.c.removed_at)
        ).all() == [None]


def test_the_same_again_is_known_and_another_content_is_beside(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    first, other = received_instances[:2]
    log = place.instance_store.wal_writer.open()
    assert place.instance_store.receive(first, log) == STORED
    assert place.instance_store.receive(first, log) == KNOWN
    changed = bytes(first.data_set[:-2]) + b"\x01\x02"
    assert place.instance_store.receive(replace(first, data_set=changed), log) == DIFFERENT
    assert place.instance_store.receive(other, log) == STORED
    log.close()
    place.settled()
    assert len(place.files()) == 3


def test_two_associations_with_the_same_instance_keep_it_once(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    outcomes: list[str] = []

    def send() -> None:
        log = place.instance_store.wal_writer.open()
        outcomes.extend(place.instance_store.receive(one, log) for one in received_instances)
        log.close()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    place.settled()
    assert sorted(outcomes) == [KNOWN] * 12 + [STORED] * 4
    assert len(place.files()) == 4


def test_a_ledger_that_fails_leaves_nothing_in_the_log(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    with place.ledger.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE receptions RENAME TO gone")
    log = place.instance_store.wal_writer.open()
    with pytest.raises(StorageUnavailableError):
        place.instance_store.receive(received_instances[0], log)
    log.close()
    assert place.logs() == []
    assert not place.instance_store.checkpointer.has_pending(series_of(place))


def test_files_that_cannot_be_made_now_are_made_later(
    place: Place, received_instances: list[ReceivedInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wal.checkpointer._PAUSE_S", 0.05)
    (place.folder / "instances").write_text("in the way")
    log = place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[0], log)
    log.close()
    place.instance_store.checkpointer.finish(0.3)
    assert place.files() == []
    assert place.logs() != []
    (place.folder / "instances").unlink()
    place.settled()
    assert len(place.files()) == 1


@pytest.mark.parametrize("damage", [0, 10, 30])
def test_a_record_whose_head_is_damaged_ends_the_log(tmp_path: Path, damage: int) -> None:
    segment = Segment(tmp_path)
    for number in range(3):
        segment.append({"number": number}, b"meta", b"data")
    segment.close()
    content = bytearray(segment.path.read_bytes())
    content[len(content) // 3 + damage] ^= 0xFF
    segment.path.write_bytes(content)
    assert [one.meta["number"] for one in records_of(segment.path)] == [0]


def test_transactions_of_several_threads_fail_alone(place: Place) -> None:
    commits = GroupCommit(place.ledger, is_logged=True)
    outcomes: list[object] = []
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        go_on.wait(60)

    def fail(_: object) -> None:
        raise ValueError("this one")

    def run(number: int) -> None:
        try:
            outcomes.append(commits.run(fail if number == 2 else lambda _: number))
        except ValueError as error:
            outcomes.append(str(error))

    first = threading.Thread(target=commits.run, args=(hold,))
    first.start()
    begun.wait(60)
    others = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for one in others:
        one.start()
    go_on.set()
    for one in (first, *others):
        one.join()
    assert sorted(map(str, outcomes)) == ["0", "1", "3", "this one"]
