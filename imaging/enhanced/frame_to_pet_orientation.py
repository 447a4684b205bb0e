"""NM/PET Patient Orientation module (PS3.3 C.8.4.6) from PatientPosition."""

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from imaging.derived.attributes import code_item

_MODULE = ("PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence")
_FIRST = {"HF": codes.cid21.Headfirst, "FF": codes.cid21.FeetFirst}
_LYING = {
    "S": codes.cid20.Supine,
    "P": codes.cid20.Prone,
    "DR": codes.cid20.RightLateralDecubitus,
    "DL": codes.cid20.LeftLateralDecubitus,
}


def write_orientation(data_set: Dataset) -> None:
    """Replace PatientPosition by orientation codes, in place; empty sequences if unknown."""
    position = str(data_set.get("PatientPosition") or "")
    orientation, relationship = (data_set.get(keyword) or [] for keyword in _MODULE)
    lying, first = _LYING.get(position[2:]), _FIRST.get(position[:2])
    if not orientation and lying and first:
        orientation, relationship = [_recumbent(lying)], relationship or [code_item(first)]
    data_set.PatientOrientationCodeSequence = orientation
    data_set.PatientGantryRelationshipCodeSequence = relationship
    if "PatientPosition" in data_set:
        del data_set.PatientPosition


def _recumbent(lying: Code) -> Dataset:
    item = code_item(codes.cid19.Recumbent)
    item.PatientOrientationModifierCodeSequence = [code_item(lying)]
    return item
