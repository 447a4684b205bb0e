"""Which structures are learnt and what they are called: patterns and names in a table.

YAML, a mapping in the order in which patterns are tried:

    GTV*: GTV
    "*parotid*l*": Parotid_L

or CSV with the columns `pattern,name`. Case does not matter; `*`, `?` and `[...]` are those of file
names. Several patterns may lead to one name; structures of one name on a series are united. An
empty name leaves out what the pattern fits.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from core.errors import ConfigurationError

LONGEST_NAME = 16
"""So that it also fits ROIObservationLabel (VR SH)."""


@dataclass(frozen=True, slots=True)
class StructureTable:
    """Patterns and the names that they lead to, the first that fits counts."""

    rules: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What is learnt, each once, in the order of the table."""
        return tuple(dict.fromkeys(name for _, name in self.rules if name))

    def name_of(self, roi_name: str) -> str:
        """What `roi_name` is called in the data set; empty where it is not learnt."""
        for pattern, name in self.rules:
            if fnmatchcase(roi_name.strip().casefold(), pattern.casefold()):
                return name
        return ""


def read_table(path: Path) -> StructureTable:
    """The table in the file `path`.

    Raises:
        ConfigurationError: unreadable, no pattern, or a name longer than 16 characters.
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
    """Every structure under its own name; raises as `read_table`."""
    check_names(names, where)
    escaped = ("".join(f"[{one}]" if one in "*?[" else one for one in name) for name in names)
    return StructureTable(tuple(zip(escaped, names, strict=True)))


def check_names(names: Iterable[str], where: str) -> None:
    """Nothing, where there are names and all fit; else ConfigurationError."""
    names = list(names)
    long = [name for name in names if len(name) > LONGEST_NAME]
    if long or not names:
        what = f"{', '.join(map(repr, long))} too long" if long else "no structure"
        raise ConfigurationError(
            f"{where}: {what}, expected names of 1 to {LONGEST_NAME} characters "
            "(--structures gives a table that chooses and renames)"
        )


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
