"""A kind of pipeline: its settings, what it asks of a series, and the program that runs it.

To add one, write a file in pipeline/kinds/ with a `KIND`, and name it in core/config/pipelines.py.
"""

import pkgutil
from dataclasses import dataclass

from core.config.pipelines import KINDS, PipelineSettings
from core.errors import ConfigurationError
from imaging.geometry.rules import GeometryRules


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of pipeline; programs are named, so that only workers import what computes.

    The node and the pages import the file of every kind: no file in pipeline/kinds/ imports torch.
    """

    name: str
    settings: type[PipelineSettings]
    rules: GeometryRules
    """What its pipelines ask of the slices of a series."""
    program: str
    """`module:function` that takes a `Task` and returns a `JobResult`."""
    segmenter: str = ""
    """`module:function` that loads a `Segmenter` from a path; empty for a kind without a model."""

    @property
    def modules(self) -> tuple[str, ...]:
        """Names that a worker imports early."""
        return tuple(filter(None, (self.program, self.segmenter)))


def kind_named(name: str) -> Kind:
    """The kind of pipeline with this name.

    Raises:
        ConfigurationError: there is none; the message has the names that there are.
    """
    if name not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise ConfigurationError(f"Pipeline kind {name!r}, expected one of {known}")
    kind: Kind = pkgutil.resolve_name(KINDS[name])
    return kind


def all_kinds() -> tuple[Kind, ...]:
    """Every kind of pipeline."""
    return tuple(kind_named(name) for name in KINDS)
