"""Pipelines of the configuration: settings common to all kinds, and the kinds by name."""

import pkgutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from core.config.values import Positive, Section

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "blur": "pipeline.kinds.blur:KIND",
        "unet": "pipeline.kinds.unet:KIND",
    }
)
"""Kinds of pipeline, each with the name of its `Kind` (pipeline/kind.py), imported when used."""


class PipelineSettings(Section):
    """Settings common to pipelines of every kind; each kind adds its own."""

    kind: str
    resources: dict[str, Positive] = Field(default_factory=dict)
    """Resources that a worker must have, such as `GPU: 1`: `engine.worker_resources`, or of a Dask
    cluster's workers."""

    @property
    def model_path(self) -> Path | None:
        """File of the model; None for a pipeline without one."""
        return None

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the pipeline's program as plain values."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a text that changes whenever the pipeline's results could change.

        Raises:
            ModelError: the model's file cannot be read.
        """

    @abstractmethod
    def in_words(self) -> dict[str, str]:
        """Return settings for the page of models, by label."""

    def roi_names(
        self,
        card: Mapping[str, Any] | None = None,  # noqa: ARG002, for kinds that draw structures
    ) -> tuple[str, ...]:
        """Names of the structures in results; without the model's card, those configured."""
        return ()

    def check_model(self, card: Mapping[str, Any]) -> None:
        """Check the settings against the card of the pipeline's model.

        Raises:
            ModelError: the settings ask for something that the model does not have.
        """


def pipelines_given(given: Mapping[str, Any]) -> dict[str, Any]:
    """Add to the configured pipelines one for each kind that needs no keys, under the kind's name.

    A pipeline that has the name of a kind is of that kind, unless it names another.
    """
    pipelines = {name: {} for name in KINDS if _needs_no_key(name)} | dict(given)
    for name in KINDS:
        if isinstance(pipelines.get(name), dict):
            pipelines[name] = {"kind": name} | pipelines[name]
    return pipelines


def _needs_no_key(kind: str) -> bool:
    return not any(field.is_required() for field in _settings_of(kind).model_fields.values())


def _settings_of(kind: str) -> type[PipelineSettings]:
    settings: type[PipelineSettings] = pkgutil.resolve_name(KINDS[kind]).settings
    return settings


def _of_its_kind(values: Any, info: ValidationInfo) -> Any:
    """Validate `values` by the settings class of the kind that they name."""
    if isinstance(values, PipelineSettings):
        return values
    if not isinstance(values, dict):
        raise PydanticCustomError("pipeline", "keys and values")
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        wrong = PydanticCustomError("kind", "{known}", {"known": " or ".join(sorted(KINDS))})
        error_type = wrong if "kind" in values else "missing"
        place = InitErrorDetails(type=error_type, loc=("kind",), input=kind)
        raise ValidationError.from_exception_data("Pipeline", [place])
    return _settings_of(kind).model_validate(values, context=info.context)


Pipeline = Annotated[SerializeAsAny[PipelineSettings], BeforeValidator(_of_its_kind)]
