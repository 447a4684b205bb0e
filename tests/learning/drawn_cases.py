"""A CT with its structure set, copied under new UIDs and changed."""

from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

STS = Path(__file__).parent.parent.parent / "samples" / "sts" / "STS_003"
SLICES = slice(20, 44)
Change = Callable[[Dataset], None]


def unchanged(_data_set: Dataset) -> None:
    """Nothing."""


def case(folder: Path, patient: str, name: str = "", change: Change = unchanged) -> Path:
    """A CT of 24 slices and its structure set in `folder`, under new UIDs; the set's path."""
    uids: dict[str, str] = {}

    def renew(data_set: Dataset) -> None:
        data_set.PatientID, data_set.PatientName = patient, name or patient
        for element in data_set.iterall():
            if element.VR == "UI" and "Class" not in element.keyword:
                element.value = uids.setdefault(str(element.value), generate_uid())
        data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID

    for path in sorted((STS / "image").glob("*.dcm"))[SLICES]:
        data_set = pydicom.dcmread(path)
        renew(data_set)
        target = folder / "images" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        data_set.save_as(target)
    data_set = pydicom.dcmread(STS / "mask" / "RS.dcm")
    renew(data_set)
    change(data_set)
    target = folder / "sets" / "RS.dcm"
    target.parent.mkdir(parents=True)
    data_set.save_as(target)
    return target
