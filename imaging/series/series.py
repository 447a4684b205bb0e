"""Grouping of instances by series, and checks that a series is of one patient and study."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import UID

from core.errors import GeometryError, NotADataSetError, PixelError, SeriesError
from core.hold_reasons import HoldReason
from core.uids import is_standard_uid
from imaging.geometry.frames_of_reference import are_frames_separate
from imaging.instances.header import Header, read_header
from imaging.series.set_aside import set_aside

_PIXELS_BUT_NO_IMAGE = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
        "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
    }
)


@dataclass(frozen=True, slots=True)
class Series:
    """Instances with one SeriesInstanceUID, ordered by InstanceNumber."""

    uid: str
    headers: tuple[Header, ...]


def read_folder(folder: Path) -> tuple[list[Series], list[str]]:
    """Read the headers of all files in `folder` and below, grouped by SeriesInstanceUID.

    Returns:
        The series, and a line with the reason for each file that was left out.
    """
    instances: dict[str, Header] = {}
    skipped: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = read_header(path)
        except NotADataSetError as error:
            skipped.append(f"{path.relative_to(folder)}: {error}")
            continue
        known = instances.setdefault(header.sop_instance_uid, header)
        if known is not header:
            skipped.append(f"{path.relative_to(folder)}: {_duplicate_reason(header, known)}")
    return _group(instances.values()), skipped


def is_image(header: Header) -> bool:
    """True if the instance is an image of the patient, with pixels; not a dose or segmentation."""
    has_grid = header.has_pixel_data and header.rows > 0 and header.columns > 0
    return has_grid and header.sop_class_uid not in _PIXELS_BUT_NO_IMAGE


def is_known_non_image(sop_class_uid: str) -> bool:
    """True if the SOP class is a standard one that is not for images; False if it is private."""
    uid = UID(sop_class_uid)
    is_known = uid.name != str(uid)
    return sop_class_uid in _PIXELS_BUT_NO_IMAGE or (
        is_known and not _is_image_class(sop_class_uid)
    )


def check_one_series(headers: Sequence[Header]) -> list[str]:
    """Check that instances are one series of one patient, and return warnings.

    Raises:
        SeriesError: no instance, several patients, studies or series, or one instance twice.
        GeometryError: several frames of reference; if each of three or more instances has its
            own, there is only a warning.
        PixelError: an image without pixels.
    """
    if not headers:
        raise SeriesError("A series without instances cannot be processed")
    for what, reason, values in (
        ("patient", HoldReason.SEVERAL_PATIENTS, [header.patient_key for header in headers]),
        ("study", HoldReason.SEVERAL_STUDIES, [header.study_instance_uid for header in headers]),
        ("series", HoldReason.SEVERAL_SERIES, [header.series_instance_uid for header in headers]),
    ):
        _check_single(headers, what, values, reason)
    _check_instances(headers)
    kept = set_aside(headers).headers or headers  # a page may have a frame of reference of its own
    return [*_frame_of_reference_warnings(kept), *_uid_warnings(headers)]


def _duplicate_reason(header: Header, known: Header) -> str:
    same = header.path.read_bytes() == known.path.read_bytes()
    content = "the same" if same else "DIFFERENT"
    return f"SOP instance {header.sop_instance_uid} again, with {content} content"


def _group(headers: Iterable[Header]) -> list[Series]:
    groups: dict[str, list[Header]] = {}
    for header in headers:
        groups.setdefault(header.series_instance_uid, []).append(header)
    return [
        Series(uid, tuple(sorted(group, key=lambda h: (h.instance_number, h.sop_instance_uid))))
        for uid, group in groups.items()
    ]


def _check_single(
    headers: Sequence[Header], what: str, values: list[str], reason: HoldReason
) -> None:
    counts = Counter(values).most_common()
    if len(counts) > 1:
        raise SeriesError(
            f"Series {headers[0].series_instance_uid}: instances of more than one {what} "
            f"({_numbers_in_words(counts)} instances), expected one",
            reason,
        )


def _check_instances(headers: Sequence[Header]) -> None:
    (uid, _), count = Counter(header.image for header in headers).most_common(1)[0]
    if count > 1:
        raise SeriesError(
            f"Series {headers[0].series_instance_uid}: SOP instance {uid} is present "
            f"{count} times, expected once",
            HoldReason.DUPLICATE,
        )
    for header in headers:
        if is_of_image_class(header) and not is_image(header):
            raise PixelError(
                f"Instance {header.sop_instance_uid}: {UID(header.sop_class_uid).name} without "
                f"pixel data ({header.rows} rows, {header.columns} columns)",
                HoldReason.NO_PIXELS,
            )


def is_of_image_class(header: Header) -> bool:
    """True if the SOP class is an image storage class, with or without pixels."""
    return _is_image_class(header.sop_class_uid)


def _is_image_class(sop_class_uid: str) -> bool:
    return "Image Storage" in UID(sop_class_uid).name


def _frame_of_reference_warnings(headers: Sequence[Header]) -> list[str]:
    uid = headers[0].series_instance_uid
    named = Counter(h.frame_of_reference_uid for h in headers if h.frame_of_reference_uid)
    if len(named) <= 1:
        missing = len(headers) - sum(named.values())
        words = f"Series {uid}: {missing} of {len(headers)} instances without FrameOfReferenceUID"
        return [f"{words}, so positions are taken to share one"] if missing else []
    if are_frames_separate(headers):
        return [
            f"Series {uid}: each of the {len(headers)} instances has a frame of reference of its "
            "own, so positions are taken to share one"
        ]
    raise GeometryError(
        f"Series {uid}: {len(named)} frames of reference "
        f"({_numbers_in_words(named.most_common())} instances), expected one",
        HoldReason.FRAMES_OF_REFERENCE,
    )


def _uid_warnings(headers: Sequence[Header]) -> list[str]:
    uids = {uid for header in headers for uid in _uids(header)}
    wrong = sorted(uid for uid in uids if not is_standard_uid(uid))
    if not wrong:
        return []
    return [
        f"Series {headers[0].series_instance_uid}: {len(wrong)} UIDs break the rules of "
        f"PS3.5 section 9.1 and are kept as they are, such as {wrong[0]}"
    ]


def _uids(header: Header) -> tuple[str, ...]:
    uids = (
        header.sop_instance_uid,
        header.series_instance_uid,
        header.study_instance_uid,
        header.frame_of_reference_uid,
    )
    return tuple(uid for uid in uids if uid)


def _numbers_in_words(counts: list[tuple[str, int]]) -> str:
    """At most five counts as text, without the values: patient keys and long lists do not help."""
    numbers = [str(count) for _, count in counts[:5]]
    rest = ["..."] if len(counts) > 5 else []
    return ", ".join(numbers + rest)
