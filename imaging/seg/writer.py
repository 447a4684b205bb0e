"""Writing of masks as a DICOM Segmentation (PS3.3 A.51), with a binary segment per structure.

highdicom composes the segmentation from stand-ins for the source images, because it rejects values
that occur in real series; the source's own attributes are copied afterwards.
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
from imaging.derived.attributes import code_item
from imaging.derived.descriptions import describe_result, phase_words, source_description
from imaging.geometry.plane import plane_of
from imaging.instances.encoded_texts import encode_texts
from imaging.instances.header import Header
from imaging.instances.time_zones import in_zone_of
from imaging.rtstruct.modules import character_set_for, copy_character_set, fill, one_line
from imaging.rtstruct.writer import (
    Masks,
    Roi,
    check_content,
    with_phase_and_revision,
    with_written_names,
)
from imaging.seg.codes import codes_of
from imaging.seg.modules import complete, stand_ins

NOT_FOUND = "Nothing of this structure was found in the series."
"""SegmentDescription of a segment without frames."""
_LONGEST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Name and version of the segmentation algorithm."""

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
    """Build a binary Segmentation of `rois`, ready for `save_as(path, enforce_file_format=True)`.

    There is a frame for each structure and image where it was found, with the position of the image
    and a reference to it. A structure that was not found remains as a segment without frames, with
    a note in its description. The transfer syntax is implicit VR little endian.

    Args:
        headers: the images of one series, or of one of its phases: one at each position.
        masks: by ROI name, bool [instance, row, column] in the order of `headers`.
        rois: structures, in the order of segment numbers from 1.
        provenance: identity of the job.
        algorithm: the algorithm of all segments.
        label: ContentLabel of at most 16 capitals, cut to make room for phase and revision.
        description: ContentDescription and SeriesDescription.
        phase: number of the phase from 1, if the series has several.

    Raises:
        SegmentationError: a series that no segmentation can describe, or nothing was found.
        ContourError: names, masks and headers do not fit together, or a text exceeds a limit.
        GeometryError: an instance has no position in the patient.
    """
    check_content(headers, masks, rois, label)
    check_frame_of_reference(headers)
    _check_phase(headers, masks)
    source = pydicom.dcmread(headers[0].path, stop_before_pixels=True)
    provenance = in_zone_of(source, provenance)
    label = with_phase_and_revision(label, provenance, phase)
    description = describe_result(
        one_line(description or label),
        source_description(source),
        provenance,
        more=phase_words(phase),
    )
    texts = [description, *(f"{roi.name} {roi.description}" for roi in rois)]
    written = with_written_names(rois, character_set_for(source, texts))
    composed = Segmentation(
        source_images=stand_ins(headers, source),
        pixel_array=_pixels(rois, masks),
        segmentation_type="BINARY",
        segment_descriptions=[
            _segment(number, named, algorithm, is_empty=not masks[roi.name].any())
            for number, (roi, named) in enumerate(zip(rois, written, strict=True), 1)
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
        content_description=description,
        transfer_syntax_uid=ImplicitVRLittleEndian,
    )
    data_set = complete(composed, source, headers, provenance)
    _write_tracking(data_set, rois, headers[0], provenance)
    character_set = copy_character_set(data_set, source, texts)
    encode_texts(data_set, implicit_vr=True, character_set=character_set)
    return data_set


def _part(phase: int | None) -> tuple[str, ...]:
    return () if phase is None else (f"phase {phase}",)


def check_frame_of_reference(headers: Sequence[Header]) -> None:
    """Check that the images share one frame of reference, as PS3.3 A.51.1 requires.

    Raises:
        SegmentationError: there are several frames of reference.
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
    """Segment numbers [instance, row, column], or masks [..., segment] if structures overlap.

    Numbers need the memory of a single mask; overlapping structures need that of all masks.
    """
    shape = masks[rois[0].name].shape
    numbers = np.zeros(shape, dtype=np.min_scalar_type(len(rois)))
    for number, roi in enumerate(rois, 1):
        mask = masks[roi.name]
        if numbers[mask].any():
            stacked = np.stack([masks[one.name] for one in rois])
            return np.moveaxis(stacked, 0, -1)  # each mask stays contiguous, which is faster
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
        type_item.SegmentedPropertyTypeModifierCodeSequence = [code_item(meaning.side)]
    words = f"{roi.description} {NOT_FOUND if is_empty else ''}".strip()
    if words:
        fill(item, {"SegmentDescription": words[:_LONGEST_TEXT]})
    return item


def _write_tracking(
    data_set: Dataset, rois: Sequence[Roi], header: Header, provenance: Provenance
) -> None:
    """Write a tracking UID that is the same for a structure in every revision of a series."""
    for item, roi in zip(data_set.SegmentSequence, rois, strict=True):
        uid = derive_uid(provenance.root_uid, "tracking", header.series_instance_uid, roi.name)
        fill(item, {"TrackingID": str(item.SegmentLabel), "TrackingUID": uid})
