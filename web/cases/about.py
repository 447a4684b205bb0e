"""Patient, study and series of a case, read from the header of one of its instances.

This is patient data: it is shown on pages to signed-in users, never in a log or a URL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

_KEYWORDS = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyDescription",
    "SeriesDescription",
    "Modality",
    "BodyPartExamined",
    "WindowCenter",
    "WindowWidth",
)
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class About:
    """Attributes by which a person recognises a series; texts are empty if not stated."""

    patient_name: str = ""
    whole_name: str = ""
    """PatientName with all component groups, alphabetic, ideographic and phonetic (PS3.5 6.2.1)."""
    patient_id: str = ""
    born: str = ""
    sex: str = ""
    study_date: str = ""
    study: str = ""
    series: str = ""
    modality: str = ""
    body_part: str = ""
    window: tuple[float, float] | None = None
    """Lowest and highest value of the stated window (PS3.3 C.11.2.1.2), in rescaled units."""


def about_reader() -> Callable[[Path], About]:
    """Make a function that reads the attributes of the instance in a file.

    What it returns is empty if the file cannot be read, and cached unless there is no file yet.
    """
    return partial(_read_if_here, lru_cache(_KEPT)(_read))


def _read_if_here(read: Callable[[Path], About], path: Path) -> About:
    try:
        return read(path)
    except FileNotFoundError:
        return About()


def _read(path: Path) -> About:
    """Empty for a damaged file; raises FileNotFoundError."""
    try:
        data_set = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_KEYWORDS))
        return _about(data_set)
    except FileNotFoundError:
        raise
    except Exception:  # noqa: BLE001, whatever is wrong with a header, its case is still shown
        return About()


def _about(data_set: Dataset) -> About:
    return About(
        patient_name=_name(data_set),
        whole_name=_text(data_set, "PatientName"),
        patient_id=_text(data_set, "PatientID"),
        born=_date(data_set, "PatientBirthDate"),
        sex=_text(data_set, "PatientSex"),
        study_date=_date(data_set, "StudyDate"),
        study=_text(data_set, "StudyDescription"),
        series=_text(data_set, "SeriesDescription"),
        modality=_text(data_set, "Modality"),
        body_part=_text(data_set, "BodyPartExamined"),
        window=_window(data_set),
    )


def _text(data_set: Dataset, keyword: str) -> str:
    return str(data_set.get(keyword) or "").strip()


def _name(data_set: Dataset) -> str:
    """`Family, Given Middle` from the first component group of a PN value (PS3.5 6.2.1)."""
    parts = _text(data_set, "PatientName").split("=")[0].split("^")
    family, rest = parts[0].strip(), " ".join(part for part in parts[1:3] if part.strip())
    return ", ".join(part for part in (family, rest) if part)


def _date(data_set: Dataset, keyword: str) -> str:
    """A DA value in ISO 8601; empty if it is no date, as in de-identified data."""
    try:
        return datetime.strptime(_text(data_set, keyword), "%Y%m%d").date().isoformat()
    except ValueError:
        return ""


def _window(data_set: Dataset) -> tuple[float, float] | None:
    center, width = _first(data_set.get("WindowCenter")), _first(data_set.get("WindowWidth"))
    if center is None or width is None or width < 1:
        return None
    return center - width / 2, center + width / 2


def _first(value: Any) -> float | None:
    """The first of one or several values; None if there is no value."""
    if value is None or value == "":
        return None
    return float(value) if isinstance(value, int | float) else float(value[0])
