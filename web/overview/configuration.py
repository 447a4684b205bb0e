"""The configuration in force as rows of a page: every key, secrets hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from core.config.settings import Configuration

HIDDEN = "••••••"
_SECRET_WORDS = ("secret", "password", "token", "database_url")


@dataclass(frozen=True, slots=True)
class Row:
    """One key of the configuration with its value in words."""

    key: str
    value: str
    is_default: bool


def configuration_rows(configuration: Configuration) -> dict[str, list[Row]]:
    """Rows by section; keys at the top level are in the section `node`."""
    values, defaults = _plain(configuration), _plain(Configuration())
    sections: dict[str, list[Row]] = {"node": []}
    for name, value in values.items():
        default = defaults.get(name)
        if isinstance(value, dict | list) and value:
            rows = [
                Row(key, text, _at(default, key) == text and default is not None)
                for key, text in _flat(value)
            ]
            sections[name] = rows
        else:
            sections["node"].append(Row(name, _text(name, value), value == default))
    return sections


def _plain(configuration: Configuration) -> dict[str, Any]:
    return configuration.model_dump(mode="json")


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested keys joined by dots with their values; list items count from 1."""
    if not isinstance(value, dict | list) or not value:
        yield prefix, _text(prefix, value)
        return
    items = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for key, part in items:
        yield from _flat(part, f"{prefix}.{key}" if prefix else str(key))


def _at(default: Any, key: str) -> str | None:
    return dict(_flat(default)).get(key)


def _text(key: str, value: Any) -> str:
    name = key.rpartition(".")[2]
    if value is None or value in ({}, []):
        return "not given"
    if any(word in name for word in _SECRET_WORDS):
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
