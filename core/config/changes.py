"""What a changed configuration file changes at once, and what only a restart does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from core.config.settings import Configuration

AT_A_START = (
    "scp_ip",
    "scp_port",
    "storage_path",
    "database_url",
    "root_uid",
    "web_ip",
    "web_port",
    "engine",
    "wire",
    "log",
    "web",
)
"""Keys at the top level that sockets, processes and folders are made of when the node starts."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between the configuration in force and the one of the file."""

    configuration: Configuration
    """The file's, with the present values of what needs a restart."""
    at_once: tuple[str, ...]
    """Keys that differ and apply without a restart, such as `rules` or `peers.tps`."""
    at_a_restart: tuple[str, ...]
    """Keys that differ and apply after a restart, such as `scp_port`."""

    @property
    def words(self) -> str:
        """What is taken and what is left, in words for a person."""
        taken = f"taken: {', '.join(self.at_once)}" if self.at_once else "nothing to take"
        if not self.at_a_restart:
            return taken if self.at_once else "nothing differs from the file"
        return f"{taken}; left as it is, needs a restart: {', '.join(self.at_a_restart)}"


def changes_between(running: Configuration, file: Configuration) -> Changes:
    """Compare the configuration in force with the one of the file."""
    present = {name: getattr(running, name) for name in AT_A_START}
    differing = [
        (name, tuple(_differences(name, getattr(running, name), getattr(file, name))))
        for name in Configuration.model_fields
    ]
    return Changes(
        file.model_copy(update=present),
        tuple(key for name, keys in differing if not needs_restart(name) for key in keys),
        tuple(key for name, keys in differing if needs_restart(name) for key in keys),
    )


def needs_restart(key: str) -> bool:
    """True if a change of `key`, such as `wire.tls.port`, applies after a restart only."""
    return key.partition(".")[0] in AT_A_START


def _differences(place: str, one: Any, other: Any) -> Iterator[str]:
    """Yield the keys at which two values differ; of lists without names, the list's own key."""
    if one == other:
        return
    ones, others = _by_name(one), _by_name(other)
    if ones is None or others is None:
        yield place
        return
    shared = [name for name in ones if name in others]
    named = [f"{place}.{name}" for name in shared if ones[name] != others[name]]
    named += [f"{place}.{name} (new)" for name in others if name not in ones]
    named += [f"{place}.{name} (gone)" for name in ones if name not in others]
    yield from named or [place]  # their order alone


def _by_name(value: Any) -> dict[str, Any] | None:
    """Return the parts of a section, of a mapping, or of a list of named things; else None."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict):
        return value
    if isinstance(value, tuple) and value and all(hasattr(one, "name") for one in value):
        return {one.name: one for one in value}
    return {} if value == () else None
