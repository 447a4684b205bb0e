"""The mark of this program in all instances that it writes, which prevents processing loops."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as PydicomSequence
from pydicom.sr.codedict import codes

from core.identity import MANUFACTURER, VERSION, Provenance
from imaging.instances.element_walk import UNDEFINED_LENGTH
from imaging.instances.read_errors import READING_ERRORS

_LONGEST_DESCRIPTION = 1024
_LONGEST = 1 << 20  # bytes, of a sequence with many items


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
    equipment = _value(data_set, "ContributingEquipmentSequence")
    items: Sequence[Any] = equipment if isinstance(equipment, PydicomSequence) else ()
    return any(_is_ours(_value(item, "Manufacturer")) for item in (data_set, *items))


def _value(data_set: Dataset, keyword: str) -> Any:
    """Value of an attribute; None for one that cannot be read, or too long to be ours."""
    try:
        element = data_set.get_item(keyword, keep_deferred=True) if keyword in data_set else None
        length = getattr(element, "length", 0)
        return None if _LONGEST < length < UNDEFINED_LENGTH else data_set.get(keyword)
    except READING_ERRORS:
        return None


def _is_ours(manufacturer: Any) -> bool:
    return str(manufacturer or "").strip(" \0").casefold() == MANUFACTURER.casefold()
