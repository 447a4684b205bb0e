"""Stand-in source images for highdicom, and the source's attributes in a finished segmentation."""

import copy
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import CTImageStorage, SegmentationStorage

from core.identity import Provenance
from imaging.enhanced.functional_groups import frame_groups
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.rtstruct import modules
from imaging.rtstruct.modules import build_item, fill, image_reference

_SERIES_NUMBER_OFFSET = 2000
_UID = "1.2."
_LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
)


def stand_ins(headers: Sequence[Header], source: Dataset) -> list[Dataset]:
    """Make a minimal CT image in place of each of `headers`, with its position and index.

    The index is part of the SOP Instance UID. Directions and pixel spacing are the first image's,
    as highdicom requires; `complete` corrects them.
    """
    common = dict.fromkeys(_EMPTY, "") | {
        "SOPClassUID": CTImageStorage,
        "StudyInstanceUID": _UID + "1",
        "SeriesInstanceUID": _UID + "2",
        "FrameOfReferenceUID": _UID + "3",
        "Modality": "OT",
        "Rows": headers[0].rows,
        "Columns": headers[0].columns,
        "PixelSpacing": list(headers[0].pixel_spacing_mm or ()),
        "ImageOrientationPatient": list(headers[0].image_orientation or ()),
        "SliceThickness": _thickness_mm(headers[0], source) or _distance_mm(headers),
    }
    common |= {name: source[name].value for name in _LOSSY if name in source}
    return [
        build_item(
            common
            | {
                "SOPInstanceUID": f"{_UID}{number}",
                "ImagePositionPatient": list(header.image_position_mm or ()),
            }
        )
        for number, header in enumerate(headers)
    ]


def complete(
    composed: Dataset, source: Dataset, headers: Sequence[Header], provenance: Provenance
) -> FileDataset:
    """Complete a segmentation: patient and study of the source, UIDs of the job, references."""
    uid = str(composed.SOPInstanceUID)
    meta = modules.file_meta(SegmentationStorage, uid)
    data_set = FileDataset("", dict(composed), preamble=b"\0" * 128, file_meta=meta)
    frame_uid = headers[0].frame_of_reference_uid or provenance.uid("frame of reference")
    modules.copy_source(data_set, source)
    fill(data_set, {"FrameOfReferenceUID": frame_uid, "ContentCreatorName": ""})
    fill(data_set, modules.equipment(provenance))
    fill(data_set, _series(data_set, source, provenance))
    _write_dimensions(data_set, provenance.uid("dimensions"))
    _write_references(data_set, headers)
    return data_set


def _thickness_mm(header: Header, source: Dataset) -> float | None:
    attributes = (
        source if header.frame_number is None else frame_groups(source, header.frame_number)
    )
    thickness_mm = attributes.get("SliceThickness")
    return float(thickness_mm) if thickness_mm and float(thickness_mm) > 0 else None


def _distance_mm(headers: Sequence[Header]) -> float | None:
    """Median distance of neighbouring images, for a source without SliceThickness (type 1C)."""
    normal = plane_of(headers[0]).normal
    positions = np.sort([plane_of(header).origin_mm @ normal for header in headers])
    return round(float(np.median(np.diff(positions))), 6) if len(headers) > 1 else None


def _series(data_set: Dataset, source: Dataset, provenance: Provenance) -> dict[str, str | int]:
    number = str(source.get("SeriesNumber") or "0").strip()
    return {
        "SeriesNumber": _SERIES_NUMBER_OFFSET + (int(number) if number.isdigit() else 0),
        "SeriesDescription": str(data_set.ContentDescription),
        "SeriesDate": provenance.date,
        "SeriesTime": provenance.time,
        "InstanceCreationDate": provenance.date,
        "InstanceCreationTime": provenance.time,
        "ContentDate": provenance.date,
        "ContentTime": provenance.time,
    }


def _write_dimensions(data_set: Dataset, uid: str) -> None:
    """Replace highdicom's random DimensionOrganizationUID."""
    for item in chain(data_set.DimensionOrganizationSequence, data_set.DimensionIndexSequence):
        fill(item, {"DimensionOrganizationUID": uid})


def _write_references(data_set: Dataset, headers: Sequence[Header]) -> None:
    """Write each frame's reference to its image, with the directions and spacing of that image."""
    shared = data_set.SharedFunctionalGroupsSequence[0]
    places = {(header.image_orientation, header.pixel_spacing_mm) for header in headers}
    for item, header in list(_frames(data_set, headers)):  # frames of an image share an item
        [reference] = item.DerivationImageSequence[0].SourceImageSequence
        reference.update(image_reference(header))
        if len(places) > 1:
            _write_image_plane(item, shared, header)
    if len(places) > 1:
        del shared.PlaneOrientationSequence, shared.PixelMeasuresSequence
    whole = {header.sop_instance_uid: header for header in headers}
    references = [_instance_reference(header) for header in whole.values()]
    in_series = {
        "SeriesInstanceUID": headers[0].series_instance_uid,
        "ReferencedInstanceSequence": references,
    }
    fill(
        data_set,
        {
            "SourceImageSequence": [_instance_reference(header) for header in whole.values()],
            "ReferencedSeriesSequence": [build_item(in_series)],
        },
    )


def _frames(data_set: Dataset, headers: Sequence[Header]) -> Iterator[tuple[Dataset, Header]]:
    """Yield each frame's functional groups with the header of its source image."""
    for item in data_set.PerFrameFunctionalGroupsSequence:
        [reference] = item.DerivationImageSequence[0].SourceImageSequence
        yield item, headers[int(reference.ReferencedSOPInstanceUID.removeprefix(_UID))]


def _write_image_plane(item: Dataset, shared: Dataset, header: Header) -> None:
    item.PlaneOrientationSequence = [
        build_item({"ImageOrientationPatient": list(header.image_orientation or ())})
    ]
    item.PixelMeasuresSequence = copy.deepcopy(list(shared.PixelMeasuresSequence))
    fill(item.PixelMeasuresSequence[0], {"PixelSpacing": list(header.pixel_spacing_mm or ())})


def _instance_reference(header: Header) -> Dataset:
    return build_item(
        {
            "ReferencedSOPClassUID": header.sop_class_uid,
            "ReferencedSOPInstanceUID": header.sop_instance_uid,
        }
    )
