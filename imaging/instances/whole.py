"""Whether a data set ends where its elements say."""

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import UID

from core.errors import NotADataSetError

_UNDEFINED_LENGTH = 0xFFFFFFFF


def check_whole(data_set: FileDataset, size_bytes: int) -> None:
    """Nothing, when no element of a data set just read reaches beyond its `size_bytes`.

    Raises:
        NotADataSetError: it is truncated; names the element, what it needs and what is there.
    """
    if UID(data_set.file_meta.get("TransferSyntaxUID", "")).is_deflated:
        return  # a deflated stream that ends early does not inflate
    for element in data_set.values():
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
            continue
        if element.value_tell + element.length > size_bytes:
            raise NotADataSetError(
                f"Instance {data_set.get('SOPInstanceUID', '')}: truncated, element {element.tag} "
                f"needs {element.length} bytes, found {size_bytes - element.value_tell}"
            )
