"""Writing of masks as an RT Structure Set (PS3.3 A.19)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import structlog
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import RTStructureSetStorage

from core.errors import ContourError
from core.identity import Provenance
from imaging.contours.tracing import Holes
from imaging.derived.descriptions import describe_result, phase_words, source_description
from imaging.instances.character_sets import CharacterSet
from imaging.instances.encoded_texts import encode_texts
from imaging.instances.header import Header
from imaging.instances.time_zones import in_zone_of
from imaging.rtstruct import modules
from imaging.rtstruct.contour_data import SeriesContours, contour_sequence
from imaging.rtstruct.modules import build_item, fill, one_line
from imaging.rtstruct.roi_names import written_names
from imaging.rtstruct.target_systems import GENERIC, Variant, fit_names

Masks = Mapping[str, npt.NDArray[np.bool_]]

NOT_FOUND = "No contours: nothing of this structure was found in the series."
"""ROIDescription of a structure whose mask is empty."""
_log = structlog.get_logger()
_LONGEST_LABEL = 16
_LONGEST_NAME = 64
_LONGEST_TEXT = 1024
_INTERPRETED_TYPE = re.compile(r"[A-Z0-9_ ]{0,16}")


@dataclass(frozen=True, slots=True)
class Roi:
    """Attributes of a structure besides its contours."""

    name: str
    """ROIName, at most 64 characters; the variant may allow fewer."""
    color_rgb: tuple[int, int, int]
    interpreted_type: str = ""
    """RTROIInterpretedType, such as ORGAN or PTV; empty if unknown."""
    description: str = ""


def build_structure_set(
    headers: Sequence[Header],
    masks: Masks,
    rois: Sequence[Roi],
    provenance: Provenance,
    *,
    label: str,
    description: str = "",
    variant: Variant = GENERIC,
    phase: int | None = None,
    holes: Holes = "keyhole",
) -> FileDataset:
    """Build an RT Structure Set of `rois`, ready for `save_as(path, enforce_file_format=True)`.

    Patient and study are the source's, byte for byte, whatever its character set; names with
    letters that it lacks are spelled in ASCII (`imaging/rtstruct/roi_names.py`).
    Every contour refers to its instance and lies in that instance's plane. An ROI with an empty
    mask is written without contours, with a note in ROIDescription. The transfer syntax is implicit
    VR little endian, which every receiver accepts and in which no element has a length limit.

    Args:
        headers: the images of one series, or of one of its phases.
        masks: by ROI name, bool [instance, row, column] in the order of `headers`.
        rois: structures, in the order in which they are written.
        provenance: identity of the job.
        label: StructureSetLabel of at most 16 characters, cut to make room for phase and revision.
        description: StructureSetDescription and SeriesDescription.
        variant: rules of the target system for names and types.
        phase: number of the phase from 1, if each phase has a structure set of its own.
        holes: `keyhole`, or `xor` for contours of their own, all then CLOSEDPLANAR_XOR.

    Raises:
        ContourError: names, masks and headers do not fit together, or a text exceeds a limit.
        GeometryError: an instance has no position in the patient.
    """
    check_content(headers, masks, rois, label)
    source = pydicom.dcmread(headers[0].path, stop_before_pixels=True)
    provenance = in_zone_of(source, provenance)
    data_set = _empty_file(provenance, phase)
    of = source_description(source)
    label = with_phase_and_revision(label, provenance, phase)
    description = description or label
    line = describe_result(one_line(description), of, provenance, more=phase_words(phase))
    description = describe_result(
        description, of, provenance, more=phase_words(phase), longest=_LONGEST_TEXT
    )
    texts = [label, description, provenance.pipeline]
    texts += [text for roi in rois for text in (roi.name, roi.description)]
    character_set = modules.copy_character_set(data_set, source, texts)
    modules.copy_source(data_set, source)
    fill(data_set, modules.series(source, provenance, line) | modules.equipment(provenance))
    frames = modules.frame_references(headers, provenance.uid("frame of reference"))
    fill(data_set, _structure_set(frames, provenance, label, (line, description)))
    frame_uid = str(frames[0].FrameOfReferenceUID)
    fill(data_set, _predecessors(provenance, phase) | {"FrameOfReferenceUID": frame_uid})
    writer = SeriesContours(headers, holes)
    contours = [contour_sequence(writer.items(masks[roi.name])) for roi in rois]
    written = _fitted(with_written_names(rois, character_set), variant)
    fill(data_set, _roi_sequences(written, contours, frame_uid, provenance))
    encode_texts(data_set, implicit_vr=True, character_set=character_set)
    return data_set


def with_written_names(rois: Sequence[Roi], character_set: CharacterSet) -> list[Roi]:
    """Copies of `rois` with names that the character set can write."""
    names = written_names([roi.name for roi in rois], character_set)
    return [replace(roi, name=name) for roi, name in zip(rois, names, strict=True)]


def with_phase_and_revision(label: str, provenance: Provenance, phase: int | None) -> str:
    """Add phase and revision to a label of 16 characters, so that results of one series differ."""
    suffix = f" P{phase}" if phase is not None else ""
    suffix += f" REV{provenance.revision}" if provenance.revision > 1 else ""
    return label[: _LONGEST_LABEL - len(suffix)].strip() + suffix


def _fitted(rois: Sequence[Roi], variant: Variant) -> list[Roi]:
    """Cut names to the target system's limit; the description then has the full name."""
    fitted = []
    for roi, name in zip(rois, fit_names([roi.name for roi in rois], variant), strict=True):
        if variant.needs_interpreted_type and not roi.interpreted_type:
            _log.warning("structure without a type", roi=roi.name, variant=variant.name)
        if name != roi.name:
            _log.warning("ROIName cut", roi=roi.name, written=name, variant=variant.name)
            description = f"{roi.name}. {roi.description}".strip()
            fitted.append(replace(roi, name=name, description=description))
        else:
            fitted.append(roi)
    return fitted


def _predecessors(provenance: Provenance, phase: int | None) -> dict[str, Any]:
    """Reference to the structure set that this one replaces, if it is unique (PS3.3 C.8.8.5)."""
    replaced = [
        uid
        for uid, sop_class in provenance.predecessor_uids.items()
        if sop_class == RTStructureSetStorage
    ]
    if phase is not None:
        earlier = replace(provenance, job_id=provenance.predecessor_job_id)
        replaced = [uid for uid in replaced if uid == _uid(earlier, phase)]
    if len(replaced) != 1:
        return {}
    item = {
        "ReferencedSOPClassUID": RTStructureSetStorage,
        "ReferencedSOPInstanceUID": replaced[0],
    }
    return {"PredecessorStructureSetSequence": [build_item(item)]}


def _uid(provenance: Provenance, phase: int | None) -> str:
    part = () if phase is None else (f"phase {phase}",)
    return provenance.uid("structure set", *part)


def _empty_file(provenance: Provenance, phase: int | None) -> FileDataset:
    uid = _uid(provenance, phase)
    meta = modules.file_meta(RTStructureSetStorage, uid)
    data_set = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    sop_common = {
        "SOPClassUID": RTStructureSetStorage,
        "SOPInstanceUID": uid,
        "InstanceCreationDate": provenance.date,
        "InstanceCreationTime": provenance.time,
        "InstanceNumber": phase or 1,
    }
    fill(data_set, sop_common)
    return data_set


def _structure_set(
    frames: list[Dataset], provenance: Provenance, label: str, words: tuple[str, str]
) -> dict[str, Any]:
    line, description = words
    return {
        "StructureSetLabel": label,
        "StructureSetName": line,
        "StructureSetDescription": f"{description}\n{provenance.details}".strip()[:_LONGEST_TEXT],
        "StructureSetDate": provenance.date,
        "StructureSetTime": provenance.time,
        "ReferencedFrameOfReferenceSequence": frames,
        "ApprovalStatus": "UNAPPROVED",
    }


def _roi_sequences(
    rois: Sequence[Roi],
    contours: list[RawDataElement | None],
    frame_uid: str,
    provenance: Provenance,
) -> dict[str, Any]:
    numbers = range(1, len(rois) + 1)
    return {
        "StructureSetROISequence": [
            build_item(
                {
                    "ROINumber": number,
                    "ReferencedFrameOfReferenceUID": frame_uid,
                    "ROIName": roi.name,
                    "ROIDescription": _roi_description(roi, is_empty=drawn is None),
                    "ROIGenerationAlgorithm": "AUTOMATIC",
                    "ROIGenerationDescription": modules.one_line(provenance.pipeline),
                }
            )
            for number, roi, drawn in zip(numbers, rois, contours, strict=True)
        ],
        "ROIContourSequence": [
            _roi_contour(number, roi, drawn)
            for number, roi, drawn in zip(numbers, rois, contours, strict=True)
        ],
        "RTROIObservationsSequence": [
            build_item(
                {
                    "ObservationNumber": number,
                    "ReferencedROINumber": number,
                    "ROIObservationLabel": roi.name[:_LONGEST_LABEL].strip(),
                    "RTROIInterpretedType": roi.interpreted_type,
                    "ROIInterpreter": "",
                }
            )
            for number, roi in zip(numbers, rois, strict=True)
        ],
    }


def _roi_contour(number: int, roi: Roi, drawn: RawDataElement | None) -> Dataset:
    item = build_item({"ReferencedROINumber": number, "ROIDisplayColor": list(roi.color_rgb)})
    if drawn is not None:
        item[drawn.tag] = drawn
    return item


def _roi_description(roi: Roi, *, is_empty: bool) -> str:
    return f"{roi.description} {NOT_FOUND if is_empty else ''}".strip()[:_LONGEST_TEXT]


def check_content(headers: Sequence[Header], masks: Masks, rois: Sequence[Roi], label: str) -> None:
    """Check that masks, names and images fit together, for a structure set or a segmentation.

    Raises:
        ContourError: they do not fit together, or a text exceeds a limit.
    """
    if not headers or len({header.series_instance_uid for header in headers}) != 1:
        raise ContourError("Structures need the instances of exactly one series")
    if any(header.number_of_frames > 1 and not header.frame_number for header in headers):
        raise ContourError(
            f"Series {headers[0].series_instance_uid}: an instance of several frames, expected a "
            "header for each frame"
        )
    if not 0 < len(label) <= _LONGEST_LABEL or "\\" in label:
        raise ContourError(f"Label {label!r}: expected 1 to 16 characters, no backslash")
    names = [roi.name for roi in rois]
    if len({name.casefold() for name in names}) != len(names) or set(names) != set(masks):
        raise ContourError(f"ROIs {names} and masks {sorted(masks)}: expected one of each by name")
    for roi in rois:
        _check_roi(roi)
        _check_mask(roi.name, masks[roi.name], headers)


def _check_mask(name: str, mask: npt.NDArray[np.bool_], headers: Sequence[Header]) -> None:
    expected = (len(headers), headers[0].rows, headers[0].columns)
    if mask.dtype != np.bool_:
        raise ContourError(f"Mask of {name!r} is of {mask.dtype}, expected bool")
    if mask.shape != expected:
        raise ContourError(f"Mask of {name!r} has shape {mask.shape}, expected {expected}")
    for header in headers:
        if (header.rows, header.columns) != expected[1:]:
            raise ContourError(
                f"Instance {header.sop_instance_uid} has {header.rows} rows and {header.columns} "
                f"columns, expected {expected[1]} and {expected[2]} as in the first"
            )


def _check_roi(roi: Roi) -> None:
    if not 0 < len(roi.name) <= _LONGEST_NAME or "\\" in roi.name or roi.name != roi.name.strip():
        raise ContourError(
            f"ROIName {roi.name!r}: expected 1 to 64 characters, no backslash, no space at the ends"
        )
    if any(unicodedata.category(one) == "Cc" for one in roi.name):  # PS3.5 6.2, LO
        raise ContourError(f"ROIName {roi.name!r}: expected no control characters")
    if not _INTERPRETED_TYPE.fullmatch(roi.interpreted_type):
        raise ContourError(
            f"RTROIInterpretedType {roi.interpreted_type!r} of {roi.name!r}: expected capitals, "
            "digits, spaces or underscores, at most 16"
        )
    if not all(0 <= part <= 255 for part in roi.color_rgb):
        raise ContourError(f"Colour {roi.color_rgb} of {roi.name!r}: expected three of 0 to 255")
