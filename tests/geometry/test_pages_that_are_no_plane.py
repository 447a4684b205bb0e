"""Images that are not planes of the patient are set aside and described, or refused."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileDataset

from core.errors import GeometryError, SeriesError, hold_of
from core.hold_reasons import HoldReason
from imaging.geometry.placement import RULES_2D, RULES_3D, place
from imaging.instances.frames import read_headers
from imaging.instances.header import Header
from imaging.instances.pages import page_of
from imaging.series.series import check_one_series
from tests.support.dicom.synthetic import make_series, ramp

CT, SC, RGB = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7", "RGB"
BOTH = pytest.mark.parametrize("rules", [RULES_2D, RULES_3D], ids=["2d", "3d"])
EIGHT = [2.5 * n for n in range(8)]


def data_set(**changes: Any) -> FileDataset:
    return make_series(ramp("<u2", 16)[:1], bits_stored=16, **changes)[0]


IMAGE_TYPES = {
    "a mosaic of slices": ["MOSAIC"],
    "a montage": ["MONTAGE"],
    "a screen capture": ["SCREEN SAVE", "SCREEN_CAPTURE", "POSDISP"],
    "a page of a report": ["DOSE_INFO", "DOSE REPORT", "CSA REPORT", "CT_SOM5 PROT"],
    "a projection": ["PROJECTION IMAGE", "MIP", "MINIP", "MAX_IP"],
    "a curved reformation": ["CURVED_MPR", "CPR"],
    "a rendering": ["VOLUME_RENDER", "VRT", "SSD"],
}


@pytest.mark.parametrize(
    ("words", "value"), [(words, one) for words, values in IMAGE_TYPES.items() for one in values]
)
def test_image_type_says_what_is_no_plane(words: str, value: str) -> None:
    assert page_of(data_set(ImageType=["DERIVED", "SECONDARY", value])) == f"{words} (ImageType)"


@pytest.mark.parametrize(
    "value", ["AXIAL", "MPR", "AVERAGE", "CT_SOM5 SPI", "M", "DIXON", "RECON TOMO"]
)
def test_reformations_and_averages_are_planes(value: str) -> None:
    assert page_of(data_set(ImageType=["DERIVED", "SECONDARY", value])) == ""


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("1.2.840.10008.5.1.4.1.1.1", "a projection (Computed Radiography Image Storage)"),
        ("1.2.840.10008.5.1.4.1.1.1.1", "a projection (Digital X-Ray Image"),
        ("1.2.840.10008.5.1.4.1.1.1.2", "a projection (Digital Mammography"),
        ("1.2.840.10008.5.1.4.1.1.12.1", "a projection (X-Ray Angiographic Image Storage)"),
        ("1.2.840.10008.5.1.4.1.1.12.2", "a projection (X-Ray Radiofluoroscopic"),
        ("1.2.840.10008.5.1.4.1.1.481.1", "a projection (RT Image Storage)"),
        ("1.2.840.10008.5.1.4.1.1.77.1.4", "a photograph (VL Photographic Image Storage)"),
        ("1.2.840.10008.5.1.4.1.1.77.1.5.1", "a photograph (Ophthalmic Photography 8"),
    ],
)
def test_sop_classes_of_projections_and_photographs_are_no_planes(uid: str, words: str) -> None:
    assert page_of(data_set(SOPClassUID=uid)).startswith(words)


@pytest.mark.parametrize(
    "uid",
    [
        CT,
        "1.2.840.10008.5.1.4.1.1.4",
        "1.2.840.10008.5.1.4.1.1.128",
        "1.2.840.10008.5.1.4.1.1.13.1.3",
        "1.2.840.10008.5.1.4.1.1.77.1.5.4",
        SC,
    ],
)
def test_sop_classes_of_slices_are_planes(uid: str) -> None:
    assert page_of(data_set(SOPClassUID=uid)) == ""


def test_a_mosaic_without_its_word_is_known_by_the_private_count() -> None:
    mosaic = data_set(ImageType=["ORIGINAL", "PRIMARY", "M"])
    block = mosaic.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 36)
    assert page_of(mosaic) == "a mosaic of slices (NumberOfImagesInMosaic)"


@pytest.mark.parametrize(("count", "words"), [(b"36", "a mosaic"), (b"", ""), (b"1", "")])
def test_a_mosaic_without_its_word_is_known_by_the_csa_header(count: bytes, words: str) -> None:
    slice_ = data_set(ImageType=["ORIGINAL", "PRIMARY", "M"])
    item = struct.pack("<4i", len(count), len(count), 77, len(count)) + count.ljust(4, b"\0")
    name = b"NumberOfImagesInMosaic".ljust(64, b"\0") + struct.pack("<i4siii", 1, b"US", 6, 1, 77)
    block = slice_.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", b"SV10" + name + item)
    assert page_of(slice_).startswith(words)
    assert bool(page_of(slice_)) == bool(words)


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("VolumetricProperties", "SAMPLED", "a projection"),
        ("VolumetricProperties", "DISTORTED", "a curved reformation"),
        ("VolumeBasedCalculationTechnique", "MAX_IP", "a projection"),
    ],
)
def test_frames_say_it_in_their_frame_type(keyword: str, value: str, words: str) -> None:
    attributes = Dataset()
    setattr(attributes, keyword, value)
    assert page_of(attributes) == f"{words} ({keyword})"


def page(header: Header, **changes: Any) -> Header:
    return replace(header, sop_instance_uid="1.2.3.99", instance_number=99, **changes)


NOWHERE: dict[str, Any] = {
    "image_position_mm": None,
    "image_orientation": None,
    "pixel_spacing_mm": None,
}


@BOTH
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"page": "a screen capture (ImageType)"}, "no plane: a screen capture"),
        ({"page": "a mosaic of slices (ImageType)", "rows": 9}, "no plane: a mosaic"),
        ({"sop_class_uid": SC} | NOWHERE, "a secondary capture"),
        ({"sop_class_uid": SC}, "a secondary capture among other images"),
        (
            {"distinctions": (("ImageType", "DERIVED\\SECONDARY\\OTHER"),)} | NOWHERE,
            "a derived image without a position",
        ),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.6.1"} | NOWHERE, "an ultrasound image"),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.20"} | NOWHERE, "a nuclear medicine image"),
        (NOWHERE, "without a valid position"),
        ({"image_orientation": (0.0,) * 6}, "without a valid position"),
        ({"pixel_spacing_mm": (0.0, 0.0)}, "without a valid position"),
        ({"samples_per_pixel": 3, "photometric_interpretation": RGB}, "in colour"),
        ({"number_of_frames": 8}, "of several frames without functional groups"),
        ({"rows": 99}, "of another size"),
        ({"pixel_spacing_mm": (3.0, 3.0)}, "pixel spacing"),
        ({"frame_of_reference_uid": "1.9", "page": "a screen capture (ImageType)"}, "a screen"),
    ],
)
def test_one_page_does_not_hold_up_a_good_stack(
    stack: Any, rules: Any, changes: dict[str, Any], words: str
) -> None:
    slices = stack(EIGHT)
    series = [page(slices[3], **changes), *slices]
    check_one_series(series)
    placement = place(series, rules)
    assert placement.phases == (tuple(slices),)
    [warning] = placement.warnings
    assert "1 of 9 images set aside" in warning
    assert words in warning
    assert warning.endswith("such as 1.2.3.99")


@BOTH
def test_three_views_across_are_set_aside_and_four_are_not(stack: Any, rules: Any) -> None:
    slices = stack([2.0 * n for n in range(20)])
    views = [
        replace(
            page(slices[0], image_orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0)),
            sop_instance_uid=f"1.2.4.{n}",
            image_position_mm=(100.0, 50.0 + n, 7.0),
        )
        for n in range(4)
    ]
    placement = place([*slices, *views[:3]], rules)
    assert len(placement.headers) == 20
    assert "3 of 23 images set aside, no slice: in another plane" in placement.warnings[0]
    with pytest.raises(GeometryError, match="2 orientations"):
        place([*slices, *views], rules)


@BOTH
@pytest.mark.parametrize(
    ("at", "changes", "words"),
    [
        (7, {"image_orientation": (0.0,) * 6}, "ImageOrientationPatient is not two"),
        (0, {"image_orientation": (0.0,) * 6}, "ImageOrientationPatient is not two"),
        (7, {"rows": 9}, "several sizes"),
        (7, {"pixel_spacing_mm": (3.0, 3.0)}, "pixel spacing"),
        (7, {"image_orientation": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)}, "2 orientations"),
        (7, NOWHERE, "no ImagePositionPatient"),
        (3, {"rows": 9}, "several sizes"),
        (3, NOWHERE, "no ImagePositionPatient"),
    ],
)
def test_what_may_be_a_slice_of_the_stack_is_never_set_aside(
    stack: Any, rules: Any, at: int, changes: dict[str, Any], words: str
) -> None:
    slices = stack(EIGHT)
    slices[at] = replace(slices[at], **changes)
    with pytest.raises(GeometryError, match=words):
        place(slices, rules)


@BOTH
def test_half_a_stack_of_another_size_is_refused(stack: Any, rules: Any) -> None:
    slices = [replace(one, rows=9 if n % 2 else 8) for n, one in enumerate(stack(EIGHT))]
    with pytest.raises(GeometryError, match="several sizes"):
        place(slices, rules)


@BOTH
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"page": "a mosaic of slices (ImageType)"}, r"8 x a mosaic of slices \(ImageType\)"),
        ({"sop_class_uid": SC} | NOWHERE, "8 x a secondary capture without a position"),
    ],
)
def test_a_series_of_nothing_but_pages_is_refused_by_what_they_are(
    stack: Any, rules: Any, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SeriesError, match=words) as caught:
        place([replace(one, **changes) for one in stack(EIGHT)], rules)
    assert hold_of(caught.value).reason == HoldReason.NO_PLANES


def test_secondary_captures_with_a_place_are_slices(stack: Any) -> None:
    slices = stack(EIGHT, sop_class_uid=SC)
    assert place(slices, RULES_3D).phases == (tuple(slices),)


def test_a_scout_view_of_a_ct_alone_is_a_projection(stack: Any) -> None:
    with pytest.raises(GeometryError, match="1 x a projection"):
        place(stack([0.0], is_localizer=True), RULES_2D)


def test_a_page_whose_header_is_read_from_a_file_is_known(tmp_path: Path) -> None:
    path = tmp_path / "page.dcm"
    data_set(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]).save_as(
        path, enforce_file_format=True
    )
    assert read_headers(path)[0].page == "a screen capture (ImageType)"
