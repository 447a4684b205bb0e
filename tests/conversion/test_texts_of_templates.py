"""Patient and study keep the bytes of the template, whatever its character set."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.raw_texts import TEXTS, texts_of, write_series

GBK_LETTERS = TEXTS | {"PatientName": b"\x8b\x5c\x9b\x5e^\x8f\x3d", "StudyDescription": b"\x8b\x5c"}
EVERY = [
    *((terms, ExplicitVRLittleEndian) for terms in (None, b"ISO_IR 100", b"ISO_IR 192")),
    *((terms, ImplicitVRLittleEndian) for terms in (b"\\ISO 2022 IR 87", b"ISO IR 192")),
    *((terms, ExplicitVRBigEndian) for terms in (None, b"GB18030\\ISO IR 192")),
    (b"Not Supplied", ImplicitVRLittleEndian),
]


@pytest.mark.parametrize("texts", [TEXTS, GBK_LETTERS], ids=["of several sets", "of GBK"])
@pytest.mark.parametrize(("terms", "syntax"), EVERY, ids=str)
@pytest.mark.parametrize("whole_template", [True, False])
def test_a_restored_series_has_the_bytes_of_its_template(
    terms: bytes | None, syntax: UID, texts: dict[str, bytes], tmp_path: Path, whole_template: bool
) -> None:
    paths = write_series(tmp_path, terms, syntax, texts)
    sources = [pydicom.dcmread(path) for path in paths]
    templates = [pydicom.dcmread(path) for path in paths[: 3 if whole_template else 1]]
    restored = list(hdf5_to_dicom(dicom_to_hdf5(sources).hdf5, templates))
    assert len(restored) == 3
    for one in restored:
        one.save_as(tmp_path / "restored.dcm", enforce_file_format=True)
        assert texts_of(tmp_path / "restored.dcm") == texts_of(paths[0])
        assert one.get("SpecificCharacterSet") == sources[0].get("SpecificCharacterSet")


def test_the_same_templates_again_give_the_same_bytes(tmp_path: Path) -> None:
    paths = write_series(tmp_path, b"ISO IR 192", ExplicitVRLittleEndian)
    templates = [pydicom.dcmread(path) for path in paths]
    content = dicom_to_hdf5([pydicom.dcmread(path) for path in paths]).hdf5
    for _ in range(2):
        restored = next(hdf5_to_dicom(content, templates))
    restored.save_as(tmp_path / "restored.dcm", enforce_file_format=True)
    assert texts_of(tmp_path / "restored.dcm") == texts_of(paths[0])
