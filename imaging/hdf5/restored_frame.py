"""Restored instance without pixels: copied from its source, or from what all templates share.

Texts are never decoded to be copied (imaging/instances/encoded_texts.py).
"""

from collections.abc import Sequence
from copy import deepcopy
from decimal import Decimal

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from imaging.derived.attributes import drop, drop_byte_dependent, drop_pixel_dependent
from imaging.derived.encoding import PET
from imaging.hdf5.reader import SliceRecord
from imaging.instances.encoded_texts import encode_texts
from imaging.pixels.transcode import swap_byte_order

# Attributes of a single image, unknown for another position or time.
_OF_ONE_IMAGE = (
    "DerivationCodeSequence",
    "DerivationDescription",
    "Exposure",
    "ImageComments",
    "ImageIndex",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "InstanceNumber",
    "LargestImagePixelValue",
    "ReferencedImageSequence",
    "SliceLocation",
    "SmallestImagePixelValue",
    "SourceImageSequence",
    "SpacingBetweenSlices",
    "TemporalPositionIdentifier",
    "TriggerTime",
    "XRayTubeCurrent",
)
_OF_THE_FIRST = {Tag(one) for one in ("SpecificCharacterSet", "SOPClassUID", "StudyInstanceUID")}
_LONGEST_DS = 16
_PIXEL_GROUP = 0x7FE0


def keep_texts(template: Dataset) -> FileDataset:
    """Copy a template without its pixels, in little endian, every text as the bytes that it has."""
    copy = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    for tag in list(template.keys()):
        if tag.group != _PIXEL_GROUP:
            copy[tag] = deepcopy(_item(template, tag))
    if template.original_encoding[1] is False:  # None: not read from a file
        swap_byte_order(copy)
    copy.set_original_encoding(False, True, template.original_character_set)
    encode_texts(copy, implicit_vr=False)
    return copy


def copy_instance(source: Dataset, *, keeps_pixels: bool, same_encoding: bool) -> FileDataset:
    """Copy `source` (`keep_texts`), the instance that a slice was read from.

    If stored values are kept, all attributes that describe them stay, private elements and
    overlays included.
    """
    data_set = _copy(source)
    if keeps_pixels:
        drop_byte_dependent(data_set)
    else:
        drop_pixel_dependent(data_set, same_encoding=same_encoding)
    return data_set


def copy_common(
    templates: Sequence[Dataset], first: Dataset, *, same_encoding: bool
) -> FileDataset:
    """Copy the attributes that all `templates` share, without those of a single image.

    `first` is the first template with its texts kept (`keep_texts`), which are in its character
    set.
    """
    data_set = _copy(first)
    drop_pixel_dependent(data_set, same_encoding=same_encoding)
    drop(data_set, _OF_ONE_IMAGE)
    before = templates[0]
    for tag in set(data_set.keys()) - _OF_THE_FIRST:
        if not all(tag in one and one[tag] == before[tag] for one in templates[1:]):
            del data_set[tag]
    return data_set


def write_geometry(
    data_set: Dataset, record: SliceRecord, shape: tuple[int, ...], index: int
) -> None:
    """Write position, orientation and size of a slice; equal numbers keep their text.

    `shape` is (rows, columns), `index` the slice's index from 0.
    """
    if not _is_placed_at(data_set, record.position_mm):
        drop(data_set, ("SliceLocation",))
    write_numbers(data_set, "ImagePositionPatient", record.position_mm)
    write_numbers(data_set, "ImageOrientationPatient", record.orientation)
    write_numbers(data_set, "PixelSpacing", record.pixel_spacing_mm)
    if record.slice_thickness_mm is not None:
        write_numbers(data_set, "SliceThickness", (record.slice_thickness_mm,))
    if record.frame_of_reference_uid:
        data_set.FrameOfReferenceUID = record.frame_of_reference_uid
    data_set.Rows, data_set.Columns = shape
    if data_set.get("InstanceNumber") is None:
        data_set.InstanceNumber = record.instance_number
    if data_set.SOPClassUID == PET and "ImageIndex" not in data_set:
        data_set.ImageIndex = index + 1


def write_numbers(data_set: Dataset, keyword: str, values: Sequence[float]) -> None:
    """Set the DS element `keyword`, unless it already has equal values."""
    if _numbers(data_set, keyword) == tuple(values):
        return
    drop(data_set, (keyword,))  # the present value may not be numeric
    texts = [decimal_text(value) for value in values]
    setattr(data_set, keyword, texts if len(texts) > 1 else texts[0])


def decimal_text(value: float) -> str:
    """Format `value` as a DS of at most 16 characters, exactly if that is possible."""
    if float(value).is_integer() and len(str(int(value))) <= _LONGEST_DS:
        return str(int(value))
    if len(repr(float(value))) > _LONGEST_DS:
        sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
        whole = f"{'-' * sign}{''.join(map(str, digits))}E{exponent}"  # no point, no E+
        if len(whole) <= _LONGEST_DS:
            return whole
    return str(format_number_as_ds(float(value)))


def _copy(source: Dataset) -> FileDataset:
    copy = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for tag in list(source.keys()):
        copy[tag] = deepcopy(_item(source, tag))
    copy.set_original_encoding(False, True, source.original_character_set)
    return copy


def _item(data_set: Dataset, tag: BaseTag) -> DataElement | RawDataElement:
    """An element, which is not decoded if it was not yet."""
    element = data_set.get_item(tag)
    return data_set[tag] if element is None or element.VR == "SQ" else element


def _is_placed_at(data_set: Dataset, position_mm: Sequence[float]) -> bool:
    return _numbers(data_set, "ImagePositionPatient") == tuple(position_mm)


def _numbers(data_set: Dataset, keyword: str) -> tuple[float, ...] | None:
    try:
        value = data_set.get(keyword)
        if value is None or value == "":
            return None
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        return tuple(float(number) for number in values)
    except ValueError:
        return None
