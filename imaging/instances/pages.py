"""Detection of images that are not a single plane of the patient, here called pages.

Pages are mosaics, montages, screen captures, dose and other reports, projections, renderings and
photographs. Multi-planar reformations and averages are planes. Functions return a description
for people, with the attribute that shows the kind of page.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imaging.instances.csa import mosaic_images
from imaging.instances.elements import tags_of
from imaging.instances.read_errors import READING_ERRORS

PAGE_TAGS = tags_of("ConversionType", "VolumetricProperties", "VolumeBasedCalculationTechnique")
_WORDS = MappingProxyType(
    {
        "a mosaic of slices": ("MOSAIC",),
        "a montage": ("MONTAGE", "COLLAGE", "LIGHTBOX", "CONTACT SHEET"),
        "a screen capture": (
            *("SCREEN SAVE", "SCREENSAVE", "SCREEN CAPTURE", "SCREENCAPTURE", "SCREENSHOT"),
            *("SCREEN SHOT", "SCREEN", "POSDISP"),
        ),
        "a page of a report": (
            *("DOSE INFO", "DOSE REPORT", "DOSE PAGE", "DOSE", "DOSEREPORT", "CSA REPORT"),
            *("REPORT", "PROTOCOL", "PATIENT PROTOCOL", "CT SOM5 PROT", "GRAPH", "CHART"),
        ),
        "a projection": (
            *("PROJECTION IMAGE", "PROJECTION", "MIP", "MINIP", "MAXIP", "MAX IP", "MIN IP"),
            *("THIN MIP", "THICK MIP", "MIP THIN", "MIP THICK", "DRR", "COLLAPSE"),
        ),
        "a curved reformation": ("CURVED MPR", "CURVED", "CPR"),
        "a rendering": (
            *("VOLUME RENDER", "SURFACE RENDER", "VOLUME RENDERING", "VRT", "SSD", "VOLREN"),
            *("VR", "3D RENDERING", "RENDERED", "VXTL STATE"),
        ),
    }
)
_CLASS_OF = MappingProxyType({word: name for name, words in _WORDS.items() for word in words})
_IN_IMAGE_TYPE = ("ImageType", "FrameType", "VolumeBasedCalculationTechnique")
_PROPERTIES = MappingProxyType({"SAMPLED": "a projection", "DISTORTED": "a curved reformation"})
_STORAGE = r"1\.2\.840\.10008\.5\.1\.4\.1\.1\."
_NEVER_PLANES = (
    # CR, DX, mammography, intra-oral, XA, XRF, projections of breast tomosynthesis, RT Image
    (
        re.compile(_STORAGE + r"(1|1\.[123](\.1)?|12\.[123](\.1)?|13\.1\.[45]|481\.1)"),
        "a projection",
    ),
    (re.compile(_STORAGE + r"77\.1\.(?!5\.4$).*"), "a photograph"),
    (re.compile(r"1\.2\.840\.10008\.5\.1\.1\.(29|30)"), "a hardcopy"),
)
_WITHOUT_A_PLACE = (
    (re.compile(_STORAGE + r"7(\.\d)?"), "a secondary capture"),
    (re.compile(_STORAGE + r"(3|3\.1|6|6\.1)"), "an ultrasound image"),
    (re.compile(_STORAGE + r"(5|20)"), "a nuclear medicine image"),
)


def page_of(data_set: Dataset) -> str:
    """Describe the kind of page that an instance or a frame is; empty if it may be a plane."""
    for pattern, words in _NEVER_PLANES:
        if pattern.fullmatch(str(_get(data_set, "SOPClassUID") or "")):
            return f"{words} ({UID(data_set.SOPClassUID).name})"
    for keyword in _IN_IMAGE_TYPE:
        for value in _texts(_get(data_set, keyword)):
            words = _CLASS_OF.get(re.sub(r"[ _]+", " ", value).upper(), "")
            if words:
                return f"{words} ({keyword})"
    properties = next(iter(_texts(_get(data_set, "VolumetricProperties"))), "")
    if properties in _PROPERTIES:
        return f"{_PROPERTIES[properties]} (VolumetricProperties)"
    if mosaic_images(data_set) > 1:
        return "a mosaic of slices (NumberOfImagesInMosaic)"
    return ""


def page_of_frame(whole: str, attributes: Dataset) -> str:
    """Describe the page that a frame is; `whole` is the description of its instance.

    Empty if the frame may be a plane.
    """
    return whole or page_of(attributes)


def page_without_position(sop_class_uid: str, image_type: str) -> str:
    """Describe an image that has no position in the patient; empty if it may be a slice."""
    for pattern, words in _WITHOUT_A_PLACE:
        if pattern.fullmatch(sop_class_uid):
            return f"{words} without a position ({UID(sop_class_uid).name})"
    if {"DERIVED", "SECONDARY"} & set(image_type.upper().split("\\")):
        return "a derived image without a position (ImageType)"
    return ""


def is_secondary_capture(sop_class_uid: str) -> bool:
    """True if the SOP class is one of the Secondary Capture classes."""
    return bool(_WITHOUT_A_PLACE[0][0].fullmatch(sop_class_uid))


def _get(data_set: Dataset, keyword: str) -> Any:
    try:
        return data_set.get(keyword)
    except READING_ERRORS:
        return None


def _texts(value: Any) -> list[str]:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return [str(one).strip() for one in (value if several else [value]) if one]
