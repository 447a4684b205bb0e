"""Modules of a structure set with values of the source and of the job (PS3.3 A.19.3)."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, ImplicitVRLittleEndian

from core.identity import MANUFACTURER, VERSION, Provenance
from imaging.derived.provenance import contributing_equipment
from imaging.instances.character_sets import UTF_8, CharacterSet, character_set_of
from imaging.instances.encoded_texts import text_bytes
from imaging.instances.header import Header
from imaging.instances.time_zones import write_zone

_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_SERIES_NUMBER_OFFSET = 1000
_LONGEST_LINE = 64
# Type 2 attributes are written empty where the source lacks them, the others left out
_PATIENT = {"PatientName": 2, "PatientID": 2, "PatientBirthDate": 2, "PatientSex": 2}
_STUDY = {
    "StudyInstanceUID": 2,
    "StudyDate": 2,
    "StudyTime": 2,
    "StudyID": 2,
    "AccessionNumber": 2,
    "ReferringPhysicianName": 2,
}
_OPTIONAL = (
    "IssuerOfPatientID",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "StudyDescription",
    "LongitudinalTemporalInformationModified",
)
_COPIED = {**_PATIENT, **_STUDY, **dict.fromkeys(_OPTIONAL, 3), "PositionReferenceIndicator": 2}


def file_meta(sop_class_uid: str, sop_instance_uid: str) -> FileMetaDataset:
    """File meta information for implicit VR little endian, which every receiver accepts."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = f"{MANUFACTURER.upper()} {VERSION}"[:16]
    return meta


def build_item(values: Mapping[str, Any]) -> Dataset:
    """Build a data set of `values` by keyword without checks: invalid UIDs are kept."""
    item = Dataset()
    fill(item, values)
    # set the syntax in which it will be written, so that raw values stay raw
    item.set_original_encoding(True, True, "iso8859")
    return item


def fill(data_set: Dataset, values: Mapping[str, Any]) -> None:
    """Set `values` by keyword, without pydicom's checks and warnings."""
    for keyword, value in values.items():
        tag = _tag(keyword)
        data_set[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)


def copy_source(data_set: Dataset, source: Dataset) -> None:
    """Copy patient, study and frame of reference attributes, byte for byte, and the times' zone."""
    for keyword, kind in _COPIED.items():
        tag = _tag(keyword)
        if tag in source:
            is_sequence = dictionary_VR(tag) == "SQ"
            data_set[tag] = copy.deepcopy(source[tag]) if is_sequence else source.get_item(tag)
        elif kind == 2:
            fill(data_set, {keyword: ""})
    write_zone(data_set, source)


def copy_character_set(data_set: Dataset, source: Dataset, texts: Iterable[str]) -> CharacterSet:
    """Write the character set for results of `source` with `texts`; returns it."""
    found, tag = character_set_for(source, texts), _tag("SpecificCharacterSet")
    if found == UTF_8 != character_set_of(source):
        fill(data_set, {"SpecificCharacterSet": "ISO_IR 192"})
    elif tag in source:
        data_set[tag] = copy.deepcopy(source[tag])
    return found


def character_set_for(source: Dataset, texts: Iterable[str]) -> CharacterSet:
    """Character set of results of `source`: its own, whose bytes are copied.

    UTF-8 for a source in ASCII of which every copied byte is ASCII, if `texts` need it: the same
    bytes then mean the same.
    """
    own = character_set_of(source)
    if not own.is_ascii or all(text.isascii() for text in texts):
        return own
    copied = Dataset()
    copy_source(copied, source)
    as_read = text_bytes(copied)
    return UTF_8 if as_read.isascii() and b"\x1b" not in as_read else own


def equipment(provenance: Provenance) -> dict[str, Any]:
    """General Equipment, and the ContributingEquipmentSequence that marks own objects."""
    return {
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": MANUFACTURER,
        "SoftwareVersions": VERSION,
        "ContributingEquipmentSequence": [contributing_equipment(provenance)],
    }


def series(source: Dataset, provenance: Provenance, description: str) -> dict[str, Any]:
    """RT Series module."""
    number = str(source.get("SeriesNumber") or "0").strip()
    return {
        "Modality": "RTSTRUCT",
        "SeriesInstanceUID": provenance.uid("structure set series"),
        "SeriesNumber": _SERIES_NUMBER_OFFSET + (int(number) if number.isdigit() else 0),
        "SeriesDate": provenance.date,
        "SeriesTime": provenance.time,
        "SeriesDescription": one_line(description),
        "OperatorsName": "",
    }


def frame_references(headers: Sequence[Header], unknown_frame_uid: str) -> list[Dataset]:
    """ReferencedFrameOfReferenceSequence: an item for each frame of reference, with its images.

    De-identified series may have a frame of reference for every instance. Instances without one
    share `unknown_frame_uid`.
    """
    frames: dict[str, list[Header]] = {}
    for header in headers:
        frames.setdefault(header.frame_of_reference_uid or unknown_frame_uid, []).append(header)
    return [_frame_reference(uid, members) for uid, members in frames.items()]


def image_reference(header: Header) -> Dataset:
    """Reference to an instance, or to one of its frames (PS3.3 10.3)."""
    item = build_item(
        {
            "ReferencedSOPClassUID": header.sop_class_uid,
            "ReferencedSOPInstanceUID": header.sop_instance_uid,
        }
    )
    if header.frame_number is not None:
        item.ReferencedFrameNumber = header.frame_number
    return item


def _frame_reference(uid: str, headers: Sequence[Header]) -> Dataset:
    of_series = build_item(
        {
            "SeriesInstanceUID": headers[0].series_instance_uid,
            "ContourImageSequence": [image_reference(header) for header in headers],
        }
    )
    study = build_item(
        {
            "ReferencedSOPClassUID": _STUDY_CLASS,
            "ReferencedSOPInstanceUID": headers[0].study_instance_uid,
            "RTReferencedSeriesSequence": [of_series],
        }
    )
    return build_item({"FrameOfReferenceUID": uid, "RTReferencedStudySequence": [study]})


def one_line(text: str) -> str:
    """`text` as an LO value: no line breaks or backslashes, at most 64 characters."""
    return " ".join(text.replace("\\", "/").split())[:_LONGEST_LINE].strip()


@cache
def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return Tag(tag)
