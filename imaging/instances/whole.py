"""Detection of truncated data sets."""

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from core.errors import NotADataSetError
from imaging.instances.element_words import WAY_OUT, element_name, told_instance

_UNDEFINED_LENGTH = 0xFFFFFFFF


def check_not_truncated(data_set: FileDataset, size_bytes: int) -> None:
    """Check that no element of a data set just read extends beyond its `size_bytes`.

    Raises:
        NotADataSetError: the data set is truncated; names the element, bytes needed and found.
    """
    if data_set.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return  # a deflated stream that ends early does not inflate
    for element in data_set.values():
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
            continue
        if element.value_tell + element.length > size_bytes:
            raise NotADataSetError(
                f"{told_instance(data_set)}: truncated, element {element_name(element.tag)} "
                f"needs {element.length} bytes, found {size_bytes - element.value_tell}; {WAY_OUT}"
            )
