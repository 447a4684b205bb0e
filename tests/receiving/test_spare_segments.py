"""A log may be written over an older one: nothing of that is ever read as an instance."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from node.scp.instance_store import STORED, ReceivedInstance
from node.wal import recycled_segments as spares_module
from node.wal import segments as segments_module
from node.wal.recycled_segments import RecycledSegments
from node.wal.segments import Segment, records_of
from tests.receiving.logged import Place


def written(folder: Path, count: int, spare: Path | None = None) -> Path:
    """A closed segment with records of one size."""
    segment = Segment(folder, spare)
    for number in range(count):
        segment.append({"number": number}, b"meta", bytes([65 + number]) * 1000)
    segment.close()
    return segment.path


def numbers(segment: Path) -> list[int]:
    return [one.meta["number"] for one in records_of(segment)]


def test_records_of_the_older_segment_are_none_of_the_newer(tmp_path: Path) -> None:
    older = written(tmp_path, 5)
    size = older.stat().st_size
    newer = written(tmp_path, 2, spare=older)
    assert newer.stat().st_size == size
    assert numbers(newer) == [0, 1]
    assert list(tmp_path.iterdir()) == [newer]


def test_a_new_name_alone_makes_an_empty_segment(tmp_path: Path) -> None:
    assert numbers(written(tmp_path, 0, spare=written(tmp_path, 5))) == []


@pytest.mark.parametrize("missing", [1, 8, 500])
def test_a_record_that_was_not_written_to_its_end_is_none(
    tmp_path: Path, missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter([UUID(int=1), UUID(int=2)])  # with random ones, one byte may be as it was before
    monkeypatch.setattr(segments_module, "uuid4", lambda: next(names))
    older = written(tmp_path, 3)
    before = older.read_bytes()
    newer = written(tmp_path, 2, spare=older)
    torn = next(one for one in records_of(newer) if one.meta["number"] == 1)
    end = torn.offset + torn.size + 8
    content = newer.read_bytes()
    assert content[end - 1] != before[end - 1]
    newer.write_bytes(content[: end - missing] + before[end - missing :])
    assert numbers(newer) == [0]


def test_a_spare_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    assert numbers(written(tmp_path, 1, spare=tmp_path / "gone")) == [0]


def test_the_next_log_is_written_over_one_whose_files_are_made(
    place: Place, received_instances: list[ReceivedInstance]
) -> None:
    first = place.instance_store.wal_writer.open()
    assert [place.instance_store.receive(one, first) for one in received_instances[:3]] == [
        STORED
    ] * 3
    size = place.logs()[0].stat().st_size
    first.close()
    place.settled()
    assert len(list(place.folder.glob("incoming/*.spare"))) == 1
    second = place.instance_store.wal_writer.open()
    place.instance_store.receive(received_instances[3], second)
    [segment] = place.logs()
    assert segment.stat().st_size == size
    assert not list(place.folder.glob("incoming/*.spare"))
    again = place.started_again()
    assert again.instance_store.wal_writer.recover() == 1
    again.settled()
    sent = {bytes(one.file_meta) + bytes(one.data_set) for one in received_instances}
    assert {path.read_bytes() for path in place.files()} == sent


def test_a_segment_that_was_kept_for_a_person_is_not_written_over(tmp_path: Path) -> None:
    segment = written(tmp_path, 2)
    os.link(segment, segment.with_suffix(".kept"))
    recycled_segments = RecycledSegments()
    recycled_segments.give(segment)
    assert recycled_segments.take() is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".kept"]


def test_few_are_kept_and_the_largest_is_taken_first(tmp_path: Path) -> None:
    recycled_segments = RecycledSegments()
    for count in (1, 3, 2, 4, 5):
        recycled_segments.give(written(tmp_path, count))
    assert len(list(tmp_path.iterdir())) == 4
    taken = [recycled_segments.take() for _ in range(5)]
    sizes = [one.stat().st_size for one in taken if one is not None]
    assert len(sizes) == 4
    assert sizes == sorted(sizes, reverse=True)
    assert taken[4] is None


def test_those_that_nobody_wants_are_removed_after_ten_minutes(tmp_path: Path) -> None:
    now = 100.0
    recycled_segments = RecycledSegments(clock=lambda: now)
    recycled_segments.give(written(tmp_path, 1))
    now += 599.0
    recycled_segments.give(written(tmp_path, 1))
    recycled_segments.drop_old()
    assert len(list(tmp_path.iterdir())) == 2
    now += 1.0
    recycled_segments.drop_old()
    assert len(list(tmp_path.iterdir())) == 1
    assert recycled_segments.take() is not None


def test_being_written_over_makes_none_younger(tmp_path: Path) -> None:
    now = 100.0
    recycled_segments = RecycledSegments(clock=lambda: now)
    recycled_segments.give(written(tmp_path, 2))
    now += 400.0
    recycled_segments.give(written(tmp_path, 1, spare=recycled_segments.take()))
    now += 200.0
    recycled_segments.drop_old()
    assert list(tmp_path.iterdir()) == []
    recycled_segments.give(written(tmp_path, 1))
    now += 601.0
    recycled_segments.give(written(tmp_path, 1, spare=recycled_segments.take()))
    assert list(tmp_path.iterdir()) == []


def test_none_is_kept_where_the_disk_has_little_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares_module, "_SHARE_OF_FREE", 1 << 60)
    recycled_segments = RecycledSegments()
    recycled_segments.give(written(tmp_path, 1))
    assert list(tmp_path.iterdir()) == []
