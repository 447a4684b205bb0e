"""Patient and study are the templates' bytes after the way to HDF5 and back."""

import shutil
from pathlib import Path

import h5py
import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.support.conversion import to_dicom, to_hdf5
from tests.support.dicom.raw_texts import TEXTS, texts_of, write_series

FIVE_COMPONENTS = (
    b"Yamada^Tarou^M^Dr.^Jr.=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^\x1b$B@h\x1b(B"
    b"=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B "
)
THAI = b"\xca\xc1\xaa\xd2\xc2^\xa1^^\xb9\xd2\xc2^^ "


@pytest.mark.parametrize(
    ("terms", "name", "syntax"),
    [
        (b"\\ISO 2022 IR 87", FIVE_COMPONENTS, ExplicitVRLittleEndian),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", FIVE_COMPONENTS, ImplicitVRLittleEndian),
        (b"ISO_IR 166", THAI, ExplicitVRBigEndian),
        (b"ISO_IR 203", b"\xa4\xc4^^^^", ExplicitVRLittleEndian),
        (b"\\ISO 2022 IR 149", TEXTS["ReferringPhysicianName"], ImplicitVRLittleEndian),
        (b"GB18030", b"\x83\x5c\x83\x5c^A ", ExplicitVRLittleEndian),
        (b"ISO IR 192", TEXTS["PatientName"], ExplicitVRLittleEndian),
        (None, TEXTS["PatientName"], ImplicitVRLittleEndian),
    ],
)
def test_texts_keep_their_bytes(
    terms: bytes | None, name: bytes, syntax: UID, tmp_path: Path
) -> None:
    folder, out = tmp_path / "source", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    sources = write_series(folder, terms, syntax, TEXTS | {"PatientName": name})
    before = [texts_of(path) for path in sources]
    assert to_hdf5(folder, out) == 0
    assert to_dicom(out, folder) == 0
    restored = sorted((out / "dicom").iterdir())
    assert [texts_of(path) for path in restored] == before


def _mixed(folder: Path, apart: Path) -> None:
    """A series of one patient whose instances have character sets of their own."""
    folder.mkdir()
    for number, (terms, codec) in enumerate(
        (("ISO_IR 100", "latin_1"), ("ISO_IR 192", "utf_8"), ("GB18030", "gb18030"))
    ):
        (apart / str(number)).mkdir(parents=True)
        texts = {"PatientName": "Müller^Ä".encode(codec), "PatientID": b"X1"}
        paths = write_series(apart / str(number), terms.encode(), ExplicitVRLittleEndian, texts)
        shutil.copy(paths[number], folder)


def test_each_instance_keeps_its_own_character_set(tmp_path: Path) -> None:
    folder, out = tmp_path / "source", tmp_path / "out"
    _mixed(folder, tmp_path / "apart")
    out.mkdir()
    assert to_hdf5(folder, out) == 0
    assert to_dicom(out, folder) == 0
    restored = [pydicom.dcmread(path) for path in (out / "dicom").iterdir()]
    assert {str(one.PatientName) for one in restored} == {"Müller^Ä"}
    found = {str(one.SpecificCharacterSet) for one in restored}
    assert found == {"ISO_IR 100", "ISO_IR 192", "GB18030"}


def test_what_templates_share_is_in_the_character_set_of_the_first(tmp_path: Path) -> None:
    folder, out = tmp_path / "source", tmp_path / "out"
    _mixed(folder, tmp_path / "apart")
    out.mkdir()
    assert to_hdf5(folder, out) == 0
    with h5py.File(out / "a.h5", "a") as file:  # made by another program
        del file["sop_instance_uids"], file["stored"]
    assert to_dicom(out, folder) == 0
    for path in (out / "dicom").iterdir():
        data_set = pydicom.dcmread(path)
        assert str(data_set.PatientName) == "Müller^Ä"
        assert data_set.SpecificCharacterSet == "ISO_IR 100"
