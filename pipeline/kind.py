"""Kinds of pipeline: settings, geometry rules for series, and the program that runs jobs.

To add one, write a file in pipeline/kinds/ with a `KIND`, and name it in core/config/pipelines.py.
"""

import pkgutil
from dataclasses import dataclass

from core.config.pipelines import KINDS, PipelineSettings
from core.errors import ConfigurationError
from imaging.geometry.rules import GeometryRules


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of pipeline; its program is given by name, so that only workers import it.

    Node and pages import the files of all kinds: no file in pipeline/kinds/ may import torch.
    """

    name: str
    settings: type[PipelineSettings]
    rules: GeometryRules
    """Requirements on the slices of a series."""
    program: str
    """`module:function` that takes a `Task` and returns a `JobResult`."""
    segmenter: str = ""
    """`module:function` that loads a `Segmenter` from a path; empty if there is no model."""

    @property
    def modules(self) -> tuple[str, ...]:
        """Names that a worker resolves before its first job."""
        return tuple(filter(None, (self.program, self.segmenter)))


def kind_named(name: str) -> Kind:
    """Kind of pipeline called `name`.

    Raises:
        ConfigurationError: there is no such kind; the message lists all.
    """
    if name not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise ConfigurationError(f"Pipeline kind {name!r}, expected one of {known}")
    kind: Kind = pkgutil.resolve_name(KINDS[name])
    return kind


def all_kinds() -> tuple[Kind, ...]:
    """All kinds of pipeline, in the order of core/config/pipelines.py."""
    return tuple(kind_named(name) for name in KINDS)
