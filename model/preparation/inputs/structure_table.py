"""Table of structures: patterns of ROI names, and the structure names they are mapped to.

YAML: a mapping, whose patterns are tried in order:

    GTV*: GTV
    "*parotid*l*": Parotid_L

or CSV with the columns `pattern,name`. Case is ignored; `*`, `?` and `[...]` match as in file
names. Several patterns may have one name; structures of one name on a series are united. An empty
name leaves out the structures that match.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from core.errors import ConfigurationError
from imaging.rtstruct.target_systems import Variant, fit_names

LONGEST_NAME = 16
"""Length of ROIObservationLabel (VR SH)."""
_DATA_SET = Variant("data set", longest_roi_name=LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class StructureTable:
    """Pairs of pattern and name; the first pattern that matches counts."""

    rules: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the structures, each once, in the order of the table."""
        return tuple(dict.fromkeys(name for _, name in self.rules if name))

    def name_of(self, roi_name: str) -> str:
        """Name of the ROI `roi_name` in the data set, or "" if it is left out."""
        for pattern, name in self.rules:
            if fnmatchcase(roi_name.strip().casefold(), pattern.casefold()):
                return name
        return ""


def read_table(path: Path) -> StructureTable:
    """Read the table in the file `path`.

    Raises:
        ConfigurationError: unreadable, empty, or with a name longer than 16 characters.
    """
    try:
        rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _yaml_rows(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error, KeyError) as error:
        raise ConfigurationError(
            f"{path}: expected patterns and names, such as 'GTV*: GTV' (YAML), or CSV with the "
            "columns pattern,name"
        ) from error
    table = StructureTable(tuple(rows))
    check_names(table.names, str(path))
    return table


def table_of(names: Sequence[str], where: str) -> StructureTable:
    """Table that maps each of `names` to itself; `where` is the source that errors name.

    Raises:
        ConfigurationError: there is no name, or one longer than 16 characters.
    """
    check_names(names, where)
    return StructureTable(tuple((_escaped(name), name) for name in names))


def table_of_found(names: Sequence[str], where: str) -> StructureTable:
    """Table of names as they were found; those of more than 16 characters are cut, and unique.

    Raises:
        ConfigurationError: there is no name.
    """
    table = table_of(fit_names(names, _DATA_SET), where)
    rules = zip(names, table.names, strict=True)
    return StructureTable(tuple((_escaped(name), cut) for name, cut in rules))


def check_names(names: Iterable[str], where: str) -> None:
    """Check the number and lengths of `names`; `where` is the source that errors name.

    Raises:
        ConfigurationError: there is no name, or one longer than 16 characters.
    """
    names = list(names)
    long = [name for name in names if len(name) > LONGEST_NAME]
    if long or not names:
        what = f"{', '.join(map(repr, long))} too long" if long else "no structure"
        raise ConfigurationError(
            f"{where}: {what}, expected names of 1 to {LONGEST_NAME} characters "
            "(--structures gives a table that chooses and renames)"
        )


def _escaped(name: str) -> str:
    """Pattern that only `name` matches, in any case."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)


def _yaml_rows(path: Path) -> list[tuple[str, str]]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise KeyError("mapping")
    return [(str(pattern).strip(), str(name or "").strip()) for pattern, name in content.items()]


def _csv_rows(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [
            (row["pattern"].strip(), (row["name"] or "").strip()) for row in csv.DictReader(file)
        ]
