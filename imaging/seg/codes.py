"""Codes for structure names: property category and type of a segment (PS3.3 C.8.20.2).

Names are those of AAPM TG-263 (2018), compared without regard to case. Codes are from PS3.16:
categories of CID 7150, anatomy of CID 7192 unless noted otherwise, targets of CID 9534. Other names
are coded in general terms by their RTROIInterpretedType.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

_ANATOMY: Code = codes.cid7150.AnatomicalStructure
_ABNORMAL: Code = codes.cid7150.MorphologicallyAbnormalStructure
_SPATIAL: Code = codes.cid7150.SpatialAndRelationalConcept
_SIDES: Mapping[str, Code] = MappingProxyType(
    {"_l": codes.cid244.Left, "_r": codes.cid244.Right}  # TG-263, 7.2: at the end of a name
)


@dataclass(frozen=True, slots=True)
class SegmentCodes:
    """Category, type and laterality of a segment as codes."""

    category: Code
    type: Code
    side: Code | None = None
    """Left or right, if the name says so."""


_ORGANS: Mapping[str, Code] = MappingProxyType(
    {
        "bladder": codes.cid7192.Bladder,
        "bowel_large": codes.cid7192.LargeIntestine,
        "bowel_small": codes.cid7192.SmallIntestine,
        "brain": codes.cid7192.Brain,
        "brainstem": codes.cid7192.BrainStem,
        "breast": codes.cid7192.Breast,
        "duodenum": codes.cid7192.Duodenum,
        "esophagus": codes.cid7192.Esophagus,
        "eye": codes.cid7192.Eye,
        "femur": codes.cid7192.Femur,
        "femur_head": codes.SCT.HeadOfFemur,  # not in CID 7192
        "glnd_submand": codes.cid7192.SubmandibularGland,
        "glnd_thyroid": codes.cid7192.Thyroid,
        "heart": codes.cid7192.Heart,
        "kidney": codes.cid7192.Kidney,
        "larynx": codes.cid7192.Larynx,
        "liver": codes.cid7192.Liver,
        "lung": codes.cid7192.Lung,
        # an endocardial contour encloses the ventricle's cavity; there is no narrower code
        "lv_endocardium": codes.cid7192.LeftVentricle,
        "lv_myocardium": codes.cid12305.LeftVentricleMyocardium,
        "opticchiasm": codes.cid7192.OpticChiasm,
        "ovary": codes.cid7192.Ovary,
        "pancreas": codes.cid7192.Pancreas,
        "parotid": codes.cid7192.ParotidGland,
        "pituitary": codes.cid7192.Pituitary,
        "prostate": codes.cid7192.Prostate,
        "rectum": codes.cid7192.Rectum,
        "seminalves": codes.cid7192.SeminalVesicle,
        "skin": codes.cid7191.Skin,
        "spinalcord": codes.cid7192.SpinalCord,
        "spleen": codes.cid7192.Spleen,
        "stomach": codes.cid7192.Stomach,
        "testis": codes.cid7192.Testis,
        "trachea": codes.cid7192.Trachea,
        "ventricle_l": codes.cid7192.LeftVentricle,
        "ventricle_r": codes.cid7192.RightVentricle,
        "atrium_l": codes.cid7192.LeftAtrium,
        "atrium_r": codes.cid7192.RightAtrium,
        "a_aorta": codes.cid7192.Aorta,
        "bone_mandible": codes.cid7192.Mandible,
    }
)
_TARGETS: Mapping[str, SegmentCodes] = MappingProxyType(
    {
        "GTV": SegmentCodes(_ABNORMAL, codes.cid9534.GTV),
        "CTV": SegmentCodes(_SPATIAL, codes.cid9534.CTV),
        "PTV": SegmentCodes(_SPATIAL, codes.cid9534.PTV),
    }
)
_GENERAL: Mapping[str, SegmentCodes] = MappingProxyType(
    {
        "ORGAN": SegmentCodes(_ANATOMY, codes.cid7166.Organ),
        "AVOIDANCE": SegmentCodes(_ANATOMY, codes.cid7166.Organ),
        **_TARGETS,
    }
)
_UNKNOWN = SegmentCodes(codes.cid7150.Tissue, codes.cid7166.Tissue)


def codes_of(name: str, interpreted_type: str = "") -> SegmentCodes:
    """Codes for the structure `name`; Tissue if nothing is known.

    A target is recognised by its type, or by a name that begins with one, such as `PTV_High`.
    """
    wanted = name.casefold()
    if wanted in _ORGANS:
        return SegmentCodes(_ANATOMY, _ORGANS[wanted])
    base, ending = wanted[:-2], wanted[-2:]
    if ending in _SIDES and base in _ORGANS:
        return SegmentCodes(_ANATOMY, _ORGANS[base], _SIDES[ending])
    target = next((one for one in _TARGETS if wanted.startswith(one.casefold())), "")
    return _GENERAL.get(interpreted_type or target, _TARGETS.get(target, _UNKNOWN))
