"""The configuration in force as rows of a page, and what its file has; secrets are hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from core.config.changes import needs_restart
from core.config.settings import Configuration

HIDDEN = "••••••"
_SECRET_WORDS = ("secret", "password", "token", "database_url")
_NODE = "node"
Key = tuple[str, str]
"""Name of a section, and of a key in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One key of the configuration with its value in words."""

    key: str
    value: str
    """The value in force; empty for a key that only the file has."""
    is_default: bool
    in_file: str | None = None
    """What the file has now, if that is another value."""
    needs_restart: bool = False
    """True if the file's value applies after a restart only."""


def configuration_rows(
    running: Configuration, file: Configuration | None = None
) -> dict[str, list[Row]]:
    """Rows by section, with what differs in the file; keys at the top level are in `node`."""
    here, there = dict(_flat(running)), dict(_flat(file or running))
    sections: dict[str, list[Row]] = {_NODE: []}
    for place in dict.fromkeys([*here, *(one for one in there if not _is_empty(there[one]))]):
        sections.setdefault(place[0], []).append(_row(place, here.get(place), there.get(place)))
    return sections


@dataclass(frozen=True, slots=True)
class _Value:
    """A value and its default."""

    value: Any
    default: Any


def _row(place: Key, here: _Value | None, there: _Value | None) -> Row:
    section, key = place
    name = key.rpartition(".")[2]
    differs = here is None or there is None or here.value != there.value
    in_file = (
        ("not there any more" if there is None else _text(name, there.value)) if differs else None
    )
    return Row(
        key,
        "" if here is None else _text(name, here.value),
        is_default=here is None or here.value == here.default,
        in_file=in_file,
        needs_restart=differs and needs_restart(key if section == _NODE else section),
    )


def _is_empty(value: _Value) -> bool:
    """True for a list or mapping without entries; those that it gets are rows of their own."""
    return value.value in ({}, ())


def _flat(configuration: Configuration) -> Iterator[tuple[Key, _Value]]:
    """Yield every value that is no section, by its place."""
    default = Configuration()
    for name in Configuration.model_fields:
        value = _Value(getattr(configuration, name), getattr(default, name))
        if _parts(value):
            yield from (((name, key), part) for key, part in _leaves(value))
        else:
            yield (_NODE, name), value


def _leaves(value: _Value, prefix: str = "") -> Iterator[tuple[str, _Value]]:
    """Yield nested values under keys joined by dots."""
    parts = _parts(value)
    if not parts:
        yield prefix, value
    for key, part in parts.items():
        yield from _leaves(part, f"{prefix}.{key}" if prefix else key)


def _parts(whole: _Value) -> dict[str, _Value]:
    """Return the parts of a section, mapping or list; none for a single or empty value.

    Items of a list have their own name or their number from 1 as key.
    """
    value, default = whole.value, whole.default
    if isinstance(value, BaseModel):
        known = default if type(default) is type(value) else None
        return {
            name: _Value(getattr(value, name), _default_of(value, name, known))
            for name in type(value).model_fields
        }
    if isinstance(value, dict):
        defaults = default if isinstance(default, dict) else {}
        return {str(key): _Value(one, defaults.get(key)) for key, one in value.items()}
    if isinstance(value, tuple):
        names = [getattr(one, "name", str(number)) for number, one in enumerate(value, 1)]
        return {name: _Value(one, None) for name, one in zip(names, value, strict=True)}
    return {}


def _default_of(section: BaseModel, name: str, known: BaseModel | None) -> Any:
    """Return the default of a key of a section; something that equals no value if it has none."""
    if known is not None:
        return getattr(known, name)
    return type(section).model_fields[name].get_default(call_default_factory=True)


def _text(name: str, value: Any) -> str:
    if value is None or value in ({}, (), []):
        return "not given"
    if isinstance(value, SecretStr) or any(word in name for word in _SECRET_WORDS):
        return HIDDEN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and "://" in value:
        return _without_user(value)
    return str(value)


def _without_user(url: str) -> str:
    """A URL with user and password before its host hidden."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}"))
