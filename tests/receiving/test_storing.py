"""What a peer was told is stored is on disk and in the ledger, once."""

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pydicom
import pytest
from pydicom.uid import RLELossless, generate_uid

from node.ledger.tables.series import instances_of
from tests.support.dicom.rewritten import BIG_ENDIAN, encoded_in, with_group_lengths, with_lengths
from tests.support.ledger_rows import all_series
from tests.support.peers import (
    EXPLICIT,
    IMPLICIT,
    MR,
    associate,
    encoded,
    store,
    store_file,
    write_series,
)
from tests.support.receiver import Receiver


@pytest.fixture
def instance(cine_folder: Path) -> pydicom.FileDataset:
    """One instance of the cine series, with its leading zeros and odd dates."""
    return pydicom.dcmread(cine_folder / "9.dcm")


def stored_instances(receiver: Receiver) -> list[tuple[str, str]]:
    receiver.wait_for_files()
    with receiver.ledger.reading() as connection:
        return [
            (one.sop_instance_uid, one.path)
            for row in all_series(connection)
            for one in instances_of(connection, row.series_instance_uid)
        ]


def test_a_stored_instance_is_on_disk_byte_for_byte_and_in_the_ledger(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    sent = encoded(instance)
    with associate(receiver.address) as association:
        assert store(association, sent, sop_instance_uid=instance.SOPInstanceUID).Status == 0
    [(uid, path)] = stored_instances(receiver)
    assert uid == instance.SOPInstanceUID
    assert (receiver.storage_path / path).read_bytes().endswith(sent)


def test_the_same_content_twice_is_kept_once(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    for _ in range(2):
        with associate(receiver.address) as association:
            answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
            assert answer.Status == 0
    assert len(stored_instances(receiver)) == 1
    assert len(receiver.files()) == 1


def test_the_same_content_in_another_encoding_is_kept_once(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address, syntaxes=(IMPLICIT, "1.2.840.10008.1.2.1")) as association:
        store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
        answer = store(
            association,
            encoded(instance, implicit=True),
            sop_instance_uid=instance.SOPInstanceUID,
            syntax=IMPLICIT,
        )
    assert answer.Status == 0
    assert len(stored_instances(receiver)) == 1


def explicit_lengths(instance: pydicom.FileDataset) -> bytes:
    return encoded_in(EXPLICIT, with_lengths(instance, sequences=True, items=True))


def implicit_with_group_lengths(instance: pydicom.FileDataset) -> bytes:
    return encoded_in(IMPLICIT, with_group_lengths(instance))


def big_endian(instance: pydicom.FileDataset) -> bytes:
    return encoded_in(BIG_ENDIAN, instance)


def run_length_encoded(instance: pydicom.FileDataset) -> bytes:
    changed = copy.deepcopy(instance)
    changed.compress(RLELossless, generate_instance_uid=False)
    return encoded_in(EXPLICIT, changed)


@pytest.mark.parametrize(
    ("syntax", "rewrite"),
    [
        (EXPLICIT, explicit_lengths),
        (IMPLICIT, implicit_with_group_lengths),
        (BIG_ENDIAN, big_endian),
        (RLELossless, run_length_encoded),
    ],
)
def test_what_a_router_encodes_anew_is_known_and_what_it_changes_is_not(
    receiver: Receiver,
    instance: pydicom.FileDataset,
    syntax: str,
    rewrite: Callable[[pydicom.FileDataset], bytes],
) -> None:
    item = pydicom.Dataset()
    item.CodeMeaning = "odd"
    instance.ProcedureCodeSequence = [item]
    first = encoded_in(EXPLICIT, with_lengths(instance, sequences=False, items=False))
    with associate(receiver.address, syntaxes=(EXPLICIT, syntax)) as association:
        store(association, first, sop_instance_uid=instance.SOPInstanceUID)
        for meaning, count in (("odd", 1), ("odder", 2)):
            item.CodeMeaning = meaning
            content, uid = rewrite(instance), instance.SOPInstanceUID
            assert store(association, content, sop_instance_uid=uid, syntax=syntax).Status == 0
            assert len(stored_instances(receiver)) == count


def test_other_content_under_the_same_uid_is_kept_beside(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
        instance.SeriesDescription = "another"
        answer = store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    assert answer.Status == 0
    paths = [receiver.storage_path / path for _, path in stored_instances(receiver)]
    descriptions = [str(pydicom.dcmread(path).SeriesDescription) for path in paths]
    assert descriptions == ["", "another"]


def test_objects_without_pixels_are_stored(receiver: Receiver, ct_structure_set: Path) -> None:
    structure_set = pydicom.dcmread(ct_structure_set)
    syntax = str(structure_set.file_meta.TransferSyntaxUID)
    classes = (str(structure_set.SOPClassUID),)
    with associate(receiver.address, classes=classes, syntaxes=(syntax,)) as association:
        response = store(
            association,
            encoded(structure_set, implicit=True),
            sop_class_uid=classes[0],
            sop_instance_uid=structure_set.SOPInstanceUID,
            syntax=syntax,
        )
    assert response.Status == 0
    assert len(stored_instances(receiver)) == 1


def test_series_of_several_studies_in_one_association_stay_apart(
    receiver: Receiver, cine_folder: Path, tmp_path: Path
) -> None:
    sources = [cine_folder / "9.dcm", cine_folder / "29.dcm"]
    series = [write_series(sources, tmp_path / "sent" / name) for name in ("a", "b")]
    with associate(receiver.address) as association:
        for path in (series[0][0], series[1][0], series[0][1], series[1][1]):
            assert store_file(association, path) == 0
    with receiver.ledger.reading() as connection:
        counts = [
            len(instances_of(connection, row.series_instance_uid)) for row in all_series(connection)
        ]
    assert counts == [2, 2]


def test_several_associations_at_once_are_all_stored(
    receiver: Receiver, cine_folder: Path, tmp_path: Path
) -> None:
    sources = sorted(cine_folder.glob("*.dcm"))[:8]
    series = [write_series(sources, tmp_path / "sent" / str(number)) for number in range(4)]
    statuses: list[int] = []

    def send(paths: list[Path]) -> None:
        with associate(receiver.address) as association:
            statuses.extend(store_file(association, path) for path in paths)

    senders = [threading.Thread(target=send, args=(paths,)) for paths in series]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert statuses == [0] * 32
    sent = {str(pydicom.dcmread(path).SOPInstanceUID) for paths in series for path in paths}
    assert {uid for uid, _ in stored_instances(receiver)} == sent


def test_what_the_node_made_is_marked(receiver: Receiver, instance: pydicom.FileDataset) -> None:
    item = pydicom.Dataset()
    item.Manufacturer = "Slicewire"
    instance.ContributingEquipmentSequence = [item]
    instance.SOPInstanceUID = generate_uid()
    with associate(receiver.address) as association:
        store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    with receiver.ledger.reading() as connection:
        [row] = all_series(connection)
        assert [one.made_here for one in instances_of(connection, row.series_instance_uid)] == [
            True
        ]


def test_a_release_is_told_apart_from_an_abort(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
    with associate(receiver.address, classes=(MR,)) as association:
        association.abort()
    wait_for(receiver, 2)
    assert [outcome for _, outcome in receiver.ended] == ["released", "aborted"]


def test_a_lost_connection_counts_as_aborted(
    receiver: Receiver, instance: pydicom.FileDataset
) -> None:
    with associate(receiver.address) as association:
        store(association, encoded(instance), sop_instance_uid=instance.SOPInstanceUID)
        cast(Any, association.dul.socket).socket.close()
        wait_for(receiver, 1)
    assert [outcome for _, outcome in receiver.ended] == ["aborted"]


def wait_for(receiver: Receiver, count: int) -> None:
    pause = threading.Event()
    for _ in range(100):
        receiver.listener.reap()
        if len(receiver.ended) >= count:
            return
        pause.wait(0.05)
