"""Masks to a DICOM Segmentation (PS3.3 A.51), one binary segment for each structure.

highdicom composes it. It is handed stand-ins for the source images that have a place and little
else, because it refuses values that real series have; the source's own are copied afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset, FileDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ImplicitVRLittleEndian

from core.errors import SegmentationError
from core.identity import MANUFACTURER, VERSION, Provenance
from core.uids import derive_uid
from imaging.derived.attributes import coded
from imaging.geometry.plane import plane_of
from imaging.instances.header import Header
from imaging.rtstruct.modules import copy_character_set, fill, one_line
from imaging.rtstruct.writer import Masks, Roi, check_content, labelled
from imaging.seg.codes import codes_of
from imaging.seg.modules import complete, stand_ins

NOT_FOUND = "Nothing of this structure was found in the series."
"""Stands in SegmentDescription of a segment without frames."""
_LONGEST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What drew the structures."""

    name: str
    version: str


def build_segmentation(
    headers: Sequence[Header],
    masks: Masks,
    rois: Sequence[Roi],
    provenance: Provenance,
    *,
    algorithm: Algorithm,
    label: str,
    description: str = "",
    phase: int | None = None,
) -> FileDataset:
    """A whole binary Segmentation of `rois`, ready for `save_as(path, enforce_file_format=True)`.

    `masks` has for each ROI's name a bool array [instance, row, column] in the order of `headers`.
    There is a frame for each structure and image on which it was found, with the image's place and
    a reference to it. A structure that was found nowhere remains as a segment without frames, and
    its description says so. Written in implicit VR little endian, like structure sets.

    Args:
        headers: the instances of one series, or of one of its phases: one at each position.
        masks: by ROI name.
        rois: in the order in which they are numbered, from 1.
        provenance: of the job.
        algorithm: of all segments.
        label: ContentLabel of at most 16 capitals, cut for what phase and revision add.
        description: ContentDescription and SeriesDescription.
        phase: from 1, where the series has several.

    Raises:
        SegmentationError: DICOM has no segmentation of such a series, or nothing was found.
        ContourError: names, masks and headers do not fit together, or a text breaks a limit.
        GeometryError: an instance has no place in the patient.
    """
    check_content(headers, masks, rois, label)
    check_frame_of_reference(headers)
    _check_phase(headers, masks)
    source = pydicom.dcmread(headers[0].path, stop_before_pixels=True)
    label, description = labelled(label, description, provenance, phase)
    composed = Segmentation(
        source_images=stand_ins(headers, source),
        pixel_array=_pixels(rois, masks),
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(number, roi, algorithm, is_empty=not masks[roi.name].any())
            for number, roi in enumerate(rois, 1)
        ],
        series_instance_uid=provenance.uid("segmentation series"),
        series_number=1,
        sop_instance_uid=provenance.uid("segmentation", *_part(phase)),
        instance_number=phase or 1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=VERSION,
        device_serial_number=provenance.root_uid.rstrip("."),  # tells installations apart
        content_label=label,
        content_description=one_line(description or label),
        transfer_syntax_uid=ImplicitVRLittleEndian,
    )
    data_set = complete(composed, source, headers, provenance)
    _write_tracking(data_set, headers[0], provenance)
    texts = [description, *(f"{roi.name} {roi.description}" for roi in rois)]
    copy_character_set(data_set, source, texts)
    return data_set


def _part(phase: int | None) -> tuple[str, ...]:
    return () if phase is None else (f"phase {phase}",)


def check_frame_of_reference(headers: Sequence[Header]) -> None:
    """A segmentation has the frame of reference of its images (PS3.3 A.51.1), a series only one.

    Raises:
        SegmentationError: there are several.
    """
    frames = {header.frame_of_reference_uid for header in headers}
    if len(frames) > 1:
        raise SegmentationError(
            f"Series {headers[0].series_instance_uid}: {len(frames)} frames of reference, expected "
            "one, which a segmentation shares with its images"
        )


def _check_phase(headers: Sequence[Header], masks: Masks) -> None:
    uid = headers[0].series_instance_uid
    normal = plane_of(headers[0]).normal
    positions = {float(plane_of(header).origin_mm @ normal) for header in headers}
    if len(positions) < len(headers):
        raise SegmentationError(
            f"Series {uid}: {len(headers)} images at {len(positions)} positions, expected one at "
            "each, phase by phase"
        )
    if not any(mask.any() for mask in masks.values()):
        raise SegmentationError(f"Series {uid}: no voxel of {', '.join(masks)} was found")


def _pixels(rois: Sequence[Roi], masks: Masks) -> npt.NDArray[Any]:
    """Segment numbers [instance, row, column]; [..., segment] where structures overlap.

    Numbers take the memory of one mask; only overlapping structures take that of all.
    """
    shape = masks[rois[0].name].shape
    numbers = np.zeros(shape, dtype=np.min_scalar_type(len(rois)))
    for number, roi in enumerate(rois, 1):
        mask = masks[roi.name]
        if numbers[mask].any():
            stacked = np.stack([masks[one.name] for one in rois])
            return np.moveaxis(stacked, 0, -1)  # each mask stays in one piece, which is faster
        numbers[mask] = number
    return numbers


def _segment(number: int, roi: Roi, algorithm: Algorithm, *, is_empty: bool) -> SegmentDescription:
    meaning = codes_of(roi.name, roi.interpreted_type)
    identification = AlgorithmIdentificationSequence(
        name=one_line(algorithm.name),
        family=codes.cid7162.ArtificialIntelligence,
        version=one_line(algorithm.version),
    )
    item = SegmentDescription(
        number,
        roi.name,
        meaning.category,
        meaning.type,
        algorithm_type="AUTOMATIC",
        algorithm_identification=identification,
        display_color=CIELabColor.from_rgb(*roi.color_rgb),
    )
    if meaning.side is not None:
        type_item = item.SegmentedPropertyTypeCodeSequence[0]
        type_item.SegmentedPropertyTypeModifierCodeSequence = [coded(meaning.side)]
    words = f"{roi.description} {NOT_FOUND if is_empty else ''}".strip()
    if words:
        fill(item, {"SegmentDescription": words[:_LONGEST_TEXT]})
    return item


def _write_tracking(data_set: Dataset, header: Header, provenance: Provenance) -> None:
    """The same structure of the same series is tracked from revision to revision."""
    for item in data_set.SegmentSequence:
        name = str(item.SegmentLabel)
        uid = derive_uid(provenance.root_uid, "tracking", header.series_instance_uid, name)
        fill(item, {"TrackingID": name, "TrackingUID": uid})
