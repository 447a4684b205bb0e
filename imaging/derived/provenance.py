"""The mark of this program in all instances that it writes, which prevents processing loops."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from core.identity import MANUFACTURER, VERSION, Provenance

_LONGEST_DESCRIPTION = 1024


def contributing_equipment(provenance: Provenance) -> Dataset:
    """Item of ContributingEquipmentSequence (PS3.3 C.12.1) that names this program.

    The purpose is Processing Equipment (CID 7005), which makes new instances from others; Modifying
    Equipment would claim that the source instances themselves were changed.
    """
    code = codes.cid7005.ProcessingEquipment
    purpose = Dataset()
    purpose.CodeValue = code.value
    purpose.CodingSchemeDesignator = code.scheme_designator
    purpose.CodeMeaning = code.meaning
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [purpose]
    item.Manufacturer = MANUFACTURER
    item.ManufacturerModelName = MANUFACTURER
    item.SoftwareVersions = VERSION
    item.ContributionDateTime = provenance.date + provenance.time
    item.ContributionDescription = provenance.pipeline[:_LONGEST_DESCRIPTION]
    return item


def is_made_here(data_set: Dataset) -> bool:
    """True if `data_set` was written by this program.

    Manufacturer is compared without regard to case and padding, at the top level and in every item
    of ContributingEquipmentSequence, so that other systems may rewrite one of them or add items.
    """
    equipment = data_set.get("ContributingEquipmentSequence")
    items: Sequence[Any] = equipment if isinstance(equipment, Sequence) else ()
    return any(_is_ours(item.get("Manufacturer")) for item in (data_set, *items))


def _is_ours(manufacturer: Any) -> bool:
    return str(manufacturer or "").strip(" \0").casefold() == MANUFACTURER.casefold()
