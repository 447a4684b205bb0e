"""One walk through a data set finds what pydicom finds, or says nothing."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID
from pynetdicom import dsutils
from pynetdicom.dsutils import split_dataset

from core.config.wire import Wire
from network.data_sets.header_scan import scan
from network.data_sets.limits import DataSetBounds
from network.file_meta import encode_file_meta
from tests.support.peers import EXPLICIT, IMPLICIT, MR, encoded

BOUNDS = DataSetBounds.of(Wire())


def syntax_of(data_set: pydicom.FileDataset) -> str:
    return str(data_set.file_meta.TransferSyntaxUID)


def content_of(path: Path) -> tuple[bytes, pydicom.FileDataset]:
    data_set = pydicom.dcmread(path)
    _, offset = split_dataset(path)
    return path.read_bytes()[offset:], data_set


def test_samples_of_all_kinds_are_read_by_one_walk(
    cine_folder: Path, ct_folder: Path, ct_structure_set: Path
) -> None:
    paths = [*cine_folder.glob("*.dcm"), *ct_folder.glob("*.dcm"), ct_structure_set]
    for path in paths:
        content, data_set = content_of(path)
        found = scan(content, syntax_of(data_set), BOUNDS)
        assert found is not None, path.name
        assert found.sop_instance_uid == data_set.SOPInstanceUID
        assert found.series_instance_uid == data_set.SeriesInstanceUID
        assert found.study_instance_uid == data_set.StudyInstanceUID
        assert not found.made_here


@pytest.mark.parametrize("cut", [1, 2, 7, 8, 131_000])
def test_nothing_is_said_of_one_that_is_cut(cine_folder: Path, cut: int) -> None:
    content, data_set = content_of(cine_folder / "9.dcm")
    assert scan(content[:-cut], syntax_of(data_set), BOUNDS) is None
    assert scan(content + b"\x00" * cut, syntax_of(data_set), BOUNDS) is None


def test_nothing_is_said_of_what_is_beyond_a_bound(cine_folder: Path) -> None:
    content, data_set = content_of(cine_folder / "9.dcm")
    syntax = syntax_of(data_set)
    assert scan(content, syntax, DataSetBounds(32, 10, 1000, 10**9)) is None
    assert scan(content, syntax, DataSetBounds(32, 10**6, 1000, 10_000)) is None
    assert scan(content, syntax, DataSetBounds(0, 10**6, 1000, 10**9)) is None


def test_the_mark_of_this_program_is_seen(cine_folder: Path) -> None:
    data_set = pydicom.dcmread(cine_folder / "9.dcm")
    data_set.Manufacturer = "slicewire "
    found = scan(encoded(data_set), EXPLICIT, BOUNDS)
    assert found is not None
    assert found.made_here
    data_set.ContributingEquipmentSequence = [pydicom.Dataset()]
    assert scan(encoded(data_set), EXPLICIT, BOUNDS) is None


def test_explicit_bytes_under_an_implicit_syntax_are_left_to_pydicom(cine_folder: Path) -> None:
    content, _ = content_of(cine_folder / "9.dcm")
    assert scan(content, IMPLICIT, BOUNDS) is None


def test_file_meta_are_those_of_pynetdicom() -> None:
    for uid in ("1.2.3", "1.2.34"):
        theirs = dsutils.create_file_meta(
            sop_class_uid=UID(MR), sop_instance_uid=UID(uid), transfer_syntax=UID(EXPLICIT)
        )
        ours = encode_file_meta(MR, uid, EXPLICIT)
        assert ours == b"\x00" * 128 + b"DICM" + dsutils.encode_file_meta(theirs)
