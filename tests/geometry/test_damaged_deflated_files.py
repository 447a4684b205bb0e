"""A deflated file that is cut off or damaged is refused in words, naming it."""

from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from core.errors import NotADataSetError, PixelError
from imaging.instances.header import read_header
from imaging.pixels.reader import read_pixels
from tests.support.conversion import to_hdf5
from tests.support.dicom.synthetic import make_series, ramp


@pytest.fixture
def deflated(tmp_path: Path) -> Path:
    """A folder of three deflated instances."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, one in enumerate(make_series(ramp("<u2", 12), bits_stored=12)):
        one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        one.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def _cut(path: Path, lost: int) -> None:
    path.write_bytes(path.read_bytes()[:-lost])


@pytest.mark.parametrize("lost", [5, 50, 1000])
def test_a_cut_off_deflated_file_is_no_readable_instance(deflated: Path, lost: int) -> None:
    _cut(deflated / "1.dcm", lost)
    with pytest.raises(NotADataSetError, match=r"1\.dcm: not a readable DICOM instance"):
        read_header(deflated / "1.dcm")
    with pytest.raises(PixelError, match=r"1\.dcm: not a readable DICOM instance"):
        read_pixels(deflated / "1.dcm")


def test_one_cut_off_file_in_a_folder_is_named_and_nothing_is_written(
    deflated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert to_hdf5(deflated, tmp_path) == 0
    (tmp_path / "a.h5").unlink()
    _cut(deflated / "1.dcm", 50)
    assert to_hdf5(deflated, tmp_path) == 1
    words = capsys.readouterr().err
    assert "1.dcm: not a readable DICOM instance" in words
    assert "Traceback" not in words
    assert not (tmp_path / "a.h5").exists()
