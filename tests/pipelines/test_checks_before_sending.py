"""What would go out wrong does not go out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import OutputError
from core.job import OutputInstance
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header, read_header
from imaging.rtstruct.placement import Reference
from imaging.rtstruct.reader import Contour, RoiContours, StructureSet
from pipeline.checks import check_derived_series, check_structure_set

SQUARE = np.array([[10.0, 20.0], [30.0, 20.0], [30.0, 50.0], [10.0, 50.0]])


@pytest.fixture
def header(cine_folder: Path) -> Header:
    """A doubly oblique image, cut to 100 rows and 200 columns."""
    return replace(read_header(cine_folder / "89.dcm"), rows=100, columns=200)


def structure_set(contour: Contour | None) -> StructureSet:
    roi = RoiContours(
        number=1,
        name="Heart",
        color_rgb=None,
        interpreted_type="ORGAN",
        generation_algorithm="AUTOMATIC",
        frame_of_reference_uid="1.2",
        contours=() if contour is None else (contour,),
    )
    return StructureSet(
        sop_instance_uid="1.2.3",
        series_instance_uid="1.2.4",
        study_instance_uid="1.2.5",
        patient_key="",
        frame_of_reference_uids=("1.2",),
        referenced_sop_instance_uids=(),
        label="",
        approval_status="UNAPPROVED",
        rois=(roi,),
    )


def contour(header: Header, pixels: np.ndarray, off_mm: float = 0.0) -> Contour:
    points = plane_of(header).to_patient(pixels) + off_mm * plane_of(header).normal
    return Contour(points, "CLOSED_PLANAR", (Reference(header.sop_instance_uid),))


def test_a_contour_on_its_image_passes(header: Header) -> None:
    check_structure_set(structure_set(contour(header, SQUARE)), [header])


def test_a_contour_along_the_very_edge_passes(header: Header) -> None:
    edge = np.array([[-0.5, -0.5], [199.5, -0.5], [199.5, 99.5], [-0.5, 99.5]])
    check_structure_set(structure_set(contour(header, edge)), [header])


@pytest.mark.parametrize(
    ("pixels", "off_mm", "words"),
    [
        (SQUARE, 0.02, "lies 0.020 mm off instance"),
        (SQUARE * np.nan, 0.0, "lies nan mm off instance"),
        (SQUARE + np.array([172.0, 0.0]), 0.0, "leaves the image"),
        (SQUARE + np.array([0.0, 52.0]), 0.0, "leaves the image"),
        (SQUARE - np.array([12.0, 0.0]), 0.0, "leaves the image"),
        (SQUARE[:2], 0.0, "has 2 points, expected 3 or more"),
    ],
)
def test_a_wrong_contour_is_refused(
    header: Header, pixels: np.ndarray, off_mm: float, words: str
) -> None:
    with pytest.raises(OutputError, match=words):
        check_structure_set(structure_set(contour(header, pixels, off_mm)), [header])


def test_a_contour_of_a_foreign_instance_is_refused(header: Header) -> None:
    foreign = replace(contour(header, SQUARE), references=(Reference("9.9"),))
    with pytest.raises(OutputError, match=r"refers to instance 9\.9, which is not in the series"):
        check_structure_set(structure_set(foreign), [header])


def test_a_structure_set_without_contours_is_refused(header: Header) -> None:
    with pytest.raises(OutputError, match="None of Heart was found"):
        check_structure_set(structure_set(None), [header])


@pytest.mark.parametrize("uids", [[], ["1"], ["1", "1"], ["source", "1"]])
def test_a_derived_series_that_is_short_or_reuses_a_uid_is_refused(
    header: Header, uids: list[str], tmp_path: Path
) -> None:
    sources = [header, replace(header, sop_instance_uid="source")]
    outputs = [OutputInstance("", "", uid, "", "") for uid in uids]
    with pytest.raises(OutputError, match="expected 2 new ones"):
        check_derived_series(outputs, sources, tmp_path)


def test_a_derived_instance_beside_its_source_is_refused(header: Header) -> None:
    output = OutputInstance(header.path.name, "", "1", "", "")
    check_derived_series([output], [header], header.path.parent)
    x, y, z = header.image_position_mm or (0.0, 0.0, 0.0)
    moved = replace(header, image_position_mm=(x + 0.5, y, z))
    with pytest.raises(OutputError, match=r"Derived instance 1 lies 0\.500 mm beside its source"):
        check_derived_series([output], [moved], header.path.parent)
