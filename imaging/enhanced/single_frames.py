"""Conversion of a frame of an enhanced CT, MR or PET to a single-frame instance.

Attributes that both IODs have are copied from the functional groups, those with a counterpart are
translated, and those that only enhanced instances have are removed. Type 2 attributes that the
source lacks are added empty (PS3.5 section 7.4.3).
"""

import re
from collections.abc import Callable, Mapping

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from core.errors import PixelError
from imaging.enhanced.classes import CT, ENHANCED_ONLY, MR, PET, SINGLE_FRAME_CLASSES
from imaging.enhanced.frame_to_ct import write_ct
from imaging.enhanced.frame_to_mr import write_mr
from imaging.enhanced.frame_to_pet import write_pet
from imaging.enhanced.frame_values import add_empty, add_missing, copy_attributes
from imaging.enhanced.functional_groups import converted_attributes, macro_attributes
from imaging.instances.header import Header
from imaging.instances.time_zones import without_offset

_WRITERS: Mapping[str, Callable[[Dataset, Dataset], None]] = {
    CT: write_ct,
    MR: write_mr,
    PET: write_pet,
}
_OF_ALL = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
    *("SpacingBetweenSlices", "RescaleIntercept", "RescaleSlope", "RescaleType"),
    *("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"),
    *("AnatomicRegionSequence", "IrradiationEventUID", "ReferencedImageSequence"),
    "RealWorldValueMappingSequence",
)
_TYPE_2 = (
    *("PatientName", "PatientID", "StudyDate", "StudyTime", "SeriesNumber"),
    *("AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientSex", "PatientBirthDate"),
    *("PositionReferenceIndicator", "Manufacturer", "SliceThickness"),
)
"""Of the modules Patient, General Study, General Series, Frame of Reference, General Equipment and
Image Plane."""
_OTHER_GROUPS = (0x0002, 0x0004, 0x7FE0)
"""Groups of file meta information, directories and pixels."""
_DATE, _AGE, _LO = len("YYYYMMDD"), len("nnnY"), 64
_ACQUIRED = ("AcquisitionDate", "AcquisitionTime")
_SHORT_AGE = re.compile(r"\d{1,2}[DWMY]")


def single_frame(data_set: FileDataset, header: Header) -> FileDataset:
    """Convert `data_set` in place to a single-frame instance of the frame that `header` names.

    A data set that is single-frame already is returned unchanged.

    Raises:
        PixelError: the SOP class has no single-frame counterpart.
    """
    if header.frame_number is None:
        return data_set
    counterpart = SINGLE_FRAME_CLASSES.get(header.sop_class_uid)
    if counterpart is None:
        raise PixelError(
            f"Instance {header.sop_instance_uid}: {UID(header.sop_class_uid).name} has no "
            "single-frame class for derived images"
        )
    frame = macro_attributes(data_set, header.frame_number)
    frame.remove_private_tags()
    _write_converted(data_set, converted_attributes(data_set, header.frame_number))
    copy_attributes(data_set, frame, _OF_ALL)
    data_set.SOPClassUID = UID(counterpart)
    data_set.InstanceNumber = header.frame_number
    _write_general(data_set, frame)
    _WRITERS[counterpart](data_set, frame)
    for keyword in ENHANCED_ONLY:
        if keyword in data_set:
            delattr(data_set, keyword)
    return data_set


def _write_converted(data_set: Dataset, converted: Dataset) -> None:
    """Add attributes of the original single-frame instance that `data_set` lacks."""
    converted.remove_private_tags()
    for element in converted:
        if element.tag not in data_set and element.tag.group not in _OTHER_GROUPS:
            data_set.add(element)


def _write_general(data_set: Dataset, frame: Dataset) -> None:
    """Write General Acquisition, General Image and attributes common to single-frame IODs."""
    acquired = str(
        frame.get("FrameAcquisitionDateTime") or data_set.get("AcquisitionDateTime") or ""
    )
    acquired = without_offset(acquired, data_set)
    values = {
        "AcquisitionNumber": frame.get("FrameAcquisitionNumber"),
        "ImageLaterality": frame.get("FrameLaterality"),
        "ContrastBolusAgent": _contrast_agents(data_set),
    }
    if not any(data_set.get(keyword) for keyword in _ACQUIRED):  # together they are one time
        values |= {"AcquisitionDate": acquired[:_DATE], "AcquisitionTime": acquired[_DATE:]}
    add_missing(data_set, {keyword: value for keyword, value in values.items() if value})
    add_empty(data_set, _TYPE_2)
    if "PatientOrientationCodeSequence" not in data_set:
        add_empty(data_set, ("PatientPosition",))  # C.7.3.1: one of both
    if not {"ImageLaterality", "BodyPartExamined"} & set(data_set.dir()):
        add_empty(data_set, ("Laterality",))
    age = str(data_set.get("PatientAge") or "")
    if _SHORT_AGE.fullmatch(age):
        data_set.PatientAge = age.zfill(_AGE)  # some write 0Y for 000Y


def _contrast_agents(data_set: Dataset) -> str:
    """Code meanings of the contrast agents, as an LO."""
    agents = data_set.get("ContrastBolusAgentSequence") or ()
    return ", ".join(str(one.get("CodeMeaning") or "contrast agent") for one in agents)[:_LO]
