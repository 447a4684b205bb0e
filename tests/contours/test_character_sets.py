"""Patient and study are the source's bytes in every result, whatever the character set."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from core.identity import Provenance
from imaging.derived.series import build_derived_series
from imaging.instances.character_sets import parse_terms
from imaging.instances.header import Header, read_header
from imaging.pixels.transcode import UNCOMPRESSED, write_uncompressed
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.roi_names import spelling_warnings, written_names
from imaging.rtstruct.writer import Masks, Roi, build_structure_set
from imaging.seg.reader import read_segmentation
from imaging.seg.writer import Algorithm, build_segmentation
from imaging.series.volume import read_volume
from tests.support.dicom.raw_texts import texts_of, write_series

SINGLE_BYTE = (100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166)
EXTENSIONS = [f"ISO 2022 IR {number}" for number in (6, *SINGLE_BYTE, 87, 159, 149, 58)]
ALONE = ["", "ISO_IR 6", *(f"ISO_IR {one}" for one in (*SINGLE_BYTE, 192)), "GB18030", "GBK"]
DEFINED = [*ALONE, *EXTENSIONS, *(f"\\{one}" for one in EXTENSIONS)]
DEFINED += [f"ISO 2022 IR 6\\{one}" for one in EXTENSIONS[1:]]
DEFINED += [
    "ISO 2022 IR 100\\ISO 2022 IR 144",
    "ISO 2022 IR 13\\ISO 2022 IR 87",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159",
]
WRONG = [
    *("ISO_IR 13\\ISO 2020 IR 87", "ISO 2022 IR 6, IS"),
    *("ISO IR 192", "ISO-IR 192", "iso_ir 192", "ISO_IR192", "ISO_IR_192", " ISO_IR 192", "UTF-8"),
    *("ISO_IR 192\\ISO 2022 IR 87", "ISO_IR 192\\ISO_IR 192", "\\ISO_IR 192", "\\\\", "ISO IR 100"),
    *("GB18030\\ISO 2022 IR 58", "ISO 2022 IR 6\\GB18030", "ISO 2022 GBK", "ISO 2022 58"),
    *("ISO_IR 6\\ISO 2022 IR 87", "\\ISO_IR 87", "ISO_IR 149", "ISO_2022_IR_87", "ISO_IR 100\\"),
    *("ISO_IR 100\\ISO_IR 144", "ISO_IR 999", "Unknown", "windows-1252", "ISO-8859-1", "latin1"),
    *("utf_16", "idna", "\xc4\xd6", "ISO_IR 192\\Unknown", "GB2312"),
]
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
CASES = [None, *(one.encode("latin_1") for one in (*DEFINED, *WRONG))]
NAME, SPELLED = "Größe ж ก", "Grosse zh k"
"""Only Unicode and GB18030 have all letters of the name."""


def _every() -> Iterator[tuple[bytes | None, UID]]:
    for number, terms in enumerate(CASES):
        yield terms, SYNTAXES[number % len(SYNTAXES)]
    for syntax in SYNTAXES:
        yield None, syntax
        yield b"ISO_IR 192", syntax


@pytest.fixture(params=list(_every()), ids=str)
def headers(request: pytest.FixtureRequest, tmp_path: Path) -> list[Header]:
    return [read_header(path) for path in write_series(tmp_path, *request.param)]


@pytest.fixture
def masks(headers: list[Header]) -> Masks:
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    mask[1, 3:9, 4:12] = True
    return {NAME: mask, "LV": mask}


def _same_texts(data_set: FileDataset, path: Path, header: Header) -> bool:
    """Written, the data set has the texts of the source, and the same character set."""
    data_set.save_as(path, enforce_file_format=True)
    terms = [
        pydicom.dcmread(one, stop_before_pixels=True).get("SpecificCharacterSet")
        for one in (path, header.path)
    ]
    return texts_of(path) == texts_of(header.path) and (terms[0] or "") == (terms[1] or "")


def test_in_a_structure_set(
    headers: list[Header], masks: Masks, provenance: Provenance, tmp_path: Path
) -> None:
    rois = [Roi(NAME, (1, 2, 3)), Roi("LV", (3, 2, 1))]
    data_set = build_structure_set(headers, masks, rois, provenance, label="AUTO")
    assert _same_texts(data_set, tmp_path / "rs.dcm", headers[0])
    expected = [SPELLED.encode()]
    if not spelling_warnings(headers[0].path, [NAME, "LV"]):
        expected = [NAME.encode(), NAME.encode("gb18030")]
    found = (tmp_path / "rs.dcm").read_bytes()
    assert any(one in found for one in expected)


def test_in_a_derived_series(headers: list[Header], provenance: Provenance, tmp_path: Path) -> None:
    volume = read_volume(headers)
    built = build_derived_series(volume, volume.voxels, provenance, description="Blurred 3 mm")
    for data_set, header in zip(built, volume.headers, strict=True):
        assert _same_texts(data_set, tmp_path / "derived.dcm", header)


def test_in_another_transfer_syntax(headers: list[Header], tmp_path: Path) -> None:
    for syntax in UNCOMPRESSED:
        write_uncompressed(headers[0].path, tmp_path / "other.dcm", syntax)
        assert texts_of(tmp_path / "other.dcm") == texts_of(headers[0].path)


@pytest.mark.parametrize(
    "terms", [None, b"\\ISO 2022 IR 149", b"ISO IR 192", b"Unknown", b"ISO_IR 100"]
)
@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_in_a_segmentation(
    terms: bytes | None, syntax: UID, provenance: Provenance, tmp_path: Path
) -> None:
    headers = [read_header(path) for path in write_series(tmp_path, terms, syntax)]
    mask = np.zeros((3, headers[0].rows, headers[0].columns), dtype=bool)
    mask[1, 3:9, 4:12] = True
    rois = [Roi(NAME, (1, 2, 3)), Roi("LV", (3, 2, 1))]
    data_set = build_segmentation(
        headers,
        {NAME: mask, "LV": mask},
        rois,
        provenance,
        algorithm=Algorithm("Größe", "1"),
        label="AUTO",
    )
    assert _same_texts(data_set, tmp_path / "seg.dcm", headers[0])
    labels = read_segmentation(tmp_path / "seg.dcm").labels
    assert labels == {1: NAME if terms == b"ISO IR 192" else SPELLED, 2: "LV"}


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("ISO_IR 144", "Сердце"),
        ("ISO_IR 13", "ﾊﾄ"),
        ("\\ISO 2022 IR 144", "Сердце"),
        ("\\ISO 2022 IR 87", "心臓 LV"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "心臓"),
        ("\\ISO 2022 IR 149", "심장 LV"),
        ("ISO 2022 IR 100\\ISO 2022 IR 126", "Καρδιά"),
        ("iso_ir192", "心臓 ж"),
        ("GB18030\\ISO 2022 IR 58", "心脏"),
    ],
)
def test_a_name_that_the_set_can_write_is_read_by_pydicom_as_it_was(
    terms: str, name: str, provenance: Provenance, tmp_path: Path
) -> None:
    syntax = ExplicitVRLittleEndian
    headers = [read_header(path) for path in write_series(tmp_path, terms.encode(), syntax)]
    masks = {name: np.ones((3, headers[0].rows, headers[0].columns), dtype=bool)}
    data_set = build_structure_set(headers, masks, [Roi(name, (1, 2, 3))], provenance, label="AUTO")
    data_set.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    found = read_structure_set(tmp_path / "rs.dcm").rois[0].name
    assert found == name or terms == "iso_ir192"  # a spelling that pydicom does not know
    assert spelling_warnings(headers[0].path, [name]) == []


def test_an_ascii_patient_is_the_same_in_utf_8(provenance: Provenance, tmp_path: Path) -> None:
    texts = {"PatientName": b"Miller^Ann"}
    paths = write_series(tmp_path, b"ISO_IR 6", ExplicitVRLittleEndian, texts)
    assert spelling_warnings(paths[0], [NAME]) == []  # written with ISO_IR 192


def test_names_of_one_spelling_stay_two() -> None:
    names = ["Größe", "Grösse", "GROSSE", "Lunge"]
    assert written_names(names, parse_terms(["ISO_IR 6"])) == [
        "Grosse^1",
        "Grosse^2",
        "GROSSE",
        "Lunge",
    ]


def test_a_spelling_is_never_empty_nor_longer_than_a_name() -> None:
    (found,) = written_names(["\ufffe"], parse_terms([""]))
    assert found == "?"
    (found,) = written_names(["心" * 64], parse_terms([""]))
    assert len(found) == 64


def test_the_set_of_the_source_stays_when_it_lacks_a_letter(
    provenance: Provenance, tmp_path: Path
) -> None:
    texts = {"PatientName": b"Miller^Ann"}
    paths = write_series(tmp_path, b"ISO_IR 100", ExplicitVRLittleEndian, texts)
    headers = [read_header(path) for path in paths]
    masks = {"心臓": np.ones((3, headers[0].rows, headers[0].columns), dtype=bool)}
    rois = [Roi("心臓", (1, 2, 3))]
    data_set = build_structure_set(headers, masks, rois, provenance, label="AUTO")
    data_set.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
    assert read_structure_set(tmp_path / "rs.dcm").rois[0].name == "XinZang"
    assert pydicom.dcmread(tmp_path / "rs.dcm").SpecificCharacterSet == "ISO_IR 100"
