"""Reader of `config.yaml` and command-line flags; an error is one sentence that names the key."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.config.settings import Configuration
from core.config.values import PathsOfFile
from core.errors import ConfigurationError

_DEFAULT_CONFIG = Path("config.yaml")
_SECRETS = ("secret", "database_url")


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """The configuration file and the flags that a node was started with, to be read again."""

    given: Path | None
    """The file of `--config`, if any."""
    flags: Mapping[str, Any]

    def read(self) -> Configuration:
        """Read the configuration as it is now; raises as `read_configuration`."""
        return read_configuration(found_config(self.given), self.flags)

    def paths_by_working_folder(self) -> list[Path]:
        """Return paths of the file that exist below the working folder, but not beside the file.

        Earlier versions started relative paths at the working folder; such files go on working.
        """
        path = found_config(self.given)
        if path is None:
            return []
        places = PathsOfFile(path.parent)
        _read(path, self.flags, places)
        return list(dict.fromkeys(places.by_working_folder))


def read_configuration(path: Path | None, flags: Mapping[str, Any]) -> Configuration:
    """Read the configuration file `path`; `flags` of the command line replace its values.

    Args:
        path: a YAML file, or None for the defaults alone. Its relative paths start at its folder.
        flags: top-level keys that were given on the command line; paths start at the working
            folder.

    Raises:
        ConfigurationError: a key or value is wrong; the message names it and what was expected.
    """
    return _read(path, flags, None if path is None else PathsOfFile(path.parent))


def found_config(given: Path | None) -> Path | None:
    """Return the configuration file that a command uses: `--config`, else an existing config.yaml.

    Returns:
        None where there is neither: the defaults alone apply.
    """
    if given is not None:
        return given
    return _DEFAULT_CONFIG if _DEFAULT_CONFIG.exists() else None


def _read(path: Path | None, flags: Mapping[str, Any], places: PathsOfFile | None) -> Configuration:
    from_file = {} if path is None else _read_yaml(path)
    flags = flags if places is None else _with_whole_paths(flags, places.folder)
    try:
        return Configuration.model_validate(from_file | dict(flags), context=places)
    except ValidationError as error:
        first = min(error.errors(), key=_is_consequence)
        key = str(first["loc"][0]) if first["loc"] else ""
        if key in flags and len(first["loc"]) == 1:
            raise ConfigurationError(_wrong_value(f"--{key}", first)) from error
        raise ConfigurationError(f"{path or 'defaults'}: {_explain(first)}") from error


def _with_whole_paths(flags: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths among flags absolute, unless the file lies in the working folder."""
    if folder.resolve() == Path.cwd():
        return dict(flags)
    fields = Configuration.model_fields
    paths = {name for name in flags if name in fields and _is_path(fields[name].annotation)}
    return {
        name: Path(value).absolute() if name in paths and value is not None else value
        for name, value in flags.items()
    }


def _is_path(annotation: Any) -> bool:
    return annotation is Path or Path in get_args(annotation)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path}: is not YAML ({reason})") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigurationError(f"{path}: expected keys and values at the top level")
    return content


def _is_consequence(error: ErrorDetails) -> bool:
    """True for a missing key, which may follow from a mistyped one; that one is reported first."""
    return error["type"] == "missing"


def _explain(error: ErrorDetails) -> str:
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"unknown key {place}{_suggestion(error)}"
    if error["type"] == "model_type":
        known = _keys_at([str(part) for part in error["loc"]])
        return f"{place} is {error['input']!r}, expected {', '.join(known) or 'keys and values'}"
    if error["type"] == "missing":
        return f"{place} is missing"
    whole_section = error["type"] == "value_error" and isinstance(error["input"], dict)
    if not place or whole_section:  # its check names the keys, and some are secret
        return error["msg"].removeprefix("Value error, ")
    return _wrong_value(place, error)


def _wrong_value(place: str, error: ErrorDetails) -> str:
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    found = "..." if place.rpartition(".")[2] in _SECRETS else repr(error["input"])
    return f"{place} is {found}, expected {expected}"


def _suggestion(error: ErrorDetails) -> str:
    *parents, key = map(str, error["loc"])
    known = _keys_at(parents)
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f", did you mean {close[0]}?"
    return f", expected one of {', '.join(known)}" if known else ""


def _keys_at(parents: list[str]) -> list[str]:
    section: type[BaseModel] = Configuration
    for name in parents:
        if name.isdecimal():  # which one of a list
            continue
        field = section.model_fields.get(name)
        sections = _sections_in(None if field is None else field.annotation)
        if len(sections) != 1:
            return []
        section = sections[0]
    return list(section.model_fields)


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that an annotation names, such as Peer of `tuple[Peer, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in get_args(annotation) for one in _sections_in(part)]
